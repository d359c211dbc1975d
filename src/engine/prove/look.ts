// A later look at one cluster: what the objects say first, and where they say dead, every API server. Changes nothing.
import type { Incident } from '../../domain/incident/incident.ts';
import { done, notDone, type Outcome, unknown } from '../../domain/outcome.ts';
import type { ProofRound } from '../../domain/proof/evidence.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { readLiveness } from '../look/read-liveness.ts';
import { judgedByValue, tokensToAsk } from '../look/stored-value.ts';
import { HIDDEN, keyIsHidden, probeRound } from './probe.ts';

/**
 * A token that the objects show alive is not sent: a success is remembered for 10 s and would delay the proof of the kill
 * that comes next. Where they show it stopped, or cannot be read, the servers are asked.
 */
export async function lookOn(
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
  token: Secret | undefined,
): Promise<ProofRound> {
  const { now } = deps.clock;
  const began = new Date(now()).toISOString();
  const seen = await readLiveness(sharing(cluster, now), identity, now());
  const objects = await judgedByValue(deps, incident, identity, cluster, seen, token);
  const round = (outcome: Outcome, voids = false): ProofRound => ({
    cluster: cluster.name,
    level: 'object-state',
    began,
    at: new Date(now()).toISOString(),
    answers: [],
    outcome,
    ...(voids && { voids }),
  });
  const single = identity.kind !== 'every-token';
  const there = objects.alive === 'alive' && single;
  if (there && !(await keyIsGone(deps, incident, identity, cluster, token)))
    return round(notDone(objects.reason));
  const asked = await probeRound(deps, incident, identity, cluster, token);
  if (asked.level !== 'object-state') return asked;
  if (there) return round(unknown(`${objects.reason}, but ${HIDDEN}`), true);
  if (objects.alive === 'unknown') return round(unknown(objects.reason), objects.voids);
  return single ? round(done(objects.reason)) : asked;
}

/** Its signing key is no longer shown, so the objects may be there and the token dead all the same: servers know. */
export async function keyIsGone(
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
  token: Secret | undefined,
): Promise<boolean> {
  const [known] = (await tokensToAsk(deps, incident, identity, cluster, token)) ?? [];
  return known
    ? (await cluster.signed(known, 'refresh')) === 'not-signed'
    : await keyIsHidden(identity, cluster);
}

/** Incidents of one ServiceAccount are owed their looks at the same moment; those of one burst read its objects once. */
const SHARED_FOR_MS = 5000;
const shared = new WeakMap<ClusterView, Map<string, { at: number; read: Promise<unknown> }>>();

function sharing(cluster: ClusterView, now: () => number): ClusterView {
  const reads = shared.get(cluster) ?? new Map<string, { at: number; read: Promise<unknown> }>();
  shared.set(cluster, reads);
  for (const [key, { at }] of reads) if (Math.abs(now() - at) > SHARED_FOR_MS) reads.delete(key);
  const once = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const found = reads.get(key) ?? { at: now(), read: read() };
    reads.set(key, found);
    return found.read as Promise<T>;
  };
  return {
    ...cluster,
    get: (ref, options) => once(JSON.stringify(['get', ref, options]), () => cluster.get(ref, options)),
    list: (query) => once(JSON.stringify(['list', query]), () => cluster.list(query)),
  };
}
