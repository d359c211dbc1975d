// Reads the Secrets that hold long-lived tokens of a ServiceAccount, by metadata only: no value is asked for.
import { withoutCopies } from '../../domain/kubernetes/annotations.ts';
import {
  INVALID_SINCE,
  LAST_USED,
  SERVICE_ACCOUNT_NAME,
  SERVICE_ACCOUNT_UID,
  TOKEN_SECRET_TYPE,
} from '../../domain/kubernetes/legacy-token-labels.ts';
import { ownersOf } from '../../domain/kubernetes/managed-by.ts';
import { REPLACES } from '../../domain/kubernetes/own-annotations.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { standing } from '../../domain/kubernetes/still-there.ts';
import { usedSecrets } from '../../domain/situation/consumers.ts';
import type { Listed } from '../../domain/situation/listed.ts';
import type { Situation, TokenSecretFact } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView, KubernetesObject, ListQuery } from '../../ports/cluster.ts';
import type { TryToRead } from './try-to-read.ts';

/** `only`: the one of this name, which costs the same on a cluster with thousands of them. */
export async function readTokenSecrets(
  cluster: ClusterView,
  identity: TokenIdentity,
  only?: string,
): Promise<TokenSecretFact[]> {
  const { namespace, serviceAccount, boundTo, kind } = identity;
  const secrets = await cluster.list({
    resource: resources.secrets,
    namespace,
    fieldSelector: `type=${TOKEN_SECRET_TYPE}${only === undefined ? '' : `,metadata.name=${only}`}`,
    metadataOnly: true,
  });
  const mine = secrets.filter(
    ({ metadata }) =>
      metadata.annotations?.[SERVICE_ACCOUNT_NAME] === serviceAccount.name ||
      (kind === 'legacy' && metadata.name === boundTo?.name),
  );
  const facts = mine.map(toFact);
  if (kind === 'legacy' && boundTo && !facts.some(({ name }) => name === boundTo.name))
    facts.push(...(await namesake(cluster, namespace, boundTo.name)));
  return facts.sort((a, b) => a.name.localeCompare(b.name));
}

/** Without the owners that are gone; one that cannot be looked for may be there. */
export const withOwners = (
  cluster: ClusterView,
  namespace: string,
  secrets: readonly TokenSecretFact[],
  tryToRead: TryToRead,
): Promise<TokenSecretFact[]> =>
  Promise.all(
    secrets.map(async ({ owners = [], ...fact }) => {
      const left = await standing(owners, namespace, (query) =>
        tryToRead('owners of Secrets', undefined, () => listed(cluster, query)),
      );
      return left.length > 0 ? { ...fact, owners: left } : fact;
    }),
  );

/** Undefined: the kind is not served, or not in that version. */
async function listed(cluster: ClusterView, query: ListQuery): Promise<KubernetesObject[] | undefined> {
  try {
    return await cluster.list(query);
  } catch (error) {
    if (isAppError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** A backup or a Secret operator may have put the old value back without the type, and it is accepted all the same. */
async function namesake(cluster: ClusterView, namespace: string, name: string): Promise<TokenSecretFact[]> {
  const found = await cluster.get({ resource: resources.secrets, namespace, name }, { metadataOnly: true });
  return found ? [{ ...toFact(found), otherType: true }] : [];
}

function toFact({ metadata }: KubernetesObject): TokenSecretFact {
  const { name, uid, resourceVersion, creationTimestamp, labels, annotations, managedFields = [] } = metadata;
  const newestFirst = managedFields.toSorted((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
  const managers = newestFirst.flatMap(({ manager }) => manager ?? []);
  const owners = ownersOf(metadata);
  return {
    name,
    uid,
    resourceVersion,
    ...(creationTimestamp ? { createdAt: creationTimestamp } : {}),
    deleting: metadata.deletionTimestamp !== undefined,
    ...(annotations?.[REPLACES] ? { replaces: annotations[REPLACES] } : {}),
    ...(labels?.[INVALID_SINCE] ? { invalidSince: labels[INVALID_SINCE] } : {}),
    ...(labels?.[LAST_USED] ? { lastUsed: labels[LAST_USED] } : {}),
    hasLabels: Object.keys(labels ?? {}).length > 0,
    managers: [...new Set(managers)],
    ...(owners.length > 0 ? { owners } : {}),
    ...carried(labels, annotations),
  };
}

/** Of the old token alone; a quarantine that is copied would refuse the new one as well. */
const NOT_CARRIED = [INVALID_SINCE, LAST_USED, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_UID];

function carried(
  labels: Record<string, string> = {},
  annotations: Record<string, string> = {},
): Pick<TokenSecretFact, 'labels' | 'annotations'> {
  const kept = (map: Record<string, string>) =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !NOT_CARRIED.includes(key)));
  const both = { labels: kept(labels), annotations: kept(withoutCopies(annotations)) };
  return Object.fromEntries(Object.entries(both).filter(([, map]) => Object.keys(map).length > 0));
}

/** Only a Secret that is used or listed is ever made again, so what the others carry is left out. */
export function markUsed(
  secrets: readonly TokenSecretFact[],
  listed: Listed,
  account: Situation['serviceAccount'],
): TokenSecretFact[] {
  const used = usedSecrets(
    listed,
    secrets.map(({ name }) => name),
  );
  const named = new Set(account?.manifest.secrets?.map(({ name }) => name));
  return secrets.map(({ labels, annotations, ...fact }) => {
    const marks = {
      ...(used.has(fact.name) && { used: true as const }),
      ...(named.has(fact.name) && { listed: true as const }),
    };
    if (Object.keys(marks).length === 0) return fact;
    return { ...fact, ...marks, ...(labels && { labels }), ...(annotations && { annotations }) };
  });
}
