// The `token` subresource of a ServiceAccount: short-lived tokens, bound to an object or to nothing.
import { type PodObject, type ServiceAccountObject, timestamp } from '../apimachinery/objects.ts';
import { nodes, pods, resourceOfKind, serviceAccounts } from '../apimachinery/resources.ts';
import { badRequest, invalid, notFound, preconditionFailed } from '../apimachinery/status.ts';
import type { World } from '../storage/world.ts';
import { type BoundTokenRequest, boundToken, ISSUER } from '../tokens/tokens.ts';

export interface TokenRequestSpec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string };
}

const HOUR = 3600;
const TEN_MINUTES = 600;

function findBound(
  world: World,
  serviceAccount: ServiceAccountObject,
  reference: NonNullable<TokenRequestSpec['boundObjectRef']>,
): NonNullable<BoundTokenRequest['boundTo']> {
  const { name: account, namespace } = serviceAccount.metadata;
  const { kind, name = '', uid } = reference;
  const resource = resourceOfKind('', kind ?? '');
  if ((kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') || resource === undefined) {
    throw badRequest(`cannot bind token to object of type /v1, Kind=${kind}`);
  }
  const object = world.store.get<PodObject>(resource, namespace, name);
  if (object === undefined) throw notFound(resource, name);
  if (resource === pods && object.spec.serviceAccountName !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    );
  }
  if (uid !== undefined && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw preconditionFailed(resource, name, why);
  }
  return { kind, object };
}

/** The token and when it ends; throws what the API would answer. */
export function requestToken(
  world: World,
  namespace: string,
  name: string,
  spec: TokenRequestSpec,
): { token: string; spec: TokenRequestSpec; expirationTimestamp: string } {
  const serviceAccount = world.store.get<ServiceAccountObject>(serviceAccounts, namespace, name);
  if (serviceAccount === undefined) throw notFound(serviceAccounts, name);
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const expirationSeconds = spec.expirationSeconds ?? HOUR;
  if (expirationSeconds < TEN_MINUTES) {
    const why = `Invalid value: ${expirationSeconds}: may not specify a duration less than 10 minutes`;
    throw invalid(
      { group: 'authentication.k8s.io', kind: 'TokenRequest' },
      '',
      'spec.expirationSeconds',
      why,
    );
  }
  const boundTo = spec.boundObjectRef && findBound(world, serviceAccount, spec.boundObjectRef);
  const nodeName = boundTo?.kind === 'Pod' ? (boundTo.object as PodObject).spec.nodeName : undefined;
  const node = world.store.get(nodes, undefined, nodeName);
  const nowMs = world.now();
  const token = boundToken(world.keys.bound, {
    serviceAccount,
    audiences,
    expirationSeconds,
    ...(boundTo === undefined ? {} : { boundTo }),
    node,
    nowMs,
  });
  const expirationTimestamp = timestamp(nowMs + expirationSeconds * 1000);
  return { token, spec: { ...spec, audiences, expirationSeconds }, expirationTimestamp };
}
