// What the objects are said to show, beside what a real API server answers to a token that is used all the time.
import { randomBytes } from 'node:crypto';
import { type ControlPlane, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readClaims } from '../../src/domain/token/claims.ts';
import type { TokenIdentity } from '../../src/domain/token/identity.ts';
import { readLiveness } from '../../src/engine/look/read-liveness.ts';
import { probeRound } from '../../src/engine/prove/probe.ts';
import type { Cluster } from '../../src/ports/cluster.ts';
import { Secret } from '../../src/secret.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { openNamespace, until } from './leak.ts';

let plane: ControlPlane;
let room: EngineRoom;
beforeAll(async () => {
  plane = await startControlPlane({ name: 'liveness', servers: 2, nodes: 0 });
  room = await openEngineRoom({ kubeconfig: plane.adminKubeconfig });
});
afterAll(async () => {
  await room?.close();
  await plane?.close();
});

type Space = Awaited<ReturnType<typeof openNamespace>>;

function identityOf(token: string): TokenIdentity {
  const claims = readClaims(token);
  if ('problem' in claims) throw new Error(claims.problem);
  return { ...claims, clusters: ['prod'], authenticity: 'signature' };
}

/** Uses the token at every server until each refuses it and the objects say so too: nothing may call it dead before. */
async function watchDeath(space: Space, token: string): Promise<{ refused: number; said: number }> {
  const began = Date.now();
  let refused = 0;
  await until(async () => {
    const { alive } = await readLiveness(room.prod, identityOf(token), Date.now());
    const answers = await Promise.all([space.probe(token, 0), space.probe(token, 1)]);
    if (alive === 'dead') expect(answers).toEqual([401, 401]);
    if (refused === 0 && answers.every((code) => code === 401)) refused = Date.now() - began;
    return alive === 'dead' && refused > 0;
  });
  return { refused, said: Date.now() - began };
}

/** Of the leeway and of the cache; the rest is what a second counts for in a deletionTimestamp. */
const LATEST_MS = 76_000;

describe.concurrent('is not called dead before every server refuses it, and soon after', () => {
  test('a token of a ServiceAccount that a finalizer holds', async () => {
    const space = await openNamespace(plane);
    await space.serviceAccount('robot', ['example.test/keep']);
    const token = await space.requestToken('robot');
    await space.use(token);
    await space.remove('serviceaccounts', 'robot');
    const { refused, said } = await watchDeath(space, token);
    expect(await space.exists(space.at('serviceaccounts', 'robot'))).toBe(true);
    expect(refused).toBeGreaterThan(55_000);
    expect(said).toBeLessThan(LATEST_MS);
  });

  test('a token of a Pod that is being deleted', async () => {
    const space = await openNamespace(plane);
    await space.serviceAccount('robot');
    const node = `bare-${randomBytes(4).toString('hex')}`;
    await space.send('POST', '/api/v1/nodes', { metadata: { name: node } });
    const bound = await space.pod('worker', 'robot', node);
    const token = await space.requestToken('robot', { bound });
    await space.use(token);
    await space.remove('pods', 'worker', { gracePeriodSeconds: 1 });
    const { said } = await watchDeath(space, token);
    expect(await space.exists(space.at('pods', 'worker'))).toBe(true);
    expect(said).toBeLessThan(LATEST_MS + 1000);
  });
});

test('a live token for another audience is never taken for refused, though the control has no audiences', async () => {
  const space = await openNamespace(plane);
  await space.serviceAccount('audience');
  await space.serviceAccount('healthy');
  const token = await space.requestToken('audience', { audience: 'https://vault.example.com' });
  const healthy = new Secret(await space.legacyToken('healthy', 'healthy-token'));
  await space.use(healthy.reveal());
  const cluster: Cluster = { ...room.prod, control: async () => ({ token: healthy, audiences: [] }) };
  const { incidentId } = await room.leak(token);
  const ask = () =>
    probeRound(room.deps, room.incident(incidentId), identityOf(token), cluster, new Secret(token));
  expect(await space.probe(token)).toBe(401);
  expect((await ask()).outcome.verdict).toBe('not-done');
  await space.remove('serviceaccounts', 'audience');
  // Its name is in what the API servers answer, and the word must not make that unclear.
  await until(async () => (await ask()).outcome.verdict === 'done');
  const { outcome, answers } = await ask();
  expect(outcome.verdict).toBe('done');
  expect(answers[0]?.seen).toContain('audience');
});
