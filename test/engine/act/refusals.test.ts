// What admission refuses is told as that: never as a Secret that changed, a missing permission or a Pod that is slow.
import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { denials, rbac, WORDS } from './denials.ts';
import { begun, last, podsOf, restarting, settled, stepOf, uids } from './rolling.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const SECRET = '/api/v1/namespaces/payments/secrets/api-token';
const isPatchOf = (path: string) => (request: { method: string; path: string }) =>
  request.method === 'PATCH' && request.path.startsWith(path);
const answer = async (h: Harness, token: string) => {
  const [cluster] = h.connected;
  return cluster && (await statusWith(cluster, token));
};
const everyWord = (h: Harness, id: string) => JSON.stringify(h.memory.events(id));
const WRONG = /does not hold the leaked token|the leaked one is dead|lacks the permission|already gone|RBAC/;

describe.each(Object.entries(denials('secrets "api-token"')))('a denial by %s', (by, { status, body }) => {
  it('of the quarantine stops it, in its words, and the leak is called live', async () => {
    const h = await startHarness();
    harness = h;
    const token = await seedLegacy(h.cluster());
    h.cluster().faults.answerNext(99, status, body, isPatchOf(SECRET));
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 60_000);
    expect(last(h, id)?.stopped).toContain(by);
    expect(last(h, id)?.stopped).toContain(WORDS);
    expect(last(h, id)?.stopped).toMatch(/To see it: kubectl --context prod get /);
    expect(everyWord(h, id)).not.toMatch(WRONG);
    expect(h.incident(id).status).not.toBe('resolved');
    expect(await answer(h, token)).toBe('accepted');
  });

  it('of the deletion leaves the Secret, and says nothing of another token', async () => {
    const h = await startHarness({ settings: { autoContain: 'off' } });
    harness = h;
    const token = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.click(id, 'contain', 'UMAYA');
    await h.run(id, 60_000);
    h.cluster().faults.answerNext(
      99,
      status,
      body,
      ({ method, path }) => ['PATCH', 'DELETE'].includes(method) && path.startsWith(SECRET),
    );
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(last(h, id)?.stopped).toContain(by);
    expect(last(h, id)?.stopped).toContain(WORDS);
    expect(everyWord(h, id)).not.toMatch(WRONG);
    expect(h.cluster().get(SECRET)).toBeDefined();
  });
});

describe.each(Object.entries(denials('deployments.apps "a"')))('a denial by %s', (by, { status, body }) => {
  it('of a change to a workload stops the roll-out at once', async () => {
    const [h, id] = await begun({ a: {}, b: {} });
    harness = h;
    h.cluster().faults.answerNext(
      99,
      status,
      body,
      isPatchOf('/apis/apps/v1/namespaces/payments/deployments/a'),
    );
    const from = h.now();
    await h.click(id, 'approve', 'UINES');
    await h.run(id);
    expect(h.now() - from).toBeLessThan(60_000);
    expect(last(h, id)?.stopped).toContain(by);
    expect(last(h, id)?.stopped).toContain(WORDS);
    expect(stepOf(h, id)?.memory?.blocked).toEqual(['Deployment/a']);
    expect(everyWord(h, id)).not.toMatch(WRONG);
  });
});

it('a missing permission is told as one, with the verb that is missing', async () => {
  const h = await startHarness();
  harness = h;
  const token = await seedLegacy(h.cluster());
  const { status, body } = rbac('patch', 'secrets');
  h.cluster().faults.answerNext(99, status, body, isPatchOf(SECRET));
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 60_000);
  expect(last(h, id)?.stopped).toContain('lacks the permission "patch" on secrets in namespace payments');
});

it('a Secret that holds another value is still told as that', async () => {
  const h = await startHarness();
  harness = h;
  const token = await seedLegacy(h.cluster());
  const ref = {
    resource: { group: '', version: 'v1', plural: 'secrets', namespaced: true },
    namespace: 'payments',
    name: 'api-token',
  };
  await h.connected[0]?.patch(ref, [
    { op: 'replace', path: '/data/token', value: Buffer.from('another').toString('base64') },
  ]);
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  expect(everyWord(h, id)).toContain('The Secret does not hold the leaked token (any more)');
});

it.each(Object.entries(denials('pods "debug"')))(
  'a bare Pod whose successor would be denied by %s stays where it is',
  async (by, { status, body }) => {
    const h = await startHarness({
      actions: [restarting({ consent: ['Pod/debug'] })],
      settings: { autoContain: 'off' },
    });
    harness = h;
    const token = await seedLegacy(h.cluster());
    h.cluster().seed.pod('payments', 'debug', { serviceAccount: 'api', labels: { app: 'debug' } });
    await settled(h);
    const before = uids(await podsOf(h), 'debug');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    h.cluster().faults.answerNext(
      99,
      status,
      body,
      ({ method, path }) => method === 'POST' && path.includes('/namespaces/payments/pods'),
    );
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(uids(await podsOf(h), 'debug')).toEqual(before);
    expect(last(h, id)?.stopped).toContain('It was not removed, as it could not come back');
    expect(last(h, id)?.stopped).toContain(by);
  },
);

it('a roll-out that stops tells also what it left to a person', async () => {
  const given = { consent: ['Pod/debug'], cap: { percent: 100, most: 50 } };
  const h = await startHarness({ actions: [restarting(given)], settings: { autoContain: 'off' } });
  harness = h;
  const token = await seedLegacy(h.cluster());
  h.cluster().seed.deployment('payments', 'a', { serviceAccount: 'api' });
  h.cluster().seed.pod('payments', 'debug', { serviceAccount: 'api', labels: { app: 'debug' } });
  await settled(h);
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  const rights = rbac('create', 'pods');
  h.cluster().faults.answerNext(
    99,
    rights.status,
    rights.body,
    ({ method, path }) => method === 'POST' && path.includes('/namespaces/payments/pods'),
  );
  const denial = Object.values(denials('deployments.apps "a"'))[0] ?? rights;
  h.cluster().faults.answerNext(
    99,
    denial.status,
    denial.body,
    isPatchOf('/apis/apps/v1/namespaces/payments/deployments/a'),
  );
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 120_000);
  expect(last(h, id)?.stopped).toContain(WORDS);
  expect(last(h, id)?.stopped).toMatch(
    /Left to a person: Pod\/debug: .*lacks the permission "create" on pods/,
  );
  expect(stepOf(h, id)?.memory?.blocked).toEqual(['Deployment/a']);
});
