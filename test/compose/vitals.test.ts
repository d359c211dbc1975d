// What /healthz and /readyz mean: alive is "a restart would not help", ready is "it can do its work".
import { expect, test } from 'vitest';
import { alive, detail, noVitals, ready, type Vitals } from '../../src/compose/vitals.ts';

const well = async (): Promise<string[]> => [];
const away = async (): Promise<string[]> => ['Redis does not answer.'];
const queue = (ageMs: number) => ({ lastPollAgeMs: () => ageMs, oldestJobMs: () => 2000 });
const vitals = (given: Partial<Vitals>): Vitals => ({ ...noVitals(), ...given });

test('a process that asks its queue for work is alive', async () => {
  expect(await alive(vitals({ queues: new Map([['worker', queue(59_000)]]) }), well)).toEqual([]);
  expect(await alive(noVitals(), away)).toEqual([]);
});

test('one that stopped asking is stuck, and says that a restart loses nothing', async () => {
  const stuck = vitals({ queues: new Map([['worker', queue(61_000)]]) });
  expect(await alive(stuck, well)).toEqual([expect.stringMatching(/"worker".*61 s.*taken up again/)]);
});

test('while Redis is away nobody can ask, and a restart would help nobody', async () => {
  expect(await alive(vitals({ queues: new Map([['worker', queue(600_000)]]) }), away)).toEqual([]);
});

test('ready needs Redis and one cluster that answers; Slack does not matter', async () => {
  const clusters = new Map([
    ['prod', ''],
    ['staging', 'Cannot get /version on cluster staging: connection refused.'],
  ]);
  expect(await ready(vitals({ clusters, sockets: () => 0 }), well)).toEqual([]);
  expect(await ready(vitals({ clusters }), away)).toEqual(['Redis does not answer.']);
  clusters.set('prod', 'Cannot get /version on cluster prod: 401.');
  const [problem] = await ready(vitals({ clusters }), well);
  expect(problem).toMatch(/No cluster answers.*alerts are kept.*prod: 401.*staging: connection refused/);
  // Nobody was asked yet: that is no reason to hold up a roll-out.
  expect(await ready(noVitals(), well)).toEqual([]);
});

test('the details tell of Slack and of each cluster', () => {
  const clusters = new Map([['prod', '']]);
  expect(detail(vitals({ sockets: () => 0 }))).toMatchObject({ slack: 'not connected' });
  expect(detail(vitals({ sockets: () => 2, clusters, queues: new Map([['bot', queue(0)]]) }))).toEqual({
    slack: 'connected',
    clusters: { prod: 'answers' },
    oldestJobSeconds: { bot: 2 },
  });
});
