// A held token is used only where it is surely the leaked one: a stranger's or an altered one is sent nowhere and proves nothing.
import { boundToken, startCluster } from 'kube-sandbox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readClaims } from '../../../src/domain/token/claims.ts';
import type { Coordinates, TokenIdentity } from '../../../src/domain/token/identity.ts';
import { heldFor } from '../../../src/engine/look/held-token.ts';
import { probeRound } from '../../../src/engine/prove/probe.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type Harness, seedLegacy, startHarness, statusWith, TEAM } from '../harness.ts';

let h: Harness;
let sent: string[];
const watched = (cluster: Cluster): Cluster => ({
  ...cluster,
  probe: (address, token) => {
    sent.push(token.reveal());
    return cluster.probe(address, token);
  },
  review: (address, token, audiences) => {
    sent.push(token.reveal());
    return cluster.review(address, token, audiences);
  },
  patch: (ref, patch) => {
    sent.push(Buffer.from(String(patch[0]?.op === 'test' ? patch[0].value : ''), 'base64').toString());
    return cluster.patch(ref, patch);
  },
});
beforeEach(() => {
  sent = [];
});
afterEach(() => h.close());

const person = { id: 'UMAYA', teamId: TEAM, guest: false, bot: false, deactivated: false, groups: [] };
const identify = (id: string, at: Coordinates) => h.front.decide(id, { verb: 'identify', by: person, at });

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const alterations: [string, (token: string) => string][] = [
  [
    'one wrong character in its signature',
    (token) => `${token.slice(0, -100)}${token.at(-100) === 'A' ? 'B' : 'A'}${token.slice(-99)}`,
  ],
  [
    'another last character, of spare bits alone',
    (token) => token.slice(0, -1) + ALPHABET[ALPHABET.indexOf(token.at(-1) ?? '') ^ 1],
  ],
];

describe.each(alterations)('a token with %s', (_, alter) => {
  it('is killed by name, once a person says so, and sent nowhere', async () => {
    h = await startHarness({ clusters: { prod: { servers: 2 } }, wrap: watched });
    const real = await seedLegacy(h.cluster(), { team: 'x' });
    const altered = alter(real);
    const { incidentId: id } = await h.leak(altered);
    await h.run(id, 60_000);
    expect(h.incident(id).runs).toEqual([]);
    const skipped = h.memory.events(id).find(({ type }) => type === 'auto-contain-skipped');
    expect(JSON.stringify(skipped)).toContain('character for character');
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(await statusWith(h.connected[0] as Cluster, real)).toBe('refused,refused');
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
    expect(sent).not.toContain(altered);
  });
});

describe('a token whose ECDSA signature was mirrored', () => {
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  /** It verifies as well as the real one. */
  function mirrored(token: string): string {
    const end = token.lastIndexOf('.') + 1;
    const signature = Buffer.from(token.slice(end), 'base64url').toString('hex');
    const s = (ORDER - BigInt(`0x${signature.slice(64)}`)).toString(16).padStart(64, '0');
    return token.slice(0, end) + Buffer.from(signature.slice(0, 64) + s, 'hex').toString('base64url');
  }

  it('is killed by name, and its 401s are no proof', async () => {
    h = await startHarness({ clusters: { prod: { servers: 2, signing: 'ES256' } } });
    const real = await seedLegacy(h.cluster(), { team: 'x' });
    const { incidentId: id } = await h.leak(mirrored(real));
    await h.run(id, 60_000);
    expect(h.incident(id).identity?.authenticity).toBe('signature');
    expect(await statusWith(h.connected[0] as Cluster, real)).toBe('accepted,accepted');
    const session = h.incident(id);
    if (!session.identity) throw new Error('not identified');
    const held = new Secret(mirrored(real));
    const cluster = h.connected[0] as Cluster;
    expect((await probeRound(h.deps, session, session.identity, cluster, held)).outcome.verdict).toBe(
      'not-done',
    );
    h.advance(11_000);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 60_000);
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
    expect(await statusWith(cluster, real)).toBe('refused,refused');
  });
});

