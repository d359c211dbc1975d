// The checks on a TokenRequest token: time, then the ServiceAccount, then the object it is bound to.

import type { KubeObject } from '../apimachinery/objects.ts';
import { nodes, pods, type Resource, secrets, serviceAccounts } from '../apimachinery/resources.ts';
import type { World } from '../storage/world.ts';
import { type Claims, Refused, serviceAccountUser, type User } from '../tokens/claims.ts';

const LEEWAY_MS = 60_000;
const EXTRA = 'authentication.kubernetes.io/';

interface Reference {
  name: string;
  uid: string;
}

interface BoundClaims {
  namespace: string;
  serviceaccount: Reference;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
}

/** An object that is being deleted still counts for a minute; one with another UID does not count at all. */
function checkReference(
  object: KubeObject | undefined,
  uid: string,
  now: number,
  wording: { gone: string; otherUid: (live: string) => string; deleted: string },
): KubeObject {
  if (object === undefined) throw new Refused(wording.gone);
  if (object.metadata.uid !== uid) throw new Refused(wording.otherUid(object.metadata.uid));
  const { deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < now - LEEWAY_MS) {
    throw new Refused(wording.deleted);
  }
  return object;
}

function checkTimes(claims: Claims, now: number): void {
  if (claims.nbf !== undefined && now + LEEWAY_MS < claims.nbf * 1000) {
    throw new Refused('service account token is not valid yet');
  }
  if (claims.exp !== undefined && now - LEEWAY_MS > claims.exp * 1000) {
    throw new Refused('service account token has expired');
  }
}

export function checkBoundToken(world: World, claims: Claims): User {
  const now = world.now();
  checkTimes(claims, now);
  const bound = claims['kubernetes.io'] as BoundClaims;
  const { namespace, serviceaccount } = bound;
  const serviceAccount = checkReference(
    world.store.get(serviceAccounts, namespace, serviceaccount.name),
    serviceaccount.uid,
    now,
    {
      gone: `serviceaccounts "${serviceaccount.name}" not found`,
      otherUid: (live) => `service account UID (${live}) does not match claim (${serviceaccount.uid})`,
      deleted: `service account ${namespace}/${serviceaccount.name} has been deleted`,
    },
  );
  const checkBound = (resource: Resource, kind: string, reference: Reference | undefined): void => {
    if (reference === undefined) return;
    checkReference(world.store.get(resource, namespace, reference.name), reference.uid, now, {
      gone: 'service account token has been invalidated',
      otherUid: (live) =>
        `${kind} UID (${live}) does not match service account ${kind} ref claim (${reference.uid})`,
      deleted: 'service account token has been invalidated',
    });
  };
  checkBound(secrets, 'secret', bound.secret);
  checkBound(pods, 'pod', bound.pod);
  // In a Pod's token the node is information only.
  if (bound.pod === undefined) checkBound(nodes, 'node', bound.node);
  return { ...serviceAccountUser(serviceAccount), extra: extraOf(claims, bound) };
}

function extraOf(claims: Claims, { pod, node }: BoundClaims): Record<string, string[]> {
  return {
    ...(claims.jti === undefined ? {} : { [`${EXTRA}credential-id`]: [`JTI=${claims.jti}`] }),
    ...(node === undefined ? {} : { [`${EXTRA}node-name`]: [node.name], [`${EXTRA}node-uid`]: [node.uid] }),
    ...(pod === undefined ? {} : { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] }),
  };
}
