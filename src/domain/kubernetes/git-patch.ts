// The change of a workload's template as a patch for Git, where a tool would take back what is changed in the cluster alone. Pure.
import { stringify } from 'yaml';
import type { Container, PodSpec } from './objects.ts';
import { secretsOf } from './pod-references.ts';
import { type Replacement, repointed } from './repoint.ts';

/** Kinds that a strategic merge patch knows the lists of. A Job's template cannot be changed. */
const PATCHED = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'CronJob'];

/** What a patch must say of a workload that a tool manages. */
export interface InGit {
  apiVersion: string;
  /** Argo CD, Flux, Helm. */
  tools: string[];
  /** The parts of its template that refer to the Secrets at stake. */
  spec: PodSpec;
}

/** Undefined: nobody keeps it elsewhere, or its kind cannot be patched so. */
export function inGit(
  workload: { kind: string; apiVersion: string; managedBy: readonly string[] },
  spec: PodSpec | undefined,
  secrets: readonly string[],
): InGit | undefined {
  const { kind, apiVersion, managedBy } = workload;
  if (managedBy.length === 0 || !PATCHED.includes(kind)) return undefined;
  return { apiVersion, tools: [...managedBy], spec: spec ? referring(spec, secrets) : {} };
}

/**
 * What remains of a template when all is left out that does not refer to these Secrets. A list of named things keeps those
 * that do, by name; a list that a patch replaces whole is kept whole. No value is in it: names, keys and paths.
 */
export function referring(spec: PodSpec, secrets: readonly string[]): PodSpec {
  const refers = (part: PodSpec): boolean => [...secretsOf(part)].some((name) => secrets.includes(name));
  const volumes = (spec.volumes ?? [])
    .filter((volume) => refers({ volumes: [volume] }))
    .map(({ name, secret, projected, csi }) => ({
      ...(name && { name }),
      ...(secret?.secretName && { secret: { secretName: secret.secretName } }),
      ...(projected?.sources && { projected: { sources: projected.sources } }),
      ...(csi?.nodePublishSecretRef && { csi: { nodePublishSecretRef: csi.nodePublishSecretRef } }),
    }));
  const containers = (list: readonly Container[] = []): Container[] =>
    list
      .filter((container) => refers({ containers: [container] }))
      .map(({ name, env = [], envFrom = [] }) => {
        const used = env.filter((each) => refers({ containers: [{ env: [each] }] }));
        return {
          ...(name && { name }),
          ...(used.length > 0 && { env: used }),
          ...(refers({ containers: [{ envFrom }] }) && { envFrom }),
        };
      });
  const { imagePullSecrets = [] } = spec;
  const lists = {
    volumes,
    imagePullSecrets: refers({ imagePullSecrets }) ? imagePullSecrets : [],
    initContainers: containers(spec.initContainers),
    containers: containers(spec.containers),
  };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** As YAML, for a kustomization or `kubectl patch`, and to be read by whoever writes it elsewhere. Undefined: nothing to change. */
export function gitPatch(
  { kind, name, git }: { kind: string; name: string; git?: InGit | undefined },
  replacement: Replacement,
): string | undefined {
  if (git === undefined) return undefined;
  const spec = changed(git, replacement);
  if (spec === undefined) return undefined;
  const template = { template: { spec } };
  const whole = {
    apiVersion: git.apiVersion,
    kind,
    metadata: { name },
    spec: kind === 'CronJob' ? { jobTemplate: { spec: template } } : template,
  };
  const head = [
    `${kind} ${name}, which ${git.tools.join(' and ')} manages.`,
    `In a kustomization, under patches: {path: THIS-FILE, target: {kind: ${kind}, name: ${name}}}. Elsewhere, make the same change.`,
  ];
  return `${head.map((line) => `# ${line}\n`).join('')}${stringify(whole, { lineWidth: 0 })}`;
}

function changed({ spec }: InGit, replacement: Replacement): object | undefined {
  const { what, from, to } = replacement;
  if (what === 'service-account') return { serviceAccountName: to };
  const { imagePullSecrets, ...rest } = repointed(referring(spec, [from]), replacement) ?? {};
  // Merged by name, the old one would stay beside the new.
  const pull = imagePullSecrets && { imagePullSecrets: [{ $patch: 'replace' }, ...imagePullSecrets] };
  const parts = { ...rest, ...pull };
  return Object.keys(parts).length > 0 ? parts : undefined;
}
