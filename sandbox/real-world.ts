// Puts a real control plane into a world: the worker gets exactly the permissions that the product declares, and no more.

import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from 'kube-sandbox/controlplane';
import { actions } from '../src/actions/index.ts';
import { type WorkerAccount, workerRoles } from '../src/domain/kubernetes/rbac.ts';
import { WORKER, type World, type WorldCluster } from './world.ts';

export interface RealWorldCluster extends WorldCluster {
  plane: ControlPlane;
  /** As the administrator; throws with what kubectl said. */
  create(...manifests: object[]): Promise<void>;
  /** When the first write of the worker was carried out, in Unix milliseconds, by the audit log. */
  killedAt(): Promise<number | undefined>;
}

/** `actIn`: namespaces, made where they are missing, in which the worker may act. */
export function realCluster(
  name: string,
  options: ControlPlaneOptions & { actIn?: string[] } = {},
): () => Promise<RealWorldCluster> {
  return async () => {
    const plane = await startControlPlane({ name, ...options });
    try {
      return await withWorker(plane, { ...WORKER, actIn: options.actIn ?? [] });
    } catch (error) {
      await plane.close();
      throw error;
    }
  };
}

async function withWorker(plane: ControlPlane, account: WorkerAccount): Promise<RealWorldCluster> {
  const namespaces = account.actIn.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  await create(plane, [...namespaces, ...workerRoles(actions, account)]);
  return {
    plane,
    name: plane.name,
    servers: plane.servers,
    caPem: plane.caPem,
    apiServers: plane.servers.map(({ url }) => ({ url })),
    create: (...manifests) => create(plane, manifests),
    kubeconfig: (user) => plane.kubeconfig(user),
    killedAt: () => firstWrite(plane),
    close: () => plane.close(),
  };
}

export async function create({ kubectl }: ControlPlane, items: object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await kubectl(['create', '--filename=-'], list);
  if (code !== 0) throw new Error(`kubectl create failed: ${stderr.trim()}`);
}

export type RealWorld = World<RealWorldCluster>;

/** All of it but the clusters, for words that were written for a world with simulated ones. */
export function slackSideOf(world: RealWorld): World {
  const none = (name: string): never => {
    throw new Error(`${name} is not simulated.`);
  };
  return { ...world, clusters: {}, cluster: none };
}

export const USERNAME = `system:serviceaccount:${WORKER.namespace}:${WORKER.serviceAccount}`;

async function firstWrite(plane: ControlPlane): Promise<number | undefined> {
  const events = await plane.auditLog();
  const write = events.find(
    ({ user, verb, responseStatus }) =>
      user.username === USERNAME && ['patch', 'delete'].includes(verb) && responseStatus?.code === 200,
  );
  return write && Date.parse(write.stageTimestamp);
}
