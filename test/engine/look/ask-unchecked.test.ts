// Clusters that were away when a leak was identified are found when they are back, and so are those that came since.
import { generateSigningKey, type SimulatedCluster, startCluster } from 'kube-sandbox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { milestones } from '../../../src/adapters/slack/cards/milestones.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { askUnchecked } from '../../../src/engine/look/ask-unchecked.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';

let h: Harness;
let token: string;
let clone: Pick<SimulatedCluster, 'keys'> & { objects: ReturnType<SimulatedCluster['objects']> };
beforeEach(async () => {
  const mould = await startCluster({ name: 'mould' });
  token = await seedLegacy(mould);
  clone = { keys: mould.keys, objects: mould.objects() };
  await mould.close();
});
afterEach(() => h.close());

const stop = (name: string) => Promise.all(h.cluster(name).servers.map((server) => server.stop()));
const start = (name: string) => Promise.all(h.cluster(name).servers.map((server) => server.start()));
const connected = (name: string): Cluster & { ping(): Promise<void>; warm(): Promise<void> } => {
  const found = h.connected.find((cluster) => cluster.name === name);
  if (!found) throw new Error(`no cluster ${name}`);
  return found;
};
const identity = (id: string) => {
  const found = h.incident(id).identity;
  if (!found) throw new Error('not identified');
  return found;
};
const ask = (id: string, held: string | undefined = token) =>
  askUnchecked(h.deps, h.incident(id), held === undefined ? undefined : new Secret(held));
const withoutToken = (id: string) => askUnchecked(h.deps, h.incident(id), undefined);

async function away() {
  h = await startHarness({ clusters: { prod: clone, restored: clone } });
  await connected('prod').warm();
  await stop('restored');
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  return id;
}

describe('a copy of the cluster that was away during the alert', () => {
  it('is said to be unchecked, and the kill on the other waited for nobody', async () => {
    const id = await away();
    expect(identity(id)).toMatchObject({ clusters: ['prod'], unchecked: ['restored'] });
    expect(h.incident(id).runs).toHaveLength(1);
    expect(await ask(id)).toBeUndefined();
  });

  it('is found when it is back', async () => {
    const id = await away();
    await start('restored');
    h.advance(11_000);
    const now = await ask(id);
    expect(now?.clusters).toEqual(['prod', 'restored']);
    expect(now?.unchecked).toBeUndefined();
  });

  it('is found by UID and Secret once the token was destroyed', async () => {
    const id = await away();
    await start('restored');
    expect((await withoutToken(id))?.clusters).toEqual(['prod', 'restored']);
  });

  it.each([
    ['is found by its key and UID once a token that no Secret holds was destroyed', true],
    ['stays unchecked then where it shows another key, since a signer may hide one that counts', false],
  ])('%s', async (_name, same) => {
    h = await startHarness({ clusters: { prod: clone, restored: clone } });
    await connected('prod').warm();
    await stop('restored');
    const unbound = h.cluster('prod').seed.requestToken('payments', 'api', { expirationSeconds: 86_400 });
    const { incidentId: id } = await h.leak(unbound);
    await h.run(id);
    expect(identity(id)).toMatchObject({ clusters: ['prod'], unchecked: ['restored'] });
    // The worker's own token is of the key that counts, and is hidden.
    if (!same) h.cluster('restored').sign({ bound: generateSigningKey('RS256'), legacy: clone.keys.bound });
    await start('restored');
    h.advance(11_000);
    expect((await withoutToken(id))?.clusters).toEqual(same ? ['prod', 'restored'] : undefined);
  });

  it('is no longer unchecked once it turns out that it has no such Secret', async () => {
    const id = await away();
    await start('restored');
    await connected('restored').remove(
      { resource: resources.secrets, namespace: 'payments', name: 'api-token' },
      {},
    );
    const now = await withoutToken(id);
    expect(now).toMatchObject({ clusters: ['prod'] });
    expect(now?.unchecked).toBeUndefined();
  });

  it('is live again for everybody where it had been left out, and is back', async () => {
    const id = await away();
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(h.incident(id).closed).toBeUndefined();
    await h.click(id, 'leave-out', 'UINES', { reason: 'scrapped', hash: 'restored' });
    await h.run(id, 60_000);
    expect(headline(h.incident(id), h.now())).toMatch(/^🟢 Revoked: .*; restored left out, not asked/);
    expect(h.incident(id).closed?.as).toBe('resolved');
    await start('restored');
    await h.run(id, 6 * 60_000);
    expect(await statusWith(connected('restored'), token)).toBe('accepted');
    expect(headline(h.incident(id), h.now())).toMatch(/^🔴 LEAK LIVE AGAIN .* on prod, restored/);
    expect(h.incident(id).closed).toBeUndefined();
  });

  it('stays unchecked while it cannot be read', async () => {
    const id = await away();
    expect(await withoutToken(id)).toBeUndefined();
    await start('restored');
    h.cluster('restored').faults.failNext(100, 500, ({ path }) => path.includes('/secrets/'));
    expect(await withoutToken(id)).toBeUndefined();
  });
});

