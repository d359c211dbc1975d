// kill -9 of the worker between any two steps: a new one finds out what was done, does the rest, and nothing twice.
import type { RequestMatcher } from 'kube-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  cards,
  carriedOut,
  idOf,
  type Leak,
  openStage,
  press,
  reportLeak,
  START_MS,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { hold, killWorkerAfter, on } from './kill.ts';

/** The lock of a dead worker's job lapses after 10 s, and machines may be busy. */
const RESUMED_MS = 45_000;
const ACCOUNTS = '/api/v1/namespaces/ci/serviceaccounts';
const SECRETS = '/api/v1/namespaces/payments/secrets';

interface Account {
  id: string;
  path: string;
  tokens: string[];
  secrets: string[];
}

let world: World;
/** What was cut off. All are resumed side by side, because each waits for the lock of a dead worker. */
const leaks: Record<string, Leak> = {};
const accounts: Record<string, Account> = {};

/** A ServiceAccount with two long-lived tokens, all of which are to be revoked: a plan of three steps. */
async function revokeAccount(name: string): Promise<Account> {
  const { seed } = world.cluster('prod');
  seed.serviceAccount('ci', name);
  const tokens = [
    await seed.tokenSecret('ci', `${name}-1`, name),
    await seed.tokenSecret('ci', `${name}-2`, name),
  ];
  await world.slack.slash('maya', 'incidents', `/revoke-sa prod/ci/${name} left the company`);
  const card = await world.slack.waitFor(
    () => cards(world).find((one) => textOf(one).includes(`ci/${name}`) && buttonOf(one, 'Approve plan')),
    20_000,
    `the plan for ${name}`,
  );
  const secrets = [1, 2].map((n) => `/api/v1/namespaces/ci/secrets/${name}-${n}`);
  return { id: idOf(card), path: `${ACCOUNTS}/${name}`, tokens, secrets };
}

async function containedLeak(name: string): Promise<Leak> {
  const leak = await reportLeak(world, name);
  await cardShows(world, leak.id, /Contained: refused by 2 of 2/);
  await world.slack.waitFor(() => buttonOf(cardOf(world, leak.id), 'Approve plan'), 20_000);
  return leak;
}

const approve = (incident: { id: string } | undefined) =>
  press(world, incident?.id ?? '', 'tomas', 'Approve plan');

async function report(name: string): Promise<void> {
  leaks[name] = await reportLeak(world, name);
}

beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  for (const name of ['deleting', 'approved']) leaks[name] = await containedLeak(name);
  for (const name of ['between', 'deleted', 'created']) accounts[name] = await revokeAccount(name);

  const isProbe: RequestMatcher = ({ userAgent }) => userAgent === 'tourniquet-probe';
  await killWorkerAfter(world, isProbe, () => report('probed'));

  await world.startRole('worker');
  const liftPatch = await hold(world, on('PATCH', `${SECRETS}/contain-lost`), () => report('contain-lost'));
  await killWorkerAfter(world, on('PATCH', `${SECRETS}/contain-done`), () => report('contain-done'));
  liftPatch();

  await world.startRole('worker');
  await killWorkerAfter(world, on('DELETE', `${SECRETS}/deleting`), () => approve(leaks.deleting));
  // While no worker lives at all.
  await approve(leaks.approved);

  await world.startRole('worker');
  const second = on('PATCH', accounts.between?.secrets[1] ?? '');
  const liftSecond = await hold(world, second, () => approve(accounts.between));
  await killWorkerAfter(world, on('DELETE', `${ACCOUNTS}/deleted`), () => approve(accounts.deleted));
  liftSecond();

  await world.startRole('worker');
  await killWorkerAfter(world, on('POST', ACCOUNTS), () => approve(accounts.created));
  await world.startRole('worker');
}, START_MS);

afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

describe('a worker killed', () => {
  it.each([
    ['while the cluster has not yet got its quarantine', 'contain-lost'],
    ['after the cluster carried out its quarantine, before it heard so', 'contain-done'],
    ['while it probes', 'probed'],
  ])(
    '%s: the token is quarantined and proven dead',
    async (_, name) => {
      const { id, token, secret } = leaks[name] as Leak;
      await cardShows(world, id, /Contained: refused by 2 of 2/, RESUMED_MS);
      expect(await answersTo(world, token)).toEqual([401, 401]);
      expect(world.cluster('prod').get(secret)?.metadata.labels).toHaveProperty([
        'kubernetes.io/legacy-token-invalid-since',
      ]);
      expect(toldOnce(world, id).filter((said) => said.includes('*Contained* by policy'))).toHaveLength(1);
    },
    60_000,
  );

  it.each([
    ['after the cluster deleted the Secret, before it heard so', 'deleting'],
    ['before it took up an approved plan', 'approved'],
  ])(
    '%s: the plan is finished',
    async (_, name) => {
      const { id, token, secret } = leaks[name] as Leak;
      await threadSays(world, id, /Closed as resolved/, RESUMED_MS);
      await cardShows(world, id, /Revoked: /);
      expect(await answersTo(world, token)).toEqual([401, 401]);
      expect(carriedOut(world, 'DELETE', secret)).toHaveLength(1);
      const said = toldOnce(world, id);
      expect(said.filter((line) => line.includes('Done: Delete Secret'))).toHaveLength(1);
      expect(said.filter((line) => line.includes('approved the plan'))).toHaveLength(1);
    },
    60_000,
  );

  it.each([
    ['between two steps of a plan', 'between'],
    ['after the ServiceAccount was deleted, before it was created again', 'deleted'],
    ['after the ServiceAccount was created again, before it heard so', 'created'],
  ])(
    '%s: every step takes effect once',
    async (_, name) => {
      const { id, path, tokens, secrets } = accounts[name] as Account;
      await threadSays(world, id, /Closed as resolved/, RESUMED_MS);
      for (const token of tokens) expect(await answersTo(world, token)).toEqual([401, 401]);
      expect(carriedOut(world, 'DELETE', path)).toHaveLength(1);
      for (const secret of secrets) expect(carriedOut(world, 'PATCH', secret)).toHaveLength(1);
      expect(world.cluster('prod').get(path)).toBeDefined();
      const said = toldOnce(world, id);
      expect(said.filter((line) => line.includes('Done: Re-create ServiceAccount'))).toHaveLength(1);
    },
    60_000,
  );

  it('creates each ServiceAccount again exactly once', () => {
    expect(carriedOut(world, 'POST', ACCOUNTS)).toHaveLength(Object.keys(accounts).length);
  });
});
