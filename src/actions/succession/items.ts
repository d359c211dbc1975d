// What a replacement consists of, in the order in which it is made: the ServiceAccount, its token Secrets, its bindings. Pure.
import { z } from 'zod';
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from '../../domain/kubernetes/legacy-token-labels.ts';
import { REPLACES } from '../../domain/kubernetes/own-annotations.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { gives } from '../../domain/situation/bindings.ts';
import type { Item } from './made.ts';

const strings = z.record(z.string(), z.string());

export const replacementSchema = z.strictObject({
  namespace: z.string(),
  /** Of the new ServiceAccount. */
  name: z.string(),
  replaces: z.strictObject({ name: z.string(), uid: z.string() }),
  manifest: z.looseObject({
    metadata: z.strictObject({
      name: z.string(),
      labels: strings.exactOptional(),
      annotations: strings.exactOptional(),
    }),
  }),
  secrets: z.array(z.strictObject({ replaces: z.string(), name: z.string() })),
  bindings: z.array(
    z.strictObject({
      kind: z.enum(['RoleBinding', 'ClusterRoleBinding']),
      namespace: z.string().exactOptional(),
      replaces: z.string(),
      name: z.string(),
      role: z.strictObject({ kind: z.enum(['Role', 'ClusterRole']), name: z.string() }),
    }),
  ),
});
export type Replacement = z.infer<typeof replacementSchema>;

const RBAC = 'rbac.authorization.k8s.io';

export function itemsOf(params: Replacement): Item[] {
  return [account(params), ...params.secrets.map(secret(params)), ...params.bindings.map(binding(params))];
}

function account({ namespace, name, manifest, replaces }: Replacement): Item {
  const { metadata, ...rest } = manifest;
  const annotations = { ...metadata.annotations, [REPLACES]: replaces.name };
  return {
    path: `ServiceAccount ${namespace}/${name}`,
    ref: { resource: resources.serviceAccounts, namespace, name },
    manifest: { apiVersion: 'v1', kind: 'ServiceAccount', ...rest, metadata: { ...metadata, annotations } },
  };
}

const secret =
  ({ namespace, name: account }: Replacement) =>
  ({ name, replaces }: Replacement['secrets'][number]): Item => ({
    path: `Secret ${namespace}/${name}`,
    ref: { resource: resources.secrets, namespace, name },
    manifest: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: TOKEN_SECRET_TYPE,
      metadata: { name, annotations: { [SERVICE_ACCOUNT_NAME]: account, [REPLACES]: replaces } },
    },
  });

/** A role cannot be changed in a binding, nor one subject of several without the right to all: a new object for the new one. */
const binding =
  ({ namespace: home, name: account }: Replacement) =>
  ({ kind, namespace, name, replaces, role }: Replacement['bindings'][number]): Item => ({
    path: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    ref: {
      resource: kind === 'RoleBinding' ? resources.roleBindings : resources.clusterRoleBindings,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    },
    manifest: {
      apiVersion: `${RBAC}/v1`,
      kind,
      metadata: { name, annotations: { [REPLACES]: replaces } },
      roleRef: { apiGroup: RBAC, ...role },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: home }],
    },
    fits: (found) =>
      found.roleRef !== undefined &&
      gives({ roleRef: found.roleRef, subjects: found.subjects ?? [] }, role, home, account),
  });
