// What the External Secrets Operator says of an ExternalSecret, as far as the chart uses it, so that an API server can judge ours.

const text = { type: 'string' };
const name = { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' };

const only = (properties: Record<string, object>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
});

const spec = only({
  refreshInterval: text,
  secretStoreRef: only({ name, kind: { ...text, enum: ['SecretStore', 'ClusterSecretStore'] } }),
  target: only({
    name,
    creationPolicy: { ...text, enum: ['Owner', 'Orphan', 'Merge', 'None'] },
    deletionPolicy: { ...text, enum: ['Delete', 'Merge', 'Retain'] },
  }),
  dataFrom: {
    type: 'array',
    items: only({ extract: only({ key: text, property: text, version: text }, ['key']) }),
  },
});

export const CRD = 'externalsecrets.external-secrets.io';

/** A field that is not in it is refused, because kubectl asks for strict validation. */
export const externalSecretDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: CRD },
  spec: {
    group: 'external-secrets.io',
    scope: 'Namespaced',
    names: { kind: 'ExternalSecret', plural: 'externalsecrets', singular: 'externalsecret' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: only({ spec }, ['spec']) } },
    ],
  },
};
