// The checks on a long-lived token from a Secret: the Secret's copy decides, not its type or its UID.

import { type SecretObject, timestamp } from '../apimachinery/objects.ts';
import { secrets, serviceAccounts } from '../apimachinery/resources.ts';
import { putObject } from '../storage/lifecycle.ts';
import type { World } from '../storage/world.ts';
import { type Claims, Refused, serviceAccountUser, type User } from '../tokens/claims.ts';

export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
export const LAST_USED = 'kubernetes.io/legacy-token-last-used';

const PREFIX = 'kubernetes.io/serviceaccount/';

function claim(claims: Claims, key: string, wording: string): string {
  const value = claims[`${PREFIX}${key}`];
  if (typeof value !== 'string' || value === '') throw new Refused(`${wording} claim is missing`);
  return value;
}

function noteUse(world: World, secret: SecretObject): void {
  const today = timestamp(world.now()).slice(0, 10);
  if (secret.metadata.labels?.[LAST_USED] === today) return;
  const labels = { ...secret.metadata.labels, [LAST_USED]: today };
  putObject(world, secrets, { ...secret, metadata: { ...secret.metadata, labels } }, 'kube-apiserver');
}

export function checkLegacyToken(
  world: World,
  token: string,
  claims: Claims,
  honoursInvalidSince: boolean,
): User {
  const namespace = claim(claims, 'namespace', 'namespace');
  const secretName = claim(claims, 'secret.name', 'secretName');
  const name = claim(claims, 'service-account.name', 'serviceAccountName');
  const uid = claim(claims, 'service-account.uid', 'serviceAccountUID');
  if (claims.sub !== `system:serviceaccount:${namespace}:${name}`) throw new Refused('sub claim is invalid');

  const secret = world.store.get<SecretObject>(secrets, namespace, secretName);
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) {
    throw new Refused('Token has been invalidated');
  }
  if (Buffer.from(secret.data?.token ?? '', 'base64').toString() !== token) {
    throw new Refused("Token does not match server's copy");
  }
  const serviceAccount = world.store.get(serviceAccounts, namespace, name);
  if (serviceAccount === undefined) throw new Refused(`serviceaccounts "${name}" not found`);
  if (serviceAccount.metadata.deletionTimestamp !== undefined) {
    throw new Refused(`ServiceAccount ${namespace}/${name} has been deleted`);
  }
  if (serviceAccount.metadata.uid !== uid) {
    throw new Refused(`ServiceAccount UID (${serviceAccount.metadata.uid}) does not match claim (${uid})`);
  }
  noteUse(world, secret);
  if (honoursInvalidSince && (secret.metadata.labels?.[INVALID_SINCE] ?? '') !== '') {
    throw new Refused(
      `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
    );
  }
  return serviceAccountUser(serviceAccount);
}
