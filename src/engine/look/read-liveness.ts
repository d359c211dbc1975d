// The cheap look: reads just the objects that a token lives and dies with, and says what they show.
import { resources } from '../../domain/kubernetes/resources.ts';
import { heeded, judgeLiveness } from '../../domain/situation/judge-liveness.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import { readServiceAccount } from './service-account.ts';
import { readTokenSecrets } from './token-secrets.ts';
import { type TryToRead, tryingToRead } from './try-to-read.ts';

type Liveness = Situation['liveness'];

/** What could not be read is `unknown`, with the reason, and never dead. */
export async function readLiveness(
  cluster: ClusterView,
  identity: TokenIdentity,
  nowMs: number,
): Promise<Liveness> {
  const { namespace, serviceAccount } = identity;
  const unread: string[] = [];
  const tryToRead = tryingToRead(unread);
  const [account, tokenSecrets, boundObject] = await Promise.all([
    tryToRead('its ServiceAccount', undefined, () =>
      readServiceAccount(cluster, namespace, serviceAccount.name),
    ),
    tryToRead('its token Secrets', undefined, () => readAtStake(cluster, identity)),
    tryToRead('the object that it is bound to', undefined, () => readBound(cluster, identity)),
  ]);
  if (account === undefined) return { alive: 'unknown', reason: unread.join('; ') };
  const facts = { serviceAccount: account, tokenSecrets, boundObject };
  const found = judgeLiveness(identity, facts, nowMs);
  const judged = found.alive === 'quarantined' ? heeded(found, await versions(cluster, tryToRead)) : found;
  return judged.alive === 'unknown' ? { ...judged, reason: [judged.reason, ...unread].join('; ') } : judged;
}

const versions = (cluster: ClusterView, tryToRead: TryToRead) =>
  tryToRead('API servers', [], async () => (await cluster.servers()).servers);

async function readAtStake(cluster: ClusterView, identity: TokenIdentity) {
  const { kind, boundTo } = identity;
  if (kind === 'legacy') return await readTokenSecrets(cluster, identity, boundTo?.name);
  return kind === 'every-token' ? await readTokenSecrets(cluster, identity) : [];
}

const BOUND = new Map([
  ['Pod', resources.pods],
  ['Secret', resources.secrets],
  ['Node', resources.nodes],
]);

/** Null: it does not exist, or is of a kind that is not looked at. */
export async function readBound(
  cluster: ClusterView,
  { boundTo, namespace, kind }: TokenIdentity,
): Promise<Situation['boundObject']> {
  const resource = boundTo && BOUND.get(boundTo.kind);
  if (boundTo === undefined || resource === undefined || kind === 'legacy' || kind === 'other-bound')
    return null;
  const ref = { resource, name: boundTo.name, ...(resource.namespaced ? { namespace } : {}) };
  const found = await cluster.get(ref, { metadataOnly: true });
  if (found === null) return null;
  const { uid, deletionTimestamp, ownerReferences } = found.metadata;
  const owner = ownerReferences?.find(({ controller }) => controller);
  return {
    kind: boundTo.kind,
    name: boundTo.name,
    uid,
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    ...(owner ? { owner: `${owner.kind}/${owner.name}` } : {}),
  };
}
