// Whose token it is, by what it says and who signed it: offline first, and it is sent nowhere.
import { type Claims, readClaims } from '../../domain/token/claims.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { type Holding, whatItHolds } from './holders.ts';
import type { Clusters, Identified } from './identified.ts';

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
