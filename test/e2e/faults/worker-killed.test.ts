// kill -9 of the worker between any two steps: a new one finds out what was done, does the rest, and nothing twice.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestMatcher } from '../../../sandbox/cluster/faults.ts';
import type { World } from '../../../sandbox/world.ts';
import {
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  cards,
  carriedOut,
  type Leak,
  newToken,
  openStage,
  press,
  reportLeak,
  textOf,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { killWorkerAt } from './freeze.ts';

/** The lock of a dead worker's job lapses after 10 s, and this machine may be busy. */
const RESUMED_MS = 45_000;

let world: World;
const at =
  (method: string, path: string): RequestMatcher =>
  (request) =>
    request.method === method && request.path.split('?')[0] === path;

/** What was cut off, by the name of its test; all are resumed side by side, because each waits for the lock of a dead worker. */
const leaks: Record<string, Leak> = {};
const accounts: Record<string, Account> = {};

interface Account {
  id: string;
  path: string;
  tokens: string[];
  secrets: string[];
}

const ACCOUNTS = '/api/v1/namespaces/ci/serviceaccounts';

/** A ServiceAccount with two long-lived tokens, all of which are to be revoked: a plan of three steps. */
async function revokeAccount(name: string): Promise<Account> {
  const { seed } = world.cluster('prod');
  seed.serviceAccount('ci', name);
  const tokens = await Promise.all([
    seed.tokenSecret('ci', `${name}-1`, name),
    seed.tokenSecret('ci', `${name}-2`, name),
  ]);
  await world.slack.slash('maya', 'incidents', `/revoke-sa prod/ci/${name} left the company`);
  const card = await world.slack.waitFor(
    () => cards(world).find((one) => textOf(one).includes(`ci/${name}`) && buttonOf(one, 'Approve plan')),
    20_000,
    `the plan for ${name}`,
  );
  const id = /"incident_id":"([0-9a-f]+)"/.exec(JSON.stringify(card.metadata))?.[1] ?? '';
  const secrets = [1, 2].map((n) => `/api/v1/namespaces/ci/secrets/${name}-${n}`);
  return { id, path: `${ACCOUNTS}/${name}`, tokens, secrets };
}

async function containedLeak(name: string): Promise<Leak> {
  const leak = await reportLeak(world, name);
  await cardShows(world, leak.id, /Contained: /);
  await world.slack.waitFor(() => buttonOf(cardOf(world, leak.id), 'Approve plan'), 20_000);
  return leak;
}

const approve = (id: string) => press(world, id, 'tomas', 'Approve plan');

async function killWhileContaining(name: string, fate: 'lost' | 'done'): Promise<void> {
  const leaked = await newToken(world, name);
  let id = '';
  await killWorkerAt(world, at('PATCH', leaked.secret), fate, async () => {
    const response = await world.report({ token: leaked.token });
    const body = (await response.json()) as { incidents: { id: string }[] };
    id = body.incidents[0]?.id ?? '';
  });
  leaks[name] = { ...leaked, id };
  await world.startRole('worker');
}

beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  const [deleting, approved] = [await containedLeak('deleting'), await containedLeak('approved')];
  const between = await revokeAccount('between');
  const deleted = await revokeAccount('deleted');
  const created = await revokeAccount('created');

  const probed = await newToken(world, 'probed');
  const isProbe: RequestMatcher = ({ userAgent }) => userAgent === 'tourniquet-probe';
  await killWorkerAt(world, isProbe, 'done', async () => {
    leaks.probed = { ...probed, id: await reportToken(probed.token) };
  });
  await world.startRole('worker');

  await killWhileContaining('contain-lost', 'lost');
  await killWhileContaining('contain-done', 'done');

  await killWorkerAt(world, at('DELETE', deleting.secret), 'done', () => approve(deleting.id));
  leaks.deleting = deleting;
  // Approved while no worker lives at all.
  await approve(approved.id);
  leaks.approved = approved;
  await world.startRole('worker');

  const [, second = ''] = between.secrets;
  await killWorkerAt(world, at('PATCH', second), 'lost', () => approve(between.id));
  accounts.between = between;
  await world.startRole('worker');
  await killWorkerAt(world, at('DELETE', deleted.path), 'done', () => approve(deleted.id));
  accounts.deleted = deleted;
  await world.startRole('worker');
  await killWorkerAt(world, at('POST', ACCOUNTS), 'done', () => approve(created.id));
  accounts.created = created;
  await world.startRole('worker');
}, 120_000);

afterAll(() => {
  console.log(world.slack.transcript('incidents'));
  console.log(world.output());
  console.log(
    world
      .cluster('prod')
      .requests.filter((r) => r.method !== 'GET')
      .map(
        (r) =>
          new Date(r.at).toISOString() + ' ' + r.method + ' ' + r.path + ' ' + r.status + ' ' + r.userAgent,
      )
      .join('\n'),
  );
  return world?.close();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

async function reportToken(token: string): Promise<string> {
  const body = (await (await world.report({ token })).json()) as { incidents: { id: string }[] };
  return body.incidents[0]?.id ?? '';
}

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
      const { labels = {} } = world.cluster('prod').get(secret)?.metadata ?? {};
      expect(labels).toHaveProperty(['kubernetes.io/legacy-token-invalid-since']);
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
