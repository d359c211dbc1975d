// What a model of others' deeds found: silence, old servers, lost keys and other tokens make no claim, and hide none.
import { type KubeObject, legacyToken, startCluster } from 'kube-sandbox';
import { afterEach, describe, expect, it } from 'vitest';
import { renderCard } from '../../../src/adapters/slack/cards/card.ts';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { isLive } from '../../../src/domain/incident/sightings.ts';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { pointer } from '../../../src/domain/text/json-pointer.ts';
import { Secret } from '../../../src/secret.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith, TEAM } from '../harness.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const SECRET = { resource: resources.secrets, namespace: 'payments', name: 'api-token' };

let harness: Harness | undefined;
afterEach(() => harness?.close());
const start = async (options: HarnessOptions = {}) => {
  harness = await startHarness({ clusters: { prod: { servers: 2 } }, ...options });
  return harness;
};
const said = (h: Harness, id: string) => headline(h.incident(id), h.now());
const clusterOf = (h: Harness, name = 'prod') => {
  const found = h.connected.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const by = { id: 'UMAYA', teamId: TEAM, guest: false, bot: false, deactivated: false };

/** Two clusters of one origin, which accept each other's tokens. */
async function clones(options: HarnessOptions = {}) {
  const mould = await startCluster({ name: 'mould' });
  const token = await seedLegacy(mould, { team: 'x' });
  const { keys } = mould;
  const objects = mould.objects();
  await mould.close();
  const h = await start({ clusters: { prod: { keys, objects }, restored: { keys, objects } }, ...options });
  return { h, token };
}
const stop = async (h: Harness, name: string) => {
  for (const server of h.cluster(name).servers) await server.stop();
};
const begin = async (h: Harness, name: string) => {
  for (const server of h.cluster(name).servers) await server.start();
};

describe('a clone', () => {
  it('that was never asked is named wherever something is claimed, and found when it is back', async () => {
    const { h, token } = await clones();
    await stop(h, 'restored');
    await clusterOf(h).warm();
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MIN);
    expect(said(h, id)).toMatch(/^🟠 Contained: .*; restored not asked/);
    await begin(h, 'restored');
    await h.run(id, 2 * HOUR);
    expect(await statusWith(clusterOf(h, 'restored'), token)).toBe('accepted');
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE/);
    expect(h.incident(id).identity?.clusters).toEqual(['prod', 'restored']);
  });

  it('can be left out by name, by an approver with a reason, and the card goes on to say so', async () => {
    const { h, token } = await clones();
    await stop(h, 'restored');
    await clusterOf(h).warm();
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, HOUR);
    expect(h.incident(id).closed).toBeUndefined();
    expect(said(h, id)).toMatch(/^🟠 .*; restored not asked/);
    const leaveOut = (id_: string, who: string, reason?: string) =>
      h.click(id_, 'leave-out', who, { hash: 'restored', ...(reason ? { reason } : {}) });
    expect(await leaveOut(id, 'UMAYA', 'scrapped')).toMatchObject({ refusal: { code: 'not-allowed' } });
    expect(await leaveOut(id, 'UINES')).toMatchObject({ refusal: { code: 'reason-missing' } });
    expect(await leaveOut(id, 'UINES', 'scrapped in May')).toMatchObject({ decided: true });
    await h.run(id);
    expect(said(h, id)).toMatch(/^🟢 Revoked: .*restored left out, not asked/);
  });

  it('that is away hides nothing that the other one shows', async () => {
    const { h, token } = await clones();
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 26 * HOUR);
    await stop(h, 'prod');
    await clusterOf(h, 'restored').patch(SECRET, [
      { op: 'remove', path: `/metadata/labels/${pointer(INVALID_SINCE)}` },
    ]);
    h.advance(11_000);
    await h.run(id, 7 * HOUR);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE AGAIN/);
    expect(h.incident(id).reopened?.reason).toMatch(/restored/);
  });
});

it('a label that an old API server ignores is no claim, also once the sealed token is gone', async () => {
  const h = await start({ clusters: { prod: { servers: 2, version: ['1.37.2', '1.28.0'] } } });
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 30 * HOUR);
  expect(await statusWith(clusterOf(h), token)).toMatch(/accepted/);
  expect(h.incident(id).tokenHeld).toBe(false);
  expect(isLive(h.incident(id))).toBe(true);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE/);
});