describe('a stranger while a person says where the leak belongs', () => {
  it.each<[string, Coordinates]>([
    ['Secret', { cluster: 'prod', namespace: 'payments', secret: 'api-token' }],
    ['ServiceAccount', { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' }],
  ])('by %s', async (_name, at) => {
    const stranger = await startCluster({ name: 'stranger' });
    const foreign = await seedLegacy(stranger);
    await stranger.close();
    h = await startHarness({ clusters: { prod: { servers: 2 } }, wrap: watched });
    const real = await seedLegacy(h.cluster());
    const { incidentId: id } = await h.leak(foreign);
    await h.run(id);
    await identify(id, at);
    await h.run(id, 5000);
    expect(h.incident(id).runs).toEqual([]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(await statusWith(h.connected[0] as Cluster, real)).toBe('refused,refused');
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(sent).not.toContain(foreign);
  });
});

describe('what no known key verifies', () => {
  it('is asked about again after an outage, and not called a stranger', async () => {
    h = await startHarness({ clusters: { prod: { legacyKeysInJwks: false } } });
    const token = await seedLegacy(h.cluster(), { team: 'x' });
    await h.connected[0]?.warm();
    for (const server of h.cluster().servers) await server.stop();
    const { incidentId: id } = await h.leak(token);
    await h.run(id, 5000);
    expect(h.incident(id).unidentified).toBeUndefined();
    expect((await h.pending(id)).map(({ kind }) => kind)).toContain('investigate');
    for (const server of h.cluster().servers) await server.start();
    await h.run(id, 600_000);
    expect(h.incident(id).identity).toMatchObject({ authenticity: 'uid-match', clusters: ['prod'] });
    expect(await statusWith(h.connected[0] as Cluster, token)).toBe('refused');
  });

  it('is no stranger either where a permission is missing, and the words say which', async () => {
    h = await startHarness({ clusters: { prod: { legacyKeysInJwks: false } } });
    const token = await seedLegacy(h.cluster());
    h.cluster().faults.failNext(100, 403, ({ path }) => path.includes('/serviceaccounts/'));
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).unidentified?.reason).toContain('cannot be ruled out');
    expect(h.incident(id).unidentified?.reason).not.toContain('no configured cluster (prod) signed it');
  });

  it('is planned for by name where its ServiceAccount exists: a key may have been retired', async () => {
    h = await startHarness({
      clusters: { prod: { servers: 2, legacyKeysInJwks: false } },
      wrap: watched,
      settings: { autoContain: 'token-in-hand' },
    });
    const { seed, keys } = h.cluster();
    seed.namespace('payments');
    const serviceAccount = seed.serviceAccount('payments', 'api');
    // Accepted by the API servers, though not shown by discovery any more.
    const token = boundToken(keys.legacy, {
      serviceAccount: serviceAccount as never,
      audiences: ['https://kubernetes.default.svc.cluster.local'],
      expirationSeconds: 86_400,
      node: undefined,
      nowMs: h.now(),
    });
    expect(await statusWith(h.connected[0] as Cluster, token)).toBe('accepted,accepted');
    h.advance(11_000);
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(h.incident(id).identity).toMatchObject({ authenticity: 'claims', clusters: ['prod'] });
    expect(h.incident(id).runs).toEqual([]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 120_000);
    expect(await statusWith(h.connected[0] as Cluster, token)).toBe('refused,refused');
    expect(sent).not.toContain(token);
  });
});

describe('heldFor', () => {
  it.each<[string, Partial<TokenIdentity>, boolean]>([
    ['the cluster that signed it', {}, true],
    ['a Secret that holds it', { authenticity: 'uid-match' }, true],
    ['its hash', { authenticity: 'hash' }, true],
    ['another cluster', { clusters: ['staging'] }, false],
    ['coordinates', { authenticity: 'coordinates' }, false],
    ['claims that nobody verified', { authenticity: 'claims' }, false],
    ['every token', { kind: 'every-token' }, false],
    ['another UID', { serviceAccount: { name: 'api', uid: 'other' } }, false],
    ['another Secret', { boundTo: { kind: 'Secret', name: 'other' } }, false],
    ['another namespace', { namespace: 'other' }, false],
  ])('an identity by %s', async (_name, over, usable) => {
    h = await startHarness();
    const token = await seedLegacy(h.cluster());
    const claims = readClaims(token);
    if ('problem' in claims) throw new Error(claims.problem);
    const identity: TokenIdentity = { ...claims, clusters: ['prod'], authenticity: 'signature', ...over };
    expect(heldFor(identity, 'prod', new Secret(token)) !== undefined).toBe(usable);
    expect(heldFor(identity, 'prod', undefined)).toBeUndefined();
  });
});
