// Writes the generated files of the chart anew, from what the actions declare and the configuration's schema: node test/structure/chart-files.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fileSchema } from '../../src/config/file-schema.ts';
import { policySchema } from '../../src/domain/rules/schema.ts';
import { GENERATED, rbacTemplate } from './chart-rbac.ts';
import { ROOT } from './tree.ts';

const text = { type: 'string' };
const flag = { type: 'boolean' };
const name = { type: 'string', minLength: 1 };
const unique = { type: 'array', items: name, uniqueItems: true };
const quantity = { type: 'string', pattern: '^[0-9.]+([EPTGMk]i?)?$' };
/** What Kubernetes itself checks. */
const free = { type: 'object' };
const list = { type: 'array', items: free };

const only = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const part = only({
  replicas: { type: 'integer', minimum: 0 },
  resources: free,
  nodeSelector: free,
  tolerations: list,
  affinity: free,
});

/** Helm reads draft 7 in every version that is about. */
function ours(schema: z.ZodType): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return rest;
}

export function valuesSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the Tourniquet chart',
    $comment: GENERATED,
    ...only({
      // Helm adds it for subcharts.
      global: free,
      image: only({ repository: name, tag: text, pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] } }),
      imagePullSecrets: list,
      existingSecret: name,
      externalSecret: only({
        enabled: flag,
        store: only({ kind: { enum: ['SecretStore', 'ClusterSecretStore'] }, name: text }),
        key: text,
        refreshInterval: { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' },
      }),
      sources: { type: 'array', items: { type: 'string', pattern: '^[a-z0-9-]+$' }, uniqueItems: true },
      config: ours(fileSchema),
      policy: { anyOf: [{ type: 'object', maxProperties: 0 }, ours(policySchema)] },
      rbac: only({
        create: flag,
        actIn: unique,
        actEverywhere: flag,
        bind: only({ clusterRoles: unique, roles: unique, clusterWide: flag }),
      }),
      kubeconfigSecret: text,
      bot: part,
      worker: part,
      terminationGracePeriodSeconds: {
        type: 'integer',
        minimum: 30,
        description: 'Longer than the 25 s in which a process finishes what is running.',
      },
      podDisruptionBudget: only({ enabled: flag }),
      networkPolicy: only({ enabled: flag, botFrom: list }),
      metrics: only({
        from: list,
        serviceMonitor: only({ enabled: flag, interval: name, labels: free }),
        prometheusRule: only({ enabled: flag, labels: free }),
        dashboard: only({ enabled: flag, labels: free }),
      }),
      tracing: only({ endpoint: text, headersInSecret: flag }),
      redis: only({ bundled: flag, image: name, storage: quantity, storageClassName: text, resources: free }),
      ingress: only({ enabled: flag, className: text, annotations: free, host: text, tlsSecret: text }),
    }),
  };
  const required = schema.required.filter((key) => key !== 'global');
  return `${JSON.stringify({ ...schema, required }, null, 2)}\n`;
}

export const chartFiles = (): Record<string, string> => ({
  'helm/templates/rbac.yaml': rbacTemplate(),
  'helm/values.schema.json': valuesSchema(),
});

if (import.meta.main)
  for (const [path, content] of Object.entries(chartFiles())) writeFileSync(join(ROOT, path), content);
