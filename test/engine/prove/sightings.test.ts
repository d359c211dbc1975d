// Cards say what was last seen: what others take back, bring back or never had is found by the next look, and told.
import { generateSigningKey, type KubeObject, legacyToken, startCluster } from 'kube-sandbox';
import { afterEach, describe, expect, it } from 'vitest';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { milestones } from '../../../src/adapters/slack/cards/milestones.ts';
import { offers } from '../../../src/domain/incident/offers.ts';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { pointer } from '../../../src/domain/text/json-pointer.ts';
import { sweep } from '../../../src/engine/door/sweep.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith, TEAM } from '../harness.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

let harness: Harness | undefined;
afterEach(() => harness?.close());
const start = async (options: HarnessOptions = {}) => {
  harness = await startHarness({ clusters: { prod: { servers: 2 } }, ...options });
  return harness;
};
const said = (h: Harness, id: string) => headline(h.incident(id), h.now());
const SECRET = { resource: resources.secrets, namespace: 'payments', name: 'api-token' };

const prod = (h: Harness) => {
  const [cluster] = h.connected;
  if (cluster === undefined) throw new Error('no cluster');
  return cluster;
};
const unlabel = async (h: Harness) => {
  await prod(h).patch(SECRET, [{ op: 'remove', path: `/metadata/labels/${pointer(INVALID_SINCE)}` }]);
  h.advance(11_000);
};
const label = (h: Harness) =>
  prod(h).patch(SECRET, [
    { op: 'add', path: `/metadata/labels/${pointer(INVALID_SINCE)}`, value: '2026-11-24' },
  ]);
const person = (id: string) => ({ id, teamId: TEAM, guest: false, bot: false, deactivated: false });
const identify = (h: Harness, id: string, secret: string) =>
  h.front.decide(id, {
    verb: 'identify',
    by: person('UMAYA'),
    at: { cluster: 'prod', namespace: 'payments', secret },
  });

describe('a containment that somebody else takes back', () => {
  it.each([
    ['an hour and a half', 90 * MIN],
    ['26 hours', 26 * HOUR],
    ['five days', 5 * DAY],
  ])('after %s is found within six hours, told, and can be contained again', async (_name, wait) => {
    const h = await start();
    const token = await seedLegacy(h.cluster(), { team: 'x' });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, wait);
    expect(said(h, id)).toMatch(/^🟠 Contained: refused by 2 of 2/);
    await unlabel(h);
    expect(await statusWith(prod(h), token)).toBe('accepted,accepted');
    await h.run(id, 6 * HOUR);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE AGAIN/);
    expect(h.incident(id).alarms.filter(({ why }) => why === 'token-still-accepted')).toHaveLength(1);
    expect(h.incident(id).reopened?.reason).toMatch(/last written by: .*tourniquet/);
    expect(await h.click(id, 'contain', 'UMAYA')).toMatchObject({ decided: true });
    await h.run(id, MIN);
    expect(said(h, id)).toMatch(/^🟠 Contained: refused by 2 of 2/);
    expect(await statusWith(prod(h), token)).toBe('refused,refused');
  });

  it('is found soon where the token is reported again', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster(), { team: 'x' });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 2 * HOUR);
    await unlabel(h);
    await h.leak(token, { externalId: 'again' });
    await h.run(id, 5 * MIN);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE AGAIN/);
  });

  it('and then puts back is believed again at the next look', async () => {
    const h = await start();
    const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'x' }));
    await h.run(id, 2 * HOUR);
    await unlabel(h);
    await h.run(id, 6 * HOUR);
    await label(h);
    await h.run(id, 6 * HOUR);
    expect(said(h, id)).toMatch(/refused by 2 of 2/);
    expect(said(h, id)).not.toMatch(/LIVE/);
  });

  it.each([
    ['soon', MIN, 10 * MIN],
    ['ten days', 10 * DAY, 6 * HOUR],
  ])('after a person declined the plan opens the incident again: %s later', async (_name, wait, until) => {
    const h = await start();
    const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'x' }));
    await h.run(id, 2 * HOUR);
    await h.click(id, 'decline', 'UINES', { reason: 'later' });
    await h.run(id, wait);
    expect(said(h, id)).toMatch(/Declined, the quarantine stays ·/);
    await unlabel(h);
    await h.run(id, until);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE AGAIN/);
    expect(h.incident(id).closed).toBeUndefined();
  });
});

