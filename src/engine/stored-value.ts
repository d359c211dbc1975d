// Whether a Secret still holds the very token that leaked: its name and UID do not tell, since its token may be replaced.
import { isAlteredCopy, isEcdsa } from '../domain/altered-copy.ts';
import type { Incident } from '../domain/incident.ts';
import type { Situation } from '../domain/situation.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { isAppError } from '../errors.ts';
import { type Cluster, type KubernetesObject, resources } from '../ports.ts';
import { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { isAbout } from './held-token.ts';

type Liveness = Situation['liveness'];

/** API servers compare a long-lived token with its Secret byte for byte: another value there means that this one is dead. */
export async function judgedByValue(
  { vault }: Pick<WorkerDeps, 'vault'>,
  { fingerprint }: Pick<Incident, 'fingerprint'>,
  identity: TokenIdentity,
  cluster: Cluster,
  liveness: Liveness,
  token: Secret | undefined,
): Promise<Liveness> {
  const { kind, authenticity, boundTo, namespace } = identity;
  if (authenticity === 'claims' && liveness.alive === 'alive')
    return {
      alive: 'unknown',
      reason: `${liveness.reason}, but no key verifies this token and no Secret holds it, so whether it is accepted is not known`,
    };
  const known = authenticity === 'signature' || authenticity === 'hash';
  if (kind !== 'legacy' || boundTo === undefined || !known || fingerprint === undefined) return liveness;
  if (liveness.alive === 'dead') return liveness;
  const stored = await readStored(cluster, namespace, boundTo.name);
  if (stored === undefined) return liveness;
  const name = `Secret ${namespace}/${boundTo.name}`;
  const same = stored !== null && vault.fingerprint(stored) === fingerprint;
  // What was reported may be an altered copy of it; once it is destroyed nobody can tell, and it counts as alive.
  if (!same && stored && isAbout(identity, stored) && mayBeCopy(token, stored)) return liveness;
  if (!same)
    return {
      alive: 'dead',
      reason: `${name} does not hold the leaked token (any more), and API servers compare the two`,
    };
  if (liveness.alive === 'unknown') return { alive: 'alive', reason: `${name} holds the leaked token` };
  return liveness;
}

const mayBeCopy = (token: Secret | undefined, stored: Secret): boolean =>
  token ? isAlteredCopy(token.reveal(), stored.reveal()) : isEcdsa(stored.reveal());

/** Null: it holds no token. Undefined: it could not be read. */
async function readStored(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<Secret | null | undefined> {
  try {
    const ref = { resource: resources.secrets, namespace, name };
    const found = await cluster.get<KubernetesObject & { data?: { token?: string } }>(ref);
    const value = found?.data?.token;
    return value ? new Secret(Buffer.from(value, 'base64').toString()) : null;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}
