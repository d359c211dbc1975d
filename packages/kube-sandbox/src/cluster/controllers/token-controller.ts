// The part of kube-controller-manager that makes and removes long-lived tokens and keeps the `default` ServiceAccounts.

import type { KubeObject, SecretObject } from '../apimachinery/objects.ts';
import { namespaces, resources, secrets, serviceAccounts } from '../apimachinery/resources.ts';
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from '../storage/defaults.ts';
import { deleteObject } from '../storage/deletion.ts';
import { createObject, putObject } from '../storage/lifecycle.ts';
import type { World } from '../storage/world.ts';
import { legacyToken } from '../tokens/tokens.ts';

const SERVICE_ACCOUNT_UID = 'kubernetes.io/service-account.uid';
const MANAGER = 'kube-controller-manager';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function fill(world: World, secret: SecretObject, serviceAccount: KubeObject): void {
  const { namespace = '', name, annotations } = secret.metadata;
  const { uid } = serviceAccount.metadata;
  const data = secret.data ?? {};
  const ca = base64(world.caPem);
  const complete = data.token && data['ca.crt'] === ca && data.namespace;
  if (complete && annotations?.[SERVICE_ACCOUNT_UID] === uid) return;
  const filled = {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [SERVICE_ACCOUNT_UID]: uid } },
    data: {
      ...data,
      'ca.crt': ca,
      namespace: data.namespace || base64(namespace),
      // A blanked token is made again; with RSA it is the same one.
      token: data.token || base64(legacyToken(world.keys.legacy, serviceAccount, name)),
    },
  };
  putObject(world, secrets, filled, MANAGER);
}

function reconcileSecret(world: World, secret: SecretObject): void {
  if (secret.type !== TOKEN_SECRET_TYPE || secret.metadata.deletionTimestamp !== undefined) return;
  const { annotations = {}, namespace } = secret.metadata;
  const serviceAccount = world.store.get(serviceAccounts, namespace, annotations[SERVICE_ACCOUNT_NAME]);
  const uid = annotations[SERVICE_ACCOUNT_UID] || serviceAccount?.metadata.uid;
  if (serviceAccount === undefined || serviceAccount.metadata.uid !== uid) {
    deleteObject(world, secrets, secret);
  } else fill(world, secret, serviceAccount);
}

function reconcileNamespaces(world: World): void {
  for (const { metadata } of world.store.list(namespaces)) {
    if (metadata.deletionTimestamp !== undefined) continue;
    if (world.store.get(serviceAccounts, metadata.name, 'default') !== undefined) continue;
    createObject(world, serviceAccounts, metadata.name, { metadata: { name: 'default' } }, MANAGER);
  }
}

function emptyNamespace(world: World, namespace: string): void {
  for (const resource of resources.filter((each) => each.namespaced)) {
    for (const object of world.store.list(resource, namespace)) world.store.remove(resource, object);
  }
}

/** Looks again, right after the current work, whenever something it cares about changed. */
export function runTokenController(world: World): void {
  let planned = false;
  const reconcile = (): void => {
    planned = false;
    reconcileNamespaces(world);
    for (const secret of world.store.list<SecretObject>(secrets)) reconcileSecret(world, secret);
  };
  const plan = (): void => {
    if (!planned) world.timeline.after(0, reconcile);
    planned = true;
  };
  world.store.subscribe((event) => {
    if (event.resource === namespaces && event.type === 'DELETED') {
      emptyNamespace(world, event.object.metadata.name);
    }
    if ([namespaces, serviceAccounts, secrets].includes(event.resource)) plan();
  });
  plan();
}