it('a declined incident is looked at no more once its Secret is gone', async () => {
  const h = await start();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'x' }));
  await h.run(id, 2 * HOUR);
  await h.click(id, 'decline', 'UINES', { reason: 'later' });
  await h.run(id, 2 * DAY);
  await prod(h).remove(SECRET, {});
  await h.run(id, DAY);
  expect(await h.pending(id)).toEqual([]);
});

it('a live token that somebody else deletes is not called live after the next look', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id, 10_000);
  expect(said(h, id)).toMatch(/^🔴 LEAK LIVE/);
  await prod(h).remove(SECRET, {});
  await h.run(id, 10 * MIN);
  expect(said(h, id)).toMatch(/^🟢 Already dead: refused by 2 of 2/);
});

it('what somebody else quarantined is not called dead while its Secret is there', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const token = await seedLegacy(h.cluster(), { team: 'x' });
  await label(h);
  const { incidentId: id } = await h.leak(token);
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🟠 Already quarantined: refused by 2 of 2/);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, MIN);
  expect(said(h, id)).toMatch(/^🟢 Revoked: refused by 2 of 2/);
});

it('what was re-created is another ServiceAccount under that name, also while a Pod is left to a person', async () => {
  const h = await start();
  const token = await seedLegacy(h.cluster());
  h.cluster().seed.pod('payments', 'job', { serviceAccount: 'api' });
  const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' };
  const alert = { source: 'report', subject: { kind: 'coordinates' as const, at } };
  const { incidentId: id } = await h.front.report({ alert });
  await h.run(id);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, MIN);
  expect(await statusWith(prod(h), token)).toBe('refused,refused');
  expect(said(h, id)).toMatch(/^🟢 Dead by object state, not probed/);
  expect(h.incident(id).plan?.steps.map(({ action }) => action)).not.toContain('recreate-service-account');
  // Whoever names it again means the one of today.
  h.advance(1000);
  await h.front.decide(id, { verb: 'identify', by: person('UMAYA'), at });
  await h.run(id, MIN);
  expect(h.incident(id).plan?.steps.map(({ action }) => action)).toContain('recreate-service-account');
});

it('a healthy token that took the place of the leaked one is neither called live nor touched', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id, 10_000);
  await prod(h).remove(SECRET, {});
  h.cluster().seed.secret('payments', 'api-token', { token: 'another' });
  await h.run(id, 10 * MIN);
  expect(said(h, id)).toMatch(/refused by 2 of 2/);
  expect(h.incident(id).plan?.steps).toEqual([]);
});

describe('another token', () => {
  const two = async (h: Harness) => {
    const first = await seedLegacy(h.cluster(), { team: 'x' });
    h.cluster().seed.serviceAccount('payments', 'refunds');
    const second = await h.cluster().seed.tokenSecret('payments', 'refunds-token', 'refunds');
    return { first, second };
  };

  it('inherits no containment when the incident is identified again', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const { second } = await two(h);
    const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' };
    const alert = { source: 'slash', reporter: 'UTOMAS', subject: { kind: 'coordinates' as const, at } };
    const { incidentId: id } = await h.front.report({ alert });
    await h.run(id, 1000);
    await h.click(id, 'contain', 'UMAYA');
    await h.run(id, MIN);
    expect(offers(h.incident(id))).toContain('identify');
    await identify(h, id, 'refunds-token');
    await h.run(id, MIN);
    expect(await statusWith(prod(h), second)).toBe('accepted,accepted');
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · payments\/refunds/);
    expect(await h.click(id, 'contain', 'UMAYA')).toMatchObject({ decided: true });
  });

  it('inherits no proof when it is named while a run about the first is under way', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    const { first, second } = await two(h);
    const { incidentId: id } = await h.leak(first);
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await identify(h, id, 'refunds-token');
    await h.run(id, 3 * DAY);
    expect(await statusWith(prod(h), second)).toBe('accepted,accepted');
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · payments\/refunds/);
    expect(h.incident(id).proof).toBeUndefined();
  });
});