it('another token that is reported for an incident which is about a second one by now has its own', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const first = await seedLegacy(h.cluster(), { team: 'x' });
  h.cluster().seed.serviceAccount('payments', 'refunds');
  const second = await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
  const { incidentId: id } = await h.leak(first);
  await h.run(id);
  await h.front.decide(id, { verb: 'identify', by }, new Secret(second));
  await h.run(id);
  const again = await h.leak(first, { reporter: 'UMAYA' });
  await h.run(id, 10 * MIN);
  await h.run(again.incidentId);
  expect(again).toMatchObject({ created: true });
  expect(said(h, again.incidentId)).toMatch(/^🔴 LEAK LIVE · payments\/api/);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · payments\/refunds/);
});

it('a token that a person names while a run waits paused is looked at, and nothing of the first is said of it', async () => {
  const h = await start();
  const first = await seedLegacy(h.cluster(), { team: 'x' });
  h.cluster().seed.serviceAccount('payments', 'refunds');
  const second = await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
  const { incidentId: id } = await h.leak(first);
  await h.run(id, MIN);
  await h.deps.pause.write({ by: 'UINES', reason: 'a drill', at: new Date(h.now()).toISOString() });
  await h.click(id, 'approve', 'UINES');
  await h.front.decide(id, { verb: 'identify', by }, new Secret(second));
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE, paused · payments\/refunds/);
});

it('one refused read after the token was identified closes nothing, and asks nobody which token it is', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  const { incidentId: id } = await h.leak(token);
  await h.run(id, MIN);
  h.cluster().faults.failNext(
    1,
    403,
    ({ method, path }) => method === 'DELETE' && path.includes('/secrets/'),
  );
  h.cluster().faults.failNext(
    3,
    403,
    ({ method, path }) => method === 'GET' && path.includes('/serviceaccounts/'),
  );
  await h.click(id, 'approve', 'UINES');
  await h.run(id, MIN);
  h.cluster().faults.clear();
  expect(h.incident(id).unidentified).toBeUndefined();
  expect(h.incident(id).closed).toBeUndefined();
  await h.run(id, HOUR);
  expect(said(h, id)).toMatch(/^🟠 Contained: refused by 2 of 2/);
});

it('what was named by coordinates stays what is meant after we deleted it', async () => {
  const h = await start();
  await seedLegacy(h.cluster(), { team: 'x' });
  const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
  const alert = { source: 'slash', reporter: 'UTOMAS', subject: { kind: 'coordinates' as const, at } };
  const { incidentId: id } = await h.front.report({ alert });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, MIN);
  h.cluster().seed.secret('payments', 'api-token', { token: 'whatever' });
  await h.run(id, 10 * MIN);
  expect(h.incident(id).unidentified).toBeUndefined();
});

it('what was done to the token that the incident was about before says nothing about this one', async () => {
  const h = await start();
  const first = await seedLegacy(h.cluster(), { team: 'x' });
  h.cluster().seed.serviceAccount('payments', 'refunds');
  const second = await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
  const { incidentId: id } = await h.leak(first);
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 10_000);
  const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'refunds' };
  await h.front.decide(id, { verb: 'identify', by, at });
  await h.run(id, 2 * HOUR);
  expect(await statusWith(clusterOf(h), second)).toBe('accepted,accepted');
  expect(isLive(h.incident(id))).toBe(true);
});

it('a token that a person names while the first one is being contained is looked at next', async () => {
  const box: { h?: Harness; id?: string; second?: string } = {};
  const h = await start({
    wrap: (cluster) => ({
      ...cluster,
      async patch(...args) {
        const { id, second } = box;
        box.second = '';
        if (id && second) await h.front.decide(id, { verb: 'identify', by }, new Secret(second));
        return await cluster.patch(...args);
      },
    }),
  });
  const first = await seedLegacy(h.cluster(), { team: 'x' });
  h.cluster().seed.serviceAccount('payments', 'refunds');
  box.second = await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
  box.id = (await h.leak(first)).incidentId;
  await h.run(box.id, MIN);
  expect(said(h, box.id)).toMatch(/^🔴 LEAK LIVE · payments\/refunds/);
});

it.each([
  ['in the same moment', 0],
  ['a second later', 1000],
])(
  'a token that a person names while a run is held up by a cluster that is away is looked at: %s',
  async (_when, later) => {
    const { h, token } = await clones();
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MIN);
    h.cluster('restored').seed.serviceAccount('payments', 'refunds');
    const second = await h.cluster('restored').seed.tokenSecret('payments', 'refunds-token', 'refunds');
    await stop(h, 'prod');
    await h.click(id, 'approve', 'UINES');
    h.advance(later);
    await h.front.decide(id, { verb: 'identify', by }, new Secret(second));
    await h.run(id, 10_000);
    expect(said(h, id)).toMatch(/payments\/refunds/);
    expect(said(h, id)).toMatch(/^🔴/);
  },
);

