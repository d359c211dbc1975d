// A scanner that says the same again and again: counted at the price of one read, and heard where it could matter.
import { afterEach, expect, it } from 'vitest';
import { createFront } from '../../../src/engine/door/create-front.ts';
import type { Front } from '../../../src/engine/ground/front.ts';
import type { IncidentLog } from '../../../src/ports/incident-log.ts';
import type { Work } from '../../../src/ports/queue.ts';
import { Secret } from '../../../src/secret.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness } from '../harness.ts';

let harness: Harness;
afterEach(() => harness?.close());

/** A front that notes what is asked of the log and the queue. */
async function noting(options: HarnessOptions = {}) {
  harness = await startHarness(options);
  const asked: string[] = [];
  const jobs: Work[] = [];
  const log = new Proxy<IncidentLog>(harness.memory, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        asked.push(String(name));
        return value.apply(target, given);
      };
    },
  });
  const queue = { add: async (work: Work[]) => void jobs.push(...work) };
  const front: Front = createFront(
    { ...harness.deps, log, queue },
    {
      roster: { policy: harness.deps.settings.policy, teamId: 'T1' },
      clusters: ['prod'],
      ask: () => Promise.reject(new Error('nobody asks here')),
      health: async () => [],
    },
  );
  const forget = () => {
    asked.length = 0;
    jobs.length = 0;
  };
  const leak = (token: string) =>
    front.report({ alert: { source: 'report', subject: { kind: 'token' } }, token: new Secret(token) });
  return { asked, jobs, front, leak, forget };
}

const events = (id: string) => harness.memory.events(id).map(({ type }) => type);

it('6,000 reports of a finding that is open cost one read each, no event and no job', async () => {
  const { asked, jobs, front, forget } = await noting();
  const say = (n: number) =>
    front.report({
      alert: {
        source: 'report',
        subject: { kind: 'coordinates', at: { cluster: 'prod', namespace: 'load', serviceAccount: 'api' } },
        reason: `scan ${n}`,
      },
    });
  const { incidentId: id } = await say(0);
  await harness.run(id);
  await say(1);
  const before = events(id);
  forget();
  for (let n = 2; n < 6002; n++) expect(await say(n)).toEqual({ incidentId: id, created: false });
  expect(new Set(asked)).toEqual(new Set(['recognise']));
  expect(asked).toHaveLength(6000);
  expect(jobs).toEqual([]);
  expect(events(id)).toEqual(before);
  // Nothing of it is lost: the next that is written down says how many there were.
  harness.advance(300_000);
  await say(6002);
  expect(harness.incident(id).alerts.map(({ repeats }) => repeats)).toEqual([undefined, 6001]);
  expect((await harness.deps.log.load(id))?.repeats).toBe(0);
});

it('a new token waits for no read before its kill', async () => {
  const { asked, jobs, front } = await noting();
  const token = await seedLegacy(harness.cluster());
  const finding = {
    alert: { source: 'report', subject: { kind: 'token' as const } },
    token: new Secret(token),
  };
  await front.report(finding, Promise.resolve(undefined));
  expect(asked).toEqual(['append']);
  expect(jobs.map(({ kind }) => kind)).toContain('investigate');
});

it('of a token that is contained: written down once, and then counted until something happens', async () => {
  const { asked, leak, forget } = await noting();
  const token = await seedLegacy(harness.cluster());
  const { incidentId: id } = await leak(token);
  await harness.run(id, 20_000);
  await leak(token);
  expect(harness.incident(id).alerts).toHaveLength(2);
  await leak(token);
  forget();
  for (let n = 0; n < 100; n++) await leak(token);
  expect(asked).toEqual(Array.from({ length: 100 }, () => 'recognise'));
  expect(harness.incident(id).alerts).toHaveLength(2);
  await harness.click(id, 'approve', 'UINES');
  await harness.run(id, 20_000);
  expect(harness.incident(id).status).toBe('resolved');
  await leak(token);
  expect(harness.incident(id)).toMatchObject({ stale: true, alerts: [{}, {}, { repeats: 101 }] });
});

it('that comes just when the state changes is looked at anew', async () => {
  const { leak } = await noting({ settings: { autoContain: 'off' } });
  const token = await seedLegacy(harness.cluster());
  const { incidentId: id } = await leak(token);
  await harness.run(id);
  await leak(token);
  expect(harness.incident(id).alerts).toHaveLength(1);
  await harness.click(id, 'decline', 'UINES', { reason: 'not now' });
  await leak(token);
  expect(harness.incident(id).alerts).toHaveLength(2);
  expect(harness.incident(id).closed).toBeUndefined();
});

it('a finding that says the same twice in one moment becomes one incident', async () => {
  const { leak } = await noting();
  const token = await seedLegacy(harness.cluster());
  const opened = await Promise.all(Array.from({ length: 20 }, () => leak(token)));
  expect(new Set(opened.map(({ incidentId }) => incidentId)).size).toBe(1);
  expect(opened.filter(({ created }) => created)).toHaveLength(1);
  expect(harness.memory.ids()).toHaveLength(1);
});

it('news of a finding that says what is known brings no job', async () => {
  const { jobs, front, forget } = await noting();
  await front.report({ alert: { source: 'gitguardian', externalId: '7', subject: { kind: 'unnamed' } } });
  const update = { source: 'gitguardian', externalId: '7', note: 'marked resolved' };
  await front.update(update);
  expect(jobs).not.toEqual([]);
  forget();
  await front.update(update);
  expect(jobs).toEqual([]);
});