it('a cluster that does not answer makes the claim say how old it is', async () => {
  const h = await start();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'x' }));
  await h.run(id, 2 * HOUR);
  for (const server of h.cluster().servers) await server.stop();
  await h.run(id, 13 * HOUR);
  expect(said(h, id)).toMatch(/Contained: refused by 2 of 2 API servers, last seen \d+ h ago/);
  expect(h.incident(id).rechecks.at(-1)?.outcome.verdict).toBe('unknown');
});

it('a look that no worker takes up is told once, so that the card is drawn again with the age of its claim', async () => {
  const h = await start();
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster(), { team: 'x' }));
  await h.run(id, MIN);
  h.advance(30 * MIN);
  const before = h.memory.events(id).length;
  await sweep(h.deps);
  await sweep(h.deps);
  expect(h.memory.events(id).slice(before)).toMatchObject([{ type: 'trouble', work: 'recheck' }]);
  expect(said(h, id)).toMatch(/last seen 31 min ago/);
  await h.run(id, MIN);
  expect(h.incident(id).troubles).toEqual({});
  expect(said(h, id)).not.toMatch(/last seen/);
});

it('a look at a leak that nothing has stopped yet is no news in the thread, and no alarm', async () => {
  const h = await start({ settings: { autoContain: 'off' } });
  const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
  await h.run(id, 10 * MIN);
  const told = milestones(id, h.memory.events(id), 0, h.deps.settings.policy).map(({ text }) => text);
  expect(told.filter((text) => text.includes('still works'))).toHaveLength(1);
  expect(told.filter((text) => text.includes('works again'))).toEqual([]);
  expect(h.incident(id).alarms).toEqual([]);
});

describe('a token that nobody can be asked about', () => {
  it('is not called live once its key is shown no more and it was destroyed', async () => {
    const h = await start({ settings: { autoContain: 'off' } });
    await seedLegacy(h.cluster());
    const token = h.cluster().seed.requestToken('payments', 'api', { expirationSeconds: 30 * 86_400 });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 26 * HOUR);
    expect(h.incident(id).tokenHeld).toBe(false);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · /);
    const { bound } = h.cluster().keys;
    // What is not shown may be accepted or not.
    h.cluster().sign({ bound: generateSigningKey('RS256'), legacy: bound });
    await h.run(id, 7 * HOUR);
    expect(said(h, id)).toMatch(/^🔴 Leak reported: not known whether the token works · /);
    h.cluster().sign({ bound, legacy: bound });
    await h.run(id, 7 * HOUR);
    expect(said(h, id)).toMatch(/^🔴 LEAK LIVE · /);
  });

  it('because no key verifies it is called neither live nor stopped when its containment is taken back', async () => {
    const h = await start();
    const token = await seedLegacy(h.cluster(), { team: 'x' });
    await h.run((await h.leak(token)).incidentId, MIN);
    const other = await startCluster({ name: 'other' });
    const account = h.cluster().get('/api/v1/namespaces/payments/serviceaccounts/api');
    const stranger = legacyToken(other.keys.legacy, account as KubeObject, 'api-token');
    await other.close();
    const { incidentId: id } = await h.leak(stranger);
    await h.run(id);
    expect(h.incident(id).identity?.authenticity).toBe('claims');
    await unlabel(h);
    await h.run(id, HOUR);
    expect(said(h, id)).toMatch(/^🔴 Leak reported: not known whether the token works · /);
    await h.click(id, 'contain', 'UMAYA');
    await h.run(id, MIN);
    expect(said(h, id)).toMatch(/^🟠 Contained/);
    await unlabel(h);
    await h.run(id, HOUR);
    expect(said(h, id)).toMatch(/^🔴 Leak reported: not known whether the token works · /);
    await h.click(id, 'contain', 'UMAYA');
    await h.run(id, MIN);
    await h.click(id, 'undo', 'UINES', { reason: 'production is down' });
    await h.run(id, HOUR);
    expect(said(h, id)).toMatch(/^🔴 Leak reported: not known whether the token works · /);
    expect(h.incident(id).alarms.filter(({ why }) => why === 'token-still-accepted')).toEqual([]);
  });
});
