// Finds out which token leaked and which clusters accept it: offline from its claims, or from coordinates or a hash.

import { type Claims, readClaims } from '../domain/claims.ts';
import { hmslHash } from '../domain/hmsl-hash.ts';
import type { Incident } from '../domain/incident.ts';
import { TOKEN_SECRET_TYPE } from '../domain/labels.ts';
import { kills } from '../domain/plan.ts';
import { takesBack } from '../domain/runs.ts';
import type { Coordinates, TokenIdentity } from '../domain/token-identity.ts';
import { AppError, isAppError } from '../errors.ts';
import { type Cluster, type KubernetesObject, resources } from '../ports.ts';
import { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { type Holding, whatItHolds } from './holders.ts';
import { locate } from './locate.ts';

type Clusters = ReadonlyMap<string, Cluster>;

export type Identified =
  | { identity: TokenIdentity /** found by its hash; to be sealed */; found?: Secret }
  | { unidentified: string; near: string[] };

/** Throws AppError (retry) only where nothing could be asked; a token nobody can place is an answer, never a guess. */
export async function identify(
  deps: WorkerDeps,
  incident: Incident,
  token: Secret | undefined,
): Promise<Identified> {
  if (isKilledSinceNamed(incident) && incident.identity) return { identity: incident.identity };
  if (incident.given) return await placed(deps, incident, incident.given);
  if (token) return await identifyToken(deps.clusters, token);
  // Read from the token when there still was one; it is destroyed in time, and who it belonged to stays true.
  if (incident.fingerprint !== undefined && incident.identity) return { identity: incident.identity };
  const subject = incident.alerts.findLast(({ alert }) => alert.subject.kind !== 'unnamed')?.alert.subject;
  if (subject?.kind === 'coordinates') return await placed(deps, incident, subject.at);
  if (subject?.kind === 'hmsl-hash') return await byHash(deps, subject.hash);
  return {
    unidentified: 'The alert does not say which token leaked. Say where it belongs, or paste the token.',
    near: [],
  };
}

/** What was found there once stays what is meant, also when it is gone: it may be we who deleted it. */
async function placed(
  { clusters }: WorkerDeps,
  { identity }: Incident,
  at: Coordinates,
): Promise<Identified> {
  const located = await locate(clusters, at);
  if ('identity' in located || identity?.authenticity !== 'coordinates') return located;
  const same =
    identity.namespace === at.namespace &&
    identity.boundTo?.name === at.secret &&
    (at.serviceAccount === undefined || identity.serviceAccount.name === at.serviceAccount) &&
    (at.cluster === undefined || identity.clusters.includes(at.cluster));
  return same ? { identity } : located;
}

/** Whoever gave a name meant what had it then; by our own kill another may have it since, or none. */
function isKilledSinceNamed({ identity, about, runs, alerts, decisions }: Incident): boolean {
  if (identity?.authenticity !== 'coordinates') return false;
  const alert = alerts.findLast((one) => one.alert.subject.kind === 'coordinates')?.at ?? '';
  const person = decisions.findLast(({ decision }) => decision.verb === 'identify')?.at ?? '';
  return runs
    .filter((run) => run.about === about && !takesBack(run))
    .flatMap(({ steps }) => steps)
    .filter(({ step, outcome }) => kills(step) && !step.reversible && outcome?.verdict === 'done')
    .some(({ endedAt = '' }) => endedAt >= alert && endedAt >= person);
}

/** By what the token says and who signed it; it is sent nowhere. */
export async function identifyToken(clusters: Clusters, token: Secret): Promise<Identified> {
  const claims = readClaims(token.reveal());
  if ('problem' in claims) return { unidentified: claims.problem, near: [] };
  // What is cached answers at once, so that a kill waits for nobody; only a stranger's token makes us ask around.
  const cached = await whoSigned(clusters, token, 'cached');
  const asked = cached.signed.length > 0 ? cached : await whoSigned(clusters, token, 'refresh');
  if (asked.signed.length > 0) return { identity: fromClaims(claims, asked, 'signature') };
  return await byClaims(clusters, claims, token, asked.silent);
}

interface Signers {
  signed: string[];
  /** Clusters whose keys are not known, or older than the token may be. */
  silent: string[];
}

export async function whoSigned(
  clusters: Clusters,
  token: Secret,
  mode: 'cached' | 'refresh',
): Promise<Signers> {
  const checks = await Promise.all(
    [...clusters.values()].map(async (c) => ({ name: c.name, answer: await c.signed(token, mode) })),
  );
  const named = (answer: string): string[] =>
    checks.filter((c) => c.answer === answer).map(({ name }) => name);
  return { signed: named('signed'), silent: named('unknown') };
}

/**
 * No key verifies it, which is no proof that nobody accepts it: legacy keys may be missing from the JWKS, and so may one
 * that was retired there. A Secret that holds this very token is as good as a signature; a ServiceAccount with the
 * claimed UID is enough for a plan that a person approves, and too little to send the token anywhere.
 */
async function byClaims(
  clusters: Clusters,
  claims: Claims,
  token: Secret,
  silent: string[],
): Promise<Identified> {
  const looks = await Promise.all(
    [...clusters.values()].map(async (c) => ({ name: c.name, seen: await whatItHolds(c, claims, token) })),
  );
  const having = (...what: Holding['has'][]): string[] =>
    looks.filter(({ seen }) => what.includes(seen.has)).map(({ name }) => name);
  const holders = having('token');
  const unread = looks.flatMap(({ name, seen }) => ('problem' in seen ? [{ name, ...seen }] : []));
  const unsure = [...new Set([...silent, ...unread.map(({ name }) => name)])];
  const left = (of: string[]): string[] => unsure.filter((name) => !of.includes(name));
  if (holders.length > 0)
    return { identity: fromClaims(claims, { signed: holders, silent: left(holders) }, 'uid-match') };
  const named = having('secret', 'account').filter((name) => !silent.includes(name));
  if (named.length > 0)
    return { identity: fromClaims(claims, { signed: named, silent: left(named) }, 'claims') };
  const passing = unread.filter(({ problem }) => problem.retry);
  if (silent.length > 0 || passing.length > 0)
    throw new AppError(
      'unreachable',
      `Cannot tell whose token this is yet: ${unsure.join(', ')} did not answer. Nothing was changed; it can be asked again.`,
      { retry: true },
    );
  return { unidentified: nobodys(clusters, claims, unread), near: [] };
}

function nobodys(
  clusters: Clusters,
  { namespace, serviceAccount }: Claims,
  unread: { name: string; problem: AppError }[],
): string {
  const whose = `The token is for ${namespace}/${serviceAccount.name}`;
  const names = [...clusters.keys()].join(', ');
  if (unread.length === 0)
    return `${whose}, but no configured cluster (${names}) signed it. It was sent to none of them. If it belongs to a cluster that Tourniquet does not know, revoke it there by hand.`;
  const why = unread.map(({ problem }) => problem.message).join(' ');
  return `${whose}. No known key of the configured clusters (${names}) verifies it, but whether it is accepted on ${unread.map(({ name }) => name).join(', ')} cannot be ruled out: its ServiceAccount could not be looked at there. ${why} It was sent to none of them. If you know where it belongs, say so; if it belongs to a cluster that Tourniquet does not know, revoke it there by hand.`;
}

function fromClaims(
  claims: Claims,
  { signed, silent }: Signers,
  authenticity: TokenIdentity['authenticity'],
): TokenIdentity {
  const { alg: _, ...rest } = claims;
  return { ...rest, clusters: signed, ...(silent.length > 0 ? { unchecked: silent } : {}), authenticity };
}

interface TokenSecret extends KubernetesObject {
  data?: Record<string, string>;
}

/** Compares hashes only in namespaces where reading Secrets was opted into; values are looked at and forgotten. */
async function byHash(deps: WorkerDeps, hash: string): Promise<Identified> {
  const searched: string[] = [];
  const problems: string[] = [];
  let passing: AppError | undefined;
  for (const cluster of deps.clusters.values())
    for (const namespace of deps.settings.searchNamespaces[cluster.name] ?? []) {
      searched.push(`${cluster.name}/${namespace}`);
      const secrets = await cluster
        .list<TokenSecret>({
          resource: resources.secrets,
          namespace,
          fieldSelector: `type=${TOKEN_SECRET_TYPE}`,
        })
        .catch((error: unknown) => {
          if (!isAppError(error)) throw error;
          if (error.retry) passing ??= error;
          problems.push(`${cluster.name}/${namespace}: ${error.message}`);
          return [];
        });
      const match = await firstMatch(secrets, hash);
      if (match) return withHash(match, await identifyToken(deps.clusters, match));
    }
  // What could not be read may hold it: nobody is told that no Secret does.
  if (passing) throw passing;
  const where =
    searched.length > 0
      ? `No token Secret in ${searched.join(', ')} has that hash.`
      : 'No namespace may be searched for it (clusters[].searchNamespaces).';
  return {
    unidentified: `The alert carries a hash of the token, not the token. ${where}${problems.length > 0 ? ` Not searched: ${problems.join('; ')}.` : ''} Say where it belongs, or paste the token.`,
    near: [],
  };
}

async function firstMatch(secrets: TokenSecret[], hash: string): Promise<Secret | undefined> {
  for (const { data } of secrets) {
    const value = Buffer.from(data?.token ?? '', 'base64').toString();
    if (value !== '' && (await hmslHash(value)) === hash) return new Secret(value);
  }
  return undefined;
}

const withHash = (found: Secret, identified: Identified): Identified =>
  'identity' in identified
    ? { identity: { ...identified.identity, authenticity: 'hash' }, found }
    : identified;
