// How a Pod, or a template of Pods, refers to a ServiceAccount and to Secrets: every way that the kubelet follows.
import type { Container, PodSpec, PodTemplate, WorkloadObject } from './objects.ts';

export interface References {
  /** Its Pods run as the ServiceAccount. */
  serviceAccount: boolean;
  /** They do, and get no token of it: neither unasked nor by a volume. */
  tokenless?: true;
  /** The Secrets at stake that its Pods mount or read, sorted. */
  secrets: string[];
}

/** What is at stake: the ServiceAccount, and the Secrets that hold its tokens. */
export interface Stake {
  serviceAccount: string;
  /** What the ServiceAccount says of Pods that do not say themselves whether they get a token; absent: they do. */
  automount?: boolean | undefined;
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

/** Where containers get the token that they did not ask for, unless they have something else there. */
const UNASKED = '/var/run/secrets/kubernetes.io/serviceaccount';

/** For whichever audience. What a CSI driver is handed for the Pod is not seen here, so it counts. */
const hasTokenVolume = ({ volumes = [] }: PodSpec): boolean =>
  volumes.some(
    ({ projected, csi }) =>
      csi !== undefined || projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
  );

/** As the ServiceAccount admission decides it; what the Pod says comes first. Ephemeral containers get none unasked. */
function getsUnasked(spec: PodSpec, automount = true): boolean {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const hasOther = ({ volumeMounts = [] }: Container) =>
    volumeMounts.some(({ mountPath }) => mountPath === UNASKED);
  const everyOther = containers.length > 0 && containers.every(hasOther);
  return (spec.automountServiceAccountToken ?? automount) && !everyOther;
}

/** Undefined: it has nothing to do with what is at stake. */
export function referencesOf(
  spec: PodSpec | undefined,
  { serviceAccount, secrets, automount }: Stake,
): References | undefined {
  if (spec === undefined) return undefined;
  const used = secretsOf(spec);
  const runsAs = accountOf(spec) === serviceAccount;
  const references: References = {
    serviceAccount: runsAs,
    ...(runsAs && !hasTokenVolume(spec) && !getsUnasked(spec, automount) && { tokenless: true as const }),
    secrets: secrets.filter((name) => used.has(name)).toSorted(),
  };
  return references.serviceAccount || references.secrets.length > 0 ? references : undefined;
}

export function merged(a: References | undefined, b: References): References {
  const running = [a, b].filter((one) => one?.serviceAccount);
  return {
    serviceAccount: running.length > 0,
    // One that has a token is enough.
    ...(running.length > 0 && running.every((one) => one?.tokenless) && { tokenless: true as const }),
    secrets: [...new Set([...(a?.secrets ?? []), ...b.secrets])].sort(),
  };
}

export const templateOf = ({ spec }: WorkloadObject): PodTemplate | undefined =>
  spec?.jobTemplate?.spec?.template ?? spec?.template;

/** Whether its Pods hold a token of the ServiceAccount. `secrets`: those with tokens of it. */
export const holdsToken = (
  { serviceAccount, tokenless, secrets }: References,
  withTokens: readonly string[],
): boolean => (serviceAccount && !tokenless) || secrets.some((name) => withTokens.includes(name));
