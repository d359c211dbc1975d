// A thin Deployment controller and kubelet: ReplicaSets per template, Pods that start, and that are replaced when the template changes.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type KubeObject,
  type PodObject,
  type PodSpec,
  timestamp,
  type WorkloadObject,
} from '../apimachinery/objects.ts';
import {
  deployments,
  pods,
  type Resource,
  replicaSets,
  secrets,
  serviceAccounts,
} from '../apimachinery/resources.ts';
import { deleteObject } from '../storage/deletion.ts';
import { createObject, putObject } from '../storage/lifecycle.ts';
import { NODE_NAME, type World } from '../storage/world.ts';

const MANAGER = 'kube-controller-manager';
const TEMPLATE_HASH = 'pod-template-hash';

function owned<T extends KubeObject>(world: World, resource: Resource, owner: KubeObject): T[] {
  return world.store
    .list<T>(resource, owner.metadata.namespace)
    .filter((each) => each.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid));
}

function ownedBy({ apiVersion, kind, metadata }: KubeObject): KubeObject['metadata']['ownerReferences'] {
  return [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }];
}

function setFields(world: World, resource: Resource, object: KubeObject, fields: object): void {
  const next = { ...object, ...fields };
  if (!isDeepStrictEqual(next, object)) putObject(world, resource, next, MANAGER);
}

function alive(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp === undefined;
}

function isReady(pod: PodObject): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Independent of the order of keys, which clients change between reading and writing. */
function templateHash(template: unknown): string {
  const ordered = JSON.stringify(template ?? {}, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(ordered).digest('hex').slice(0, 10);
}

function createReplicaSet(world: World, deployment: WorkloadObject, hash: string): void {
  const { template = {}, replicas = 1 } = deployment.spec;
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  const { name, namespace } = deployment.metadata;
  const draft = {
    metadata: { name: `${name}-${hash}`, labels, ownerReferences: ownedBy(deployment) ?? [] },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  createObject(world, replicaSets, namespace, draft, MANAGER);
}

function reconcileDeployment(world: World, deployment: WorkloadObject): void {
  const { spec, metadata } = deployment;
  const hash = templateHash(spec.template);
  const sets = owned<WorkloadObject>(world, replicaSets, deployment);
  const current = sets.find((set) => set.metadata.labels?.[TEMPLATE_HASH] === hash);
  if (current === undefined && !spec.paused) createReplicaSet(world, deployment, hash);
  const wanted = spec.replicas ?? 1;
  const updated = current?.spec.replicas === wanted ? current : undefined;
  const done = (updated?.status?.readyReplicas ?? 0) >= wanted && updated !== undefined;
  for (const set of sets) {
    // Old Pods go only when all new ones are ready.
    const replicas = set === current ? wanted : done ? 0 : set.spec.replicas;
    setFields(world, replicaSets, set, { spec: { ...set.spec, replicas } });
  }
  const all = sets.flatMap((set) => owned<PodObject>(world, pods, set)).filter(alive);
  const fresh = all.filter((pod) => pod.metadata.labels?.[TEMPLATE_HASH] === hash);
  const ready = all.filter(isReady).length;
  const status = {
    observedGeneration: metadata.generation,
    replicas: all.length,
    updatedReplicas: fresh.length,
    readyReplicas: ready,
    availableReplicas: ready,
    conditions: [
      { type: 'Available', status: ready >= wanted ? 'True' : 'False', reason: 'MinimumReplicasAvailable' },
      { type: 'Progressing', status: 'True', reason: done ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated' },
    ],
  };
  setFields(world, deployments, deployment, { status });
}

function createPod(world: World, set: WorkloadObject): void {
  const { metadata = {}, spec = {} } = set.spec.template ?? {};
  const { namespace, name } = set.metadata;
  // The ServiceAccount admission refuses such Pods: while the account is gone, replacements wait.
  const account = world.store.get(serviceAccounts, namespace, spec.serviceAccountName ?? 'default');
  if (account === undefined) return;
  const owner = { generateName: `${name}-`, ownerReferences: ownedBy(set) ?? [] };
  createObject(world, pods, namespace, { metadata: { ...metadata, ...owner }, spec }, MANAGER);
}

function reconcileReplicaSet(world: World, set: WorkloadObject): void {
  const owner = set.metadata.ownerReferences?.[0];
  const gone = owner !== undefined && !world.store.get(deployments, set.metadata.namespace, owner.name);
  if (gone) {
    world.store.remove(replicaSets, set);
    return;
  }
  const running = owned<PodObject>(world, pods, set).filter(alive);
  const wanted = set.spec.replicas ?? 1;
  for (let count = running.length; count < wanted; count++) createPod(world, set);
  for (const surplus of running.slice(wanted)) deleteObject(world, pods, surplus);
  const left = running.slice(0, wanted);
  const status = { replicas: left.length, readyReplicas: left.filter(isReady).length };
  setFields(world, replicaSets, set, { status });
}

function mountsExist(world: World, namespace: string | undefined, { volumes = [] }: PodSpec): boolean {
  return volumes.every(({ secret }) => {
    if (secret?.secretName === undefined || secret.optional) return true;
    return world.store.get(secrets, namespace, secret.secretName) !== undefined;
  });
}

function startPod(world: World, uid: string): void {
  const pod = world.store.list<PodObject>(pods).find((each) => each.metadata.uid === uid);
  if (pod?.spec.nodeName !== NODE_NAME || !alive(pod) || isReady(pod)) return;
  // Without its Secret a Pod stays in ContainerCreating.
  if (!mountsExist(world, pod.metadata.namespace, pod.spec)) return;
  const startTime = timestamp(world.now());
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: startTime,
  }));
  const containerStatuses = (pod.spec.containers ?? []).map(({ name }) => ({
    name,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: startTime } },
  }));
  const status = { phase: 'Running', startTime, conditions, containerStatuses };
  putObject(world, pods, { ...pod, status }, 'kubelet');
}