describe('a cluster that cannot be asked any more after the incident was closed', () => {
  /** The signing key is hidden on one of them, while its API server still takes the token. */
  async function closedThenHidden() {
    h = await startHarness({ clusters: { prod: clone, restored: clone } });
    h.cluster('prod').sign({ bound: generateSigningKey('RS256'), legacy: clone.keys.bound });
    await Promise.all(h.connected.map((cluster) => cluster.warm()));
    const unbound = h.cluster('restored').seed.requestToken('payments', 'api', { expirationSeconds: 86_400 });
    const { incidentId: id } = await h.leak(unbound);
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 200_000);
    expect(h.incident(id).closed?.as).toBe('resolved');
    await h.run(id, 6 * 60_000);
    return id;
  }

  it('opens it again, without an alarm, and keeps it open until it is left out by name', async () => {
    const id = await closedThenHidden();
    expect(identity(id)).toMatchObject({ clusters: ['restored'], unchecked: ['prod'] });
    expect(h.incident(id)).toMatchObject({ status: 'needs-human', liveAgain: false, alarms: [] });
    expect(h.incident(id).closed).toBeUndefined();
    expect(headline(h.incident(id), h.now())).toMatch(/^🟠 .*; prod not asked · /);
    expect((await h.pending(id)).some(({ kind }) => kind === 'recheck')).toBe(true);
    const told = milestones(id, h.memory.events(id), 0, h.deps.settings.policy);
    expect(told.map(({ text }) => text).join('\n')).toMatch(/\*Open again:\* prod could not be asked/);
    await h.run(id, 14 * 3_600_000);
    expect(h.incident(id)).toMatchObject({ status: 'needs-human' });
    await h.click(id, 'leave-out', 'UINES', { reason: 'scrapped', hash: 'prod' });
    await h.run(id, 60_000);
    expect(h.incident(id).closed?.as).toBe('resolved');
    expect(headline(h.incident(id), h.now())).toMatch(/^🟢 .*; prod left out, not asked/);
    await h.run(id, 6 * 60_000);
    expect(h.incident(id).closed?.as).toBe('resolved');
  });

  it('closes again by itself once it was asked', async () => {
    const id = await closedThenHidden();
    // It shows the key again, and has the ServiceAccount no more.
    h.cluster('prod').sign({ bound: clone.keys.bound, legacy: clone.keys.bound });
    await connected('prod').remove(
      { resource: resources.serviceAccounts, namespace: 'payments', name: 'api' },
      {},
    );
    await h.run(id, 70 * 60_000);
    expect(h.incident(id).identity?.unchecked).toBeUndefined();
    expect(h.incident(id).closed?.as).toBe('resolved');
  });
});

describe('a copy of the cluster', () => {
  it('that was away only while the worker started has its keys by the next ping', async () => {
    h = await startHarness({ clusters: { prod: clone, restored: clone } });
    await stop('restored');
    await Promise.allSettled(h.connected.map((cluster) => cluster.warm()));
    await start('restored');
    h.advance(30_000);
    await Promise.all(h.connected.map((cluster) => cluster.ping()));
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(identity(id).clusters).toEqual(['prod', 'restored']);
  });

  it('whose keys are older than its new key is unchecked, and found at the next look', async () => {
    const other = await startCluster({ name: 'other' });
    h = await startHarness({ clusters: { prod: clone, restored: { ...clone, keys: { ...other.keys } } } });
    await other.close();
    await Promise.all(h.connected.map((cluster) => cluster.warm()));
    // The worker's own token is of the older key, which is still known there.
    Object.assign(h.cluster('restored').keys, { bound: clone.keys.bound });
    h.advance(6 * 60_000);
    await connected('prod').ping();
    await stop('restored');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(identity(id)).toMatchObject({ clusters: ['prod'], unchecked: ['restored'] });
    await start('restored');
    h.advance(11_000);
    expect((await ask(id))?.clusters).toEqual(['prod', 'restored']);
  });

  it('that was configured since is found', async () => {
    h = await startHarness({ clusters: { prod: clone, restored: clone } });
    const restored = connected('restored');
    (h.deps.clusters as Map<string, Cluster>).delete('restored');
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(identity(id)).toMatchObject({ clusters: ['prod'] });
    (h.deps.clusters as Map<string, Cluster>).set('restored', restored);
    expect((await ask(id))?.clusters).toEqual(['prod', 'restored']);
  });

  it('that is configured no more stays unchecked', async () => {
    const id = await away();
    (h.deps.clusters as Map<string, Cluster>).delete('restored');
    expect(await ask(id)).toBeUndefined();
  });

  it('that is another cluster with another key is not taken for one', async () => {
    h = await startHarness({ clusters: { prod: clone, staging: {} } });
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    const after = (await ask(id)) ?? identity(id);
    expect(after).toMatchObject({ clusters: ['prod'] });
    expect(after.unchecked).toBeUndefined();
    expect(h.cluster('staging').requests.some(({ path }) => path.includes('review'))).toBe(false);
  });

  it('is asked for coordinates as well', async () => {
    h = await startHarness({ clusters: { prod: clone, restored: clone } });
    await stop('restored');
    const { incidentId: id } = await h.front.report({
      alert: {
        source: 'report',
        subject: { kind: 'coordinates', at: { namespace: 'payments', serviceAccount: 'api' } },
      },
    });
    await h.run(id);
    expect(identity(id)).toMatchObject({ clusters: ['prod'], unchecked: ['restored'] });
    await start('restored');
    expect((await withoutToken(id))?.clusters).toEqual(['prod', 'restored']);
  });
});