it('what was seen of the first token is said of nothing once a person has named another that nobody could look at yet', async () => {
  const { h, token } = await clones();
  const { incidentId: id } = await h.leak(token);
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🟠 Contained/);
  await Promise.all([stop(h, 'prod'), stop(h, 'restored')]);
  await h.front.decide(id, { verb: 'identify', by, at: { namespace: 'payments', serviceAccount: 'api' } });
  await h.run(id, 10 * MIN);
  expect(said(h, id)).not.toMatch(/Contained/);
  expect(
    JSON.stringify(renderCard(h.incident(id), { now: h.now(), head: '', policy: h.deps.settings.policy })),
  ).not.toMatch(/Still works:\* [^y]*no,/);
});

it('a cluster that was away when the plan was made keeps the incident open until what is to be done there is planned', async () => {
  const { h, token } = await clones();
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 2 * MIN);
  expect(said(h, id)).toMatch(/^🟠 Contained: refused by 2 of 2/);
  const restored = h.connected.find(({ name }) => name === 'restored');
  await restored?.remove({ resource: resources.secrets, namespace: 'payments', name: 'api-token' }, {});
  await stop(h, 'prod');
  await h.click(id, 'undo', 'UINES', { reason: 'production is down' });
  await h.run(id, MIN);
  await h.run(id, 10 * MIN);
  expect(h.incident(id).closed).toBeUndefined();
  expect(said(h, id)).not.toMatch(/Revoked/);
  await Promise.all(h.cluster('prod').servers.map((server) => server.start()));
  await h.run(id, 7 * HOUR);
  expect(h.incident(id).plan?.steps.map(({ action, cluster }) => [action, cluster])).toContainEqual([
    'delete-token-secret',
    'prod',
  ]);
});

it('of all tokens of a ServiceAccount one that somebody else gives back keeps the others from being called contained', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  await h.cluster().seed.tokenSecret('payments', 'api-token-2', 'api');
  await h.run((await h.leak(token)).incidentId, MIN);
  const at = { namespace: 'payments', serviceAccount: 'api' };
  const alert = { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates' as const, at } };
  const { incidentId: id } = await h.front.report({ alert });
  await h.run(id);
  await h.click(id, 'contain', 'UINES');
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🟠 Contained: refused by/);
  await clusterOf(h).patch(SECRET, [{ op: 'remove', path: `/metadata/labels/${pointer(INVALID_SINCE)}` }]);
  await h.run(id, 7 * HOUR);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE AGAIN/);
  expect(h.incident(id).plan?.steps[0]?.params).toMatchObject({ secret: 'api-token' });
});

it('a token that a person names in the moment of a kill is not taken for the one that was killed', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  h.cluster().seed.serviceAccount('payments', 'refunds');
  await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
  const at = { namespace: 'payments', secret: 'refunds-token' };
  const alert = { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates' as const, at } };
  const { incidentId: id } = await h.front.report({ alert });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  await h.run(id);
  await h.front.decide(id, { verb: 'identify', by }, new Secret(token));
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · payments\/api/);
});

it('a kill on one cluster is not told as one while another is away that may accept the token', async () => {
  const { h } = await clones();
  const unbound = h.cluster().seed.requestToken('payments', 'api', { expirationSeconds: 86_400 });
  const { incidentId: id } = await h.leak(unbound);
  await h.run(id);
  await stop(h, 'restored');
  h.advance(61_000);
  await h.run(id, 7 * HOUR);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 10 * MIN);
  expect(said(h, id)).not.toMatch(/Killed|Contained|Revoked/);
});

it('what is contained that no key verifies is proven once servers have forgotten that they accepted it', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  const other = await startCluster({ name: 'other' });
  const account = h.cluster().get('/api/v1/namespaces/payments/serviceaccounts/api');
  const { incidentId: id } = await h.leak(legacyToken(other.keys.legacy, account as KubeObject, 'api-token'));
  await other.close();
  await h.run(id);
  // A server has just accepted what the Secret holds, and remembers it.
  await statusWith(clusterOf(h), token);
  await h.click(id, 'contain', 'UMAYA');
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🟠 Contained: refused by 2 of 2/);
  expect(h.memory.events(id).filter(({ type }) => type === 'plan-proposed').length).toBeLessThan(4);
});