function reconcilePods(world: World): void {
  for (const pod of world.store.list<PodObject>(pods).filter(alive)) {
    const owner = pod.metadata.ownerReferences?.[0];
    if (owner?.kind === 'ReplicaSet' && !world.store.get(replicaSets, pod.metadata.namespace, owner.name)) {
      deleteObject(world, pods, pod);
    } else if (pod.spec.nodeName === undefined) {
      // Scheduled at once; the start takes its time.
      putObject(world, pods, { ...pod, spec: { ...pod.spec, nodeName: NODE_NAME } }, 'kube-scheduler');
      world.timeline.after(world.podStartMs, () => startPod(world, pod.metadata.uid));
    }
  }
}

/** Looks again, right after the current work, whenever something it cares about changed. */
export function runWorkloadController(world: World): void {
  let planned = false;
  const reconcile = (): void => {
    planned = false;
    const { store } = world;
    for (const each of store.list<WorkloadObject>(deployments).filter(alive))
      reconcileDeployment(world, each);
    for (const each of store.list<WorkloadObject>(replicaSets).filter(alive)) {
      reconcileReplicaSet(world, each);
    }
    reconcilePods(world);
  };
  const watched: Resource[] = [deployments, replicaSets, pods, serviceAccounts];
  world.store.subscribe(({ resource, type }) => {
    if (resource === secrets && type === 'ADDED') startWaitingPods(world);
    if (!watched.includes(resource) || planned) return;
    planned = true;
    world.timeline.after(0, reconcile);
  });
}

function startWaitingPods(world: World): void {
  for (const pod of world.store.list<PodObject>(pods).filter((each) => alive(each) && !isReady(each))) {
    world.timeline.after(world.podStartMs, () => startPod(world, pod.metadata.uid));
  }
}
