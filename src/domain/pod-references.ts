// How a Pod, or a template of Pods, refers to a ServiceAccount and to Secrets: every way that the kubelet follows.
import type { PodSpec, PodTemplate, WorkloadObject } from './kube-objects.ts';

export interface References {
  /** Its Pods run as the ServiceAccount. */
  serviceAccount: boolean;
  /** The Secrets at stake that its Pods mount or read, sorted. */
  secrets: string[];
}

/** What is at stake: the ServiceAccount, and the Secrets that hold its tokens. */
export interface Stake {
  serviceAccount: string;
  secrets: readonly string[];
}

export const accountOf = ({ serviceAccountName, serviceAccount }: PodSpec): string =>
  serviceAccountName || serviceAccount || 'default';

/** As the cleaner of Kubernetes itself visits them. */
export function secretsOf(spec: PodSpec): Set<string> {
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  const names = [
    ...(spec.volumes ?? []).flatMap(({ secret, projected, csi }) => [
      secret?.secretName,
      csi?.nodePublishSecretRef?.name,
      ...(projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
    ...(spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  ];
  return new Set(names.filter((name) => name !== undefined));
}

/** Undefined: it has nothing to do with what is at stake. */
export function referencesOf(
  spec: PodSpec | undefined,
  { serviceAccount, secrets }: Stake,
): References | undefined {
  if (spec === undefined) return undefined;
  const used = secretsOf(spec);
  const references: References = {
    serviceAccount: accountOf(spec) === serviceAccount,
    secrets: secrets.filter((name) => used.has(name)).toSorted(),
  };
  return references.serviceAccount || references.secrets.length > 0 ? references : undefined;
}

export function merged(a: References | undefined, b: References): References {
  return {
    serviceAccount: b.serviceAccount || a?.serviceAccount === true,
    secrets: [...new Set([...(a?.secrets ?? []), ...b.secrets])].sort(),
  };
}

export const templateOf = ({ spec }: WorkloadObject): PodTemplate | undefined =>
  spec?.jobTemplate?.spec?.template ?? spec?.template;
