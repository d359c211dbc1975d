// The values that token Secrets hold, read in one place: which token may be asked about, and whether the leaked one is still there.
import type { Incident } from '../../domain/incident/incident.ts';
import { killsOf } from '../../domain/incident/runs.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import type { Step } from '../../domain/plan/plan.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import { isAlteredCopy, isEcdsa } from '../../domain/token/altered-copy.ts';
import type { Authenticity, TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { heldFor, isAbout } from './held-token.ts';

type Liveness = Situation['liveness'];
type Fingerprints = Pick<LookDeps, 'vault'>;

interface Stored {
  uid: string;
  token: Secret;
}

/** Null: there is no such Secret, or no token in it. Undefined: it could not be read. */
async function readStored(
  cluster: ClusterView,
  namespace: string,
  name: string,
): Promise<Stored | null | undefined> {
  try {
    const ref = { resource: resources.secrets, namespace, name };
    const found = await cluster.get<KubernetesObject & { data?: { token?: string } }>(ref);
    const value = found?.data?.token;
    if (!found || !value) return null;
    return { uid: found.metadata.uid, token: new Secret(Buffer.from(value, 'base64').toString()) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}

/** The incident's fingerprint is that of the very token. */
const KNOWN: readonly Authenticity[] = ['signature', 'uid-match', 'hash'];

/** For people; follows what the objects show, or what was answered to what its Secret holds. */
export const UNVERIFIED =
  'no key verifies the token that was reported and no Secret holds it, so whether it is accepted is not known';

/** API servers compare a long-lived token with its Secret byte for byte: another value there means that this one is dead. */
export async function judgedByValue(
  { vault }: Fingerprints,
  { fingerprint }: Pick<Incident, 'fingerprint'>,
  identity: TokenIdentity,
  cluster: ClusterView,
  liveness: Liveness,
  token: Secret | undefined,
): Promise<Liveness> {
  const { kind, authenticity, boundTo, namespace } = identity;
  if (authenticity === 'claims' && liveness.alive === 'alive')
    return {
      alive: 'unknown',
      reason: `${liveness.reason}, but ${UNVERIFIED}`,
      voids: true,
    };
  if (kind !== 'legacy' || boundTo === undefined) return liveness;
  if (!KNOWN.includes(authenticity) || fingerprint === undefined || liveness.alive === 'dead')
    return liveness;
  const stored = await readStored(cluster, namespace, boundTo.name);
  if (stored === undefined) return liveness;
  const name = `Secret ${namespace}/${boundTo.name}`;
  const same = stored !== null && vault.fingerprint(stored.token) === fingerprint;
  // What was reported may be an altered copy of it; once it is destroyed nobody can tell, and it counts as alive.
  if (!same && stored && isAbout(identity, stored.token) && mayBeCopy(token, stored.token)) return liveness;
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

/**
 * The token as API servers compare it: the one that is held, or else what a Secret still holds of it, kept nowhere.
 * Undefined: only objects can be looked at. Several where every token of a ServiceAccount was switched off.
 */
export async function tokensToAsk(
  deps: Fingerprints,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
  token: Secret | undefined,
): Promise<Secret[] | undefined> {
  const held = heldFor(identity, cluster.name, token);
  if (held) return [await asStored(cluster, identity, held)];
  return (await ofKills(incident, cluster)) ?? (await itself(deps, incident, identity, cluster));
}

/** An ECDSA signature can be altered and still verify; what the Secret holds is what API servers accept. */
async function asStored(
  cluster: ClusterView,
  { kind, namespace, boundTo }: TokenIdentity,
  token: Secret,
): Promise<Secret> {
  if (kind !== 'legacy' || boundTo === undefined || !isEcdsa(token.reveal())) return token;
  const stored = (await readStored(cluster, namespace, boundTo.name))?.token;
  return stored && isAlteredCopy(token.reveal(), stored.reveal()) ? stored : token;
}

/** Of Secrets that are only switched off; undefined where anything else was killed too, or one of them cannot be read. */
async function ofKills(incident: Incident, cluster: ClusterView): Promise<Secret[] | undefined> {
  const steps = killsOf(incident, cluster.name);
  const tokens = await Promise.all(steps.map((step) => ofKill(incident, step, cluster)));
  const known = tokens.flatMap((token) => token ?? []);
  return known.length > 0 && known.length === steps.length ? known : undefined;
}

/** Only in the very object that was seen: one that took its name holds another token. */
async function ofKill(
  incident: Incident,
  { reversible, params: { namespace, secret } }: Step,
  cluster: ClusterView,
): Promise<Secret | undefined> {
  if (!reversible || typeof namespace !== 'string' || typeof secret !== 'string') return undefined;
  const stored = await readStored(cluster, namespace, secret);
  return stored && wasSeen(incident, cluster, stored) ? stored.token : undefined;
}

const wasSeen = ({ situations }: Incident, { name }: ClusterView, { uid }: Stored): boolean =>
  situations.some(
    ({ cluster, tokenSecrets }) => cluster === name && tokenSecrets.some((secret) => secret.uid === uid),
  );

/** Switched off by whomever: its Secret still holds it, where it is the one that leaked or the one that was named. */
async function itself(
  { vault }: Fingerprints,
  incident: Incident,
  { kind, namespace, boundTo, authenticity }: TokenIdentity,
  cluster: ClusterView,
): Promise<Secret[] | undefined> {
  if (kind !== 'legacy' || boundTo === undefined || authenticity === 'claims') return undefined;
  const stored = await readStored(cluster, namespace, boundTo.name);
  if (!stored) return undefined;
  const same = KNOWN.includes(authenticity)
    ? vault.fingerprint(stored.token) === incident.fingerprint
    : wasSeen(incident, cluster, stored);
  return same ? [stored.token] : undefined;
}
