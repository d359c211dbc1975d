// Whose token it is, by a hash of it: found among the token Secrets of the namespaces that may be searched.
import { TOKEN_SECRET_TYPE } from '../../domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { hmslHash } from '../../domain/token/hmsl-hash.ts';
import { type AppError, isAppError } from '../../errors.ts';
import type { KubernetesObject } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { identifyToken } from './by-token.ts';
import type { Identified } from './identified.ts';

interface TokenSecret extends KubernetesObject {
  data?: Record<string, string>;
}

/** Compares hashes only in namespaces where reading Secrets was opted into; values are looked at and forgotten. */
export async function byHash(deps: LookDeps, hash: string): Promise<Identified> {
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
