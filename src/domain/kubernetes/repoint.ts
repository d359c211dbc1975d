// Writes one name instead of another wherever a Pod's template refers to a ServiceAccount or a Secret. Pure.
import type { Container, PodSpec, WorkloadObject } from './objects.ts';
import { accountOf, secretsOf } from './pod-references.ts';

export interface Replacement {
  what: 'secret' | 'service-account';
  from: string;
  to: string;
}

/** Undefined: nothing in it refers to the old one. Unknown fields stay as they are. */
export function repointed(spec: PodSpec, { what, from, to }: Replacement): PodSpec | undefined {
  if (what === 'service-account') {
    if (accountOf(spec) !== from) return undefined;
    // The old field is kept equal by the API server, which refuses two different ones.
    return {
      ...spec,
      serviceAccountName: to,
      ...(spec.serviceAccount === undefined ? {} : { serviceAccount: to }),
    };
  }
  return secretsOf(spec).has(from) ? withSecret(spec, from, to) : undefined;
}

type Named = { name?: string } | undefined;

function withSecret(spec: PodSpec, from: string, to: string): PodSpec {
  const renamed = <T extends Named>(ref: T): T => (ref?.name === from ? { ...ref, name: to } : ref);
  const containers = (list: Container[]): Container[] =>
    list.map((container) => ({
      ...container,
      ...(container.env && {
        env: container.env.map((each) =>
          each.valueFrom?.secretKeyRef
            ? {
                ...each,
                valueFrom: { ...each.valueFrom, secretKeyRef: renamed(each.valueFrom.secretKeyRef) },
              }
            : each,
        ),
      }),
      ...(container.envFrom && {
        envFrom: container.envFrom.map((each) =>
          each.secretRef ? { ...each, secretRef: renamed(each.secretRef) } : each,
        ),
      }),
    }));
  const { volumes, imagePullSecrets, ...rest } = spec;
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  return {
    ...rest,
    ...(volumes && { volumes: volumes.map((volume) => withVolume(volume, from, to, renamed)) }),
    ...(imagePullSecrets && { imagePullSecrets: imagePullSecrets.map(renamed) }),
    ...Object.fromEntries(lists.flatMap((list) => (spec[list] ? [[list, containers(spec[list])]] : []))),
  };
}

type Volume = NonNullable<PodSpec['volumes']>[number];

function withVolume(
  volume: Volume,
  from: string,
  to: string,
  renamed: <T extends Named>(ref: T) => T,
): Volume {
  const { secret, projected, csi } = volume;
  return {
    ...volume,
    ...(secret?.secretName === from && { secret: { ...secret, secretName: to } }),
    ...(projected?.sources && {
      projected: {
        ...projected,
        sources: projected.sources.map((source) =>
          source.secret ? { ...source, secret: renamed(source.secret) } : source,
        ),
      },
    }),
    ...(csi?.nodePublishSecretRef && {
      csi: { ...csi, nodePublishSecretRef: renamed(csi.nodePublishSecretRef) },
    }),
  };
}

/** Where the template is in an object of this kind; undefined where it cannot be changed in place. */
export function templatePathOf(kind: string, { spec = {} }: WorkloadObject): string | undefined {
  if (kind === 'CronJob') return '/spec/jobTemplate/spec/template';
  return kind === 'Job' || spec.template === undefined ? undefined : '/spec/template';
}
