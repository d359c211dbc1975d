// Finds the Pods that use the ServiceAccount or mount the leaked Secret, and the workloads that own them.
import type { PodFact, Situation } from '../domain/situation.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { type Cluster, type KubernetesObject, type ObjectMeta, resources } from '../ports.ts';
import type { Attempt } from './observe.ts';

interface SecretSource {
  secretName?: string;
  secretRef?: { name?: string };
  projected?: { sources?: { secret?: { name?: string } }[] };
  secret?: { secretName?: string };
}

interface Container {
  env?: { valueFrom?: { secretKeyRef?: { name?: string } } }[];
  envFrom?: SecretSource[];
}

interface Pod extends KubernetesObject {
  spec?: {
    serviceAccountName?: string;
    volumes?: SecretSource[];
    imagePullSecrets?: { name?: string }[];
    containers?: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
  };
}

type Consumers = Pick<Situation, 'pods' | 'workloads'>;

export async function findConsumers(
  cluster: Cluster,
  identity: TokenIdentity,
  attempt: Attempt,
): Promise<Consumers> {
  const { namespace, serviceAccount, boundTo } = identity;
  const [pods, replicaSets] = await Promise.all([
    attempt<Pod[]>('Pods', [], () => cluster.list({ resource: resources.pods, namespace })),
    attempt<KubernetesObject[]>('ReplicaSets', [], () =>
      cluster.list({ resource: resources.replicaSets, namespace, metadataOnly: true }),
    ),
  ]);
  const owners = new Map(replicaSets.map(({ metadata }) => [metadata.uid, metadata]));
  const secret = boundTo?.kind === 'Secret' ? boundTo.name : undefined;
  const used = pods.flatMap((pod): PodFact[] => {
    const via = viaWhat(pod, serviceAccount.name, secret);
    return via ? [toFact(pod.metadata, via, owners)] : [];
  });
  const workloads = new Set(used.map(({ owner }) => owner).filter((owner) => !owner.startsWith('Pod/')));
  return { pods: used.sort((a, b) => a.name.localeCompare(b.name)), workloads: [...workloads].sort() };
}

function viaWhat(
  { spec = {} }: Pod,
  serviceAccount: string,
  secret: string | undefined,
): PodFact['via'] | undefined {
  if (secret !== undefined && secretsOf(spec).has(secret)) return 'secret';
  return (spec.serviceAccountName ?? 'default') === serviceAccount ? 'serviceAccountName' : undefined;
}

function secretsOf(spec: NonNullable<Pod['spec']>): Set<string | undefined> {
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  return new Set([
    ...(spec.volumes ?? []).flatMap(({ secret, projected }) => [
      secret?.secretName,
      ...(projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
    ...(spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
  ]);
}

/** ReplicaSets are looked through, so that the Deployment is named. */
function toFact(metadata: ObjectMeta, via: PodFact['via'], replicaSets: Map<string, ObjectMeta>): PodFact {
  const direct = controllerOf(metadata);
  const through = direct && replicaSets.get(direct.uid);
  const owner = (through && controllerOf(through)) ?? direct;
  const { name, uid, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return {
    name,
    uid,
    owner: owner ? `${owner.kind}/${owner.name}` : `Pod/${name}`,
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    ...(deletionGracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: deletionGracePeriodSeconds }),
    via,
  };
}

const controllerOf = ({ ownerReferences }: ObjectMeta) =>
  ownerReferences?.find(({ controller }) => controller);
