// The product as its worker uses it: its own adapter and actions, and no more power in a namespace than is declared.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { actions } from '../../../../src/actions/index.ts';
import { connectCluster } from '../../../../src/adapters/kubernetes/cluster.ts';
import type { Action, StepTools } from '../../../../src/contracts/action.ts';
import { workerRules } from '../../../../src/domain/kubernetes/rbac.ts';
import { resources } from '../../../../src/domain/kubernetes/resources.ts';
import type { Outcome, Verdict } from '../../../../src/domain/outcome.ts';
import { readClaims } from '../../../../src/domain/token/claims.ts';
import type { Cluster } from '../../../../src/ports/cluster.ts';
import { Secret } from '../../../../src/secret.ts';
import { stepTools } from '../../../step-tools.ts';
import { type Api, eventually } from '../api.ts';
import type { Room } from '../room.ts';

const WORKER = 'tourniquet';

export interface Product {
  cluster: Cluster;
  /** Carries out one action, and returns what it says; `token` is the leaked one, where it is in hand. */
  run(action: string, params: object, token?: string): Promise<Outcome>;
  verify(action: string, params: object, token?: string): Promise<Verdict>;
  undo(action: string, params: object, token?: string): Promise<Verdict>;
}

const opened: (() => Promise<void>)[] = [];

/** Every connection that was made; the kept ones would outlive their tests. */
export const closeAll = async (): Promise<void> => {
  await Promise.all(opened.splice(0).map((close) => close()));
};

export async function employ(room: Room): Promise<Product> {
  await grant(room);
  const product = await connect(room.api, await room.token(WORKER));
  // Servers learn of a new binding a moment later.
  const any = { namespace: room.namespace, name: 'none' };
  await eventually(async () => {
    expect(await product.cluster.get({ resource: resources.secrets, ...any })).toBeNull();
    expect(await product.cluster.get({ resource: resources.serviceAccounts, ...any })).toBeNull();
  });
  return product;
}

/** What the worker may do in a namespace that was opted into. */
async function grant(room: Room): Promise<void> {
  const { cluster, namespace } = workerRules(actions);
  const rules = [...cluster, ...namespace];
  await room.create('serviceaccounts', WORKER);
  await room.create('roles', WORKER, { rules });
  await room.create('rolebindings', WORKER, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: WORKER },
    subjects: [{ kind: 'ServiceAccount', name: WORKER, namespace: room.namespace }],
  });
}

/** With this token of its own; a clone accepts the same. */
export async function connect(api: Api, own: string): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'tourniquet-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigFor(api, own));
  const cluster = connectCluster({
    name: 'prod',
    kubeconfig,
    apiServers: [{ url: api.url }],
    searchNamespaces: [],
    timeout: 60_000,
  });
  opened.push(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });
  return productOf(cluster);
}

function kubeconfigFor({ url, caPem }: Api, token: string): string {
  const ca = Buffer.from(caPem).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': WORKER,
    clusters: [{ name: WORKER, cluster: { server: url, 'certificate-authority-data': ca } }],
    users: [{ name: WORKER, user: { token } }],
    contexts: [{ name: WORKER, context: { cluster: WORKER, user: WORKER } }],
  });
}

function productOf(cluster: Cluster): Product {
  const find = (name: string): Action => {
    const action = actions.find((each) => each.name === name);
    if (action === undefined) throw new Error(`There is no action ${name}.`);
    return action;
  };
  return {
    cluster,
    run: (name, params, token) => {
      const action = find(name);
      return action.execute(benchFor(cluster, token), action.params.parse(params));
    },
    verify: async (name, params, token) => {
      const action = find(name);
      return (await action.verify(benchFor(cluster, token), action.params.parse(params))).verdict;
    },
    undo: async (name, params, token) => {
      const action = find(name);
      const outcome = await action.undo?.(benchFor(cluster, token), action.params.parse(params));
      return outcome?.verdict ?? 'unknown';
    },
  };
}

function benchFor(cluster: Cluster, token: string | undefined): StepTools {
  const { name } = cluster;
  if (token === undefined) {
    const known = { kind: 'every-token', authenticity: 'coordinates' } as const;
    const identity = {
      ...known,
      clusters: [name],
      namespace: '',
      serviceAccount: { name: '' },
      audiences: [],
    };
    return stepTools(cluster, identity);
  }
  const claims = readClaims(token);
  if ('problem' in claims) throw new Error(claims.problem);
  const identity = { ...claims, clusters: [name], authenticity: 'signature' as const };
  return stepTools(cluster, identity, new Secret(token));
}
