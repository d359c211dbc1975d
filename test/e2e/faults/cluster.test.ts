// The cluster fails at the kill or between kill and proof: people are told, it is tried again, and nothing is claimed that was not seen.
import type { RequestMatcher } from 'kube-sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  amendConfig,
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  carriedOut,
  openStage,
  press,
  reportLeak,
  START_MS,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { DEADLINE, on } from './kill.ts';

const RECOVERED_MS = 40_000;
const SECRETS = '/api/v1/namespaces/payments/secrets';

let world: World;
beforeAll(async () => {
  world = await openStage();
  // So that an API server that hangs is given up soon.
  await amendConfig(world, ({ clusters }) => {
    for (const cluster of clusters) cluster.timeout = '2s';
  });
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  // The worker knows the cluster's keys then, as one that has run for a while does.
  const { id, token } = await reportLeak(world, 'before');
  await containedAfterAll(id, token);
}, START_MS);
afterAll(() => world?.close());
afterEach(async () => {
  const { faults, servers } = world.cluster('prod');
  faults.clear();
  for (const server of servers) {
    server.resume();
    await server.start();
  }
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

const servers = () => world.cluster('prod').servers;
const requests = (matches: RequestMatcher) => world.cluster('prod').requests.filter(matches);
const secretWrite = (name: string): RequestMatcher => on('PATCH', `${SECRETS}/${name}`);

/** Told as it is now, nothing claimed. */
async function troubled(id: string, words: RegExp): Promise<void> {
  const card = await cardShows(world, id, /\*Trouble:\*/, RECOVERED_MS);
  expect(textOf(card)).toMatch(words);
  expect(textOf(card)).not.toMatch(/Contained: |Revoked|refused by/);
}

async function containedAfterAll(id: string, token: string): Promise<string[]> {
  await cardShows(world, id, /Contained: refused by 2 of 2/, RECOVERED_MS);
  await vi.waitFor(() => expect(textOf(cardOf(world, id) as never)).not.toContain('*Trouble:*'), DEADLINE);
  expect(await answersTo(world, token)).toEqual([401, 401]);
  const said = toldOnce(world, id);
  expect(said.filter((line) => line.includes('*Contained* by policy'))).toHaveLength(1);
  return said;
}

describe('at the kill', () => {
  it('an API server that is down is told of, and the kill comes when it is back', async () => {
    await servers()[0]?.stop();
    const { id, token, secret } = await reportLeak(world, 'down');
    await troubled(id, /connection refused/);
    await servers()[0]?.start();
    const said = await containedAfterAll(id, token);
    expect(said.some((line) => line.includes('The trouble is over'))).toBe(true);
    expect(carriedOut(world, 'PATCH', secret).length).toBeGreaterThanOrEqual(1);
  }, 90_000);

  it('an API server that hangs is given up in time, told of, and the late writes do no harm', async () => {
    servers()[0]?.pause();
    const { id, token, secret } = await reportLeak(world, 'hangs');
    await troubled(id, /no answer in time/);
    servers()[0]?.resume();
    await containedAfterAll(id, token);
    expect(world.cluster('prod').get(secret)?.metadata.labels).toMatchObject({ team: 'payments' });
  }, 90_000);

  it('429 with Retry-After, 500 and 503 are told of and tried again', async () => {
    const refusals: [number, RegExp][] = [
      [429, /busy; try again/],
      [500, /did not do it; try again/],
      [503, /did not do it; try again/],
    ];
    const refused = async ([status, words]: [number, RegExp]) => {
      const isKill = secretWrite(`status-${status}`);
      world.cluster('prod').faults.failNext(2, status, isKill, 1);
      const { id, token } = await reportLeak(world, `status-${status}`);
      await troubled(id, words);
      await containedAfterAll(id, token);
      expect(requests(isKill).map((request) => request.status)).toEqual([status, status, 200]);
    };
    await Promise.all(refusals.map(refused));
  }, 90_000);

  it('a write that was carried out, but whose answer was lost, is found done and not repeated', async () => {
    world.cluster('prod').faults.resetAfterAccept(secretWrite('cut'));
    const { id, token } = await reportLeak(world, 'cut');
    const said = await containedAfterAll(id, token);
    expect(said.some((line) => line.includes('found done when the job was taken up again'))).toBe(true);
    expect(requests(secretWrite('cut'))).toHaveLength(1);
  }, 90_000);

  it('a slow cluster is waited for, without trouble and without a second look', async () => {
    const lift = world.cluster('prod').faults.delay(250);
    const looks = on('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles');
    const before = requests(looks).length;
    const { id, token } = await reportLeak(world, 'slow');
    await containedAfterAll(id, token);
    await threadSays(world, id, /plan is on the card/, RECOVERED_MS);
    lift();
    expect(requests(looks)).toHaveLength(before + 1);
    expect(toldOnce(world, id).filter((line) => line.includes('*Trouble:*'))).toEqual([]);
  }, 90_000);

  it('an approved deletion that fails at first is tried again, and happens once', async () => {
    const { id, token, secret } = await reportLeak(world, 'deletion');
    await world.slack.waitFor(() => buttonOf(cardOf(world, id), 'Approve plan'), RECOVERED_MS);
    world.cluster('prod').faults.failNext(1, 500, on('DELETE', secret));
    world.cluster('prod').faults.resetAfterAccept(on('DELETE', secret));
    await press(world, id, 'tomas', 'Approve plan');
    await threadSays(world, id, /\*Trouble:\*/, RECOVERED_MS);
    await threadSays(world, id, /Closed as resolved/, RECOVERED_MS);
    await cardShows(world, id, /Revoked: refused by 2 of 2/);
    expect(requests(on('DELETE', secret)).map(({ status }) => status)).toEqual([500, 0]);
    expect(world.cluster('prod').get(secret)).toBeUndefined();
    expect(await answersTo(world, token)).toEqual([401, 401]);
  }, 90_000);
});

describe('between kill and proof', () => {
  it.each([
    ['one API server dies', [1]],
    ['every API server dies', [0, 1]],
  ])(
    '%s: nothing is called proven until it answers',
    async (_, dying) => {
      const name = `unproven-${dying.length}`;
      const { faults } = world.cluster('prod');
      // Held at the probes, so that the kill is over and the proof is not.
      const isProbe: RequestMatcher = ({ userAgent }) => userAgent === 'tourniquet-probe';
      const lift = faults.delay(3_600_000, isProbe);
      const asked = requests(isProbe).length;
      const { id, token } = await reportLeak(world, name);
      await cardShows(world, id, /Contained/, RECOVERED_MS);
      await vi.waitUntil(() => requests(isProbe).length > asked, DEADLINE);
      for (const index of dying) await servers()[index]?.stop();
      lift();
      const unanswered = await cardShows(
        world,
        id,
        /under way\. prod: .* gave no clear answer/,
        RECOVERED_MS,
      );
      expect(textOf(unanswered)).not.toMatch(/Revoked|refused by/);
      for (const index of dying) await servers()[index]?.start();
      await containedAfterAll(id, token);
      await threadSays(world, id, /Proof: refused by 2 of 2/, RECOVERED_MS);
    },
    90_000,
  );
});
