// A later look at one cluster: what the objects say first, and where they say dead, every API server. Changes nothing.
import type { ProofRound } from '../domain/evidence.ts';
import type { Incident } from '../domain/incident.ts';
import { done, notDone, type Outcome, unknown } from '../domain/outcome.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import type { Cluster } from '../ports.ts';
import type { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { probeRound } from './probe.ts';
import { readLiveness } from './read-liveness.ts';
import { judgedByValue, tokensToAsk } from './stored-value.ts';

/**
 * A token that the objects show alive is not sent: a success is remembered for 10 s and would delay the proof of the kill
 * that comes next. Where they show it stopped, or cannot be read, the servers are asked.
 */
export async function lookOn(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: Cluster,
  token: Secret | undefined,
): Promise<ProofRound> {
  const { now } = deps.clock;
  const began = new Date(now()).toISOString();
  const seen = await readLiveness(sharing(cluster, now), identity, now());
  const objects = await judgedByValue(deps, incident, identity, cluster, seen, token);
  const round = (outcome: Outcome): ProofRound => ({
    cluster: cluster.name,
    level: 'object-state',
    began,
    at: new Date(now()).toISOString(),
    answers: [],
    outcome,
  });
  const single = identity.kind !== 'every-token';
  if (objects.alive === 'alive' && single && !(await keyIsGone(deps, incident, identity, cluster, token)))
    return round(notDone(objects.reason));
  const asked = await probeRound(deps, incident, identity, cluster, token);
  if (asked.level !== 'object-state') return asked;
  if (objects.alive === 'alive' && single) return round(notDone(objects.reason));
  if (objects.alive === 'unknown') return round(unknown(objects.reason));
  return single ? round(done(objects.reason)) : asked;
}

/** The key that signed it is no longer shown, so the objects may be there and the token dead all the same: servers know. */
export async function keyIsGone(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: Cluster,
  token: Secret | undefined,
): Promise<boolean> {
  const [known] = (await tokensToAsk(deps, incident, identity, cluster, token)) ?? [];
  return known !== undefined && (await cluster.signed(known, 'refresh')) === 'not-signed';
}

/** Incidents of one ServiceAccount are owed their looks at the same moment; those of one burst read its objects once. */
const SHARED_FOR_MS = 5000;
const shared = new WeakMap<Cluster, Map<string, { at: number; read: Promise<unknown> }>>();

function sharing(cluster: Cluster, now: () => number): Cluster {
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
