// The patch for Git, applied by kubectl or built by a kustomization, gives the very template that the live edit gives.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { WorkloadObject } from '../../src/domain/kubernetes/objects.ts';
import { templateOf } from '../../src/domain/kubernetes/pod-references.ts';
import { repointed } from '../../src/domain/kubernetes/repoint.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { ACCOUNT, leak, openSpace, type Space } from './leaks.ts';

let cluster: RealWorldCluster;
let room: EngineRoom;
let space: Space;
let directory: string;

const SECRET = 'checkout-token';
const env = { name: 'TOKEN', valueFrom: { secretKeyRef: { name: SECRET, key: 'token', optional: true } } };
const container = { image: 'example.test/none', command: ['serve'] };

/** Refers to the Secret in every way, among much that does not. */
const spec = {
  serviceAccountName: ACCOUNT,
  imagePullSecrets: [{ name: 'first' }, { name: SECRET }, { name: 'last' }],
  volumes: [
    { name: 'scratch', emptyDir: {} },
    { name: 'token', secret: { secretName: SECRET, defaultMode: 0o400 } },
    {
      name: 'mixed',
      projected: {
        sources: [
          { configMap: { name: SECRET } },
          { secret: { name: SECRET, optional: true } },
          { downwardAPI: {} },
        ],
      },
    },
    { name: 'driver', csi: { driver: 'example.test', nodePublishSecretRef: { name: SECRET } } },
  ],
  initContainers: [
    {
      ...container,
      name: 'init',
      envFrom: [{ prefix: 'A_', configMapRef: { name: 'a' } }, { secretRef: { name: SECRET } }],
    },
  ],
  containers: [
    { ...container, name: 'side', env: [{ name: 'PLAIN', value: SECRET }] },
    { ...container, name: 'main', env: [{ name: 'BEFORE', value: '1' }, env, { name: 'AFTER', value: '2' }] },
  ],
};

const labels = { app: 'all' };
const template = { metadata: { labels }, spec };
const selector = { matchLabels: labels };
/** Without Pods, which nobody could start. */
const KINDS = {
  Deployment: { apiVersion: 'apps/v1', spec: { replicas: 0, selector, template } },
  StatefulSet: { apiVersion: 'apps/v1', spec: { replicas: 0, serviceName: 'none', selector, template } },
  DaemonSet: {
    apiVersion: 'apps/v1',
    spec: { selector, template: { ...template, spec: { ...spec, nodeSelector: { no: 'node' } } } },
  },
  CronJob: {
    apiVersion: 'batch/v1',
    spec: {
      schedule: '0 0 1 1 *',
      suspend: true,
      jobTemplate: { spec: { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } } },
    },
  },
} as const;
type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

const manifest = (kind: Kind) => ({
  ...KINDS[kind],
  kind,
  metadata: { name: kind.toLowerCase(), labels: { 'argocd.argoproj.io/instance': 'shop' } },
});

beforeAll(async () => {
  cluster = await realCluster('prod')();
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-git-'));
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    settings: { autoContain: 'off' },
  });
  space = await openSpace(cluster.plane);
  await leak(space, 'legacy');
  await cluster.create(
    ...kinds.map((kind) => {
      const { metadata, ...rest } = manifest(kind);
      return { ...rest, metadata: { ...metadata, namespace: space.namespace } };
    }),
  );
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
  if (directory) rmSync(directory, { recursive: true });
});

async function kubectl(...args: string[]): Promise<WorkloadObject> {
  const { code, stdout, stderr } = await cluster.plane.kubectl(['-n', space.namespace, ...args]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as WorkloadObject;
}

/** A kustomization puts what it merged first; lists of named things mean the same in any order. */
function byName(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(byName) as { name?: string }[];
    return items.every(({ name }) => name)
      ? items.sort((a, b) => (`${a.name}` < `${b.name}` ? -1 : 1))
      : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, byName(inner)]));
}

/** What is in Git and the patch beside it, as a person would lay them down. */
function kustomization(kind: Kind, patch: string): string {
  const place = join(directory, kind);
  mkdirSync(place, { recursive: true });
  const target = { kind, name: kind.toLowerCase() };
  writeFileSync(join(place, 'workload.yaml'), JSON.stringify(manifest(kind)));
  writeFileSync(join(place, 'patch.yaml'), patch);
  writeFileSync(
    join(place, 'kustomization.yaml'),
    JSON.stringify({ resources: ['workload.yaml'], patches: [{ path: 'patch.yaml', target }] }),
  );
  return place;
}

test.each([
  ['new-secret', { what: 'secret', from: SECRET }],
  ['new-service-account', { what: 'service-account', from: ACCOUNT }],
] as const)('%s', async (strategy, old) => {
  const at = { cluster: 'prod', namespace: space.namespace, serviceAccount: ACCOUNT };
  const goal = { do: 'rotate', strategy, dryRun: true } as const;
  const { incidentId } = await room.front.report({
    alert: { source: 'report', subject: { kind: 'coordinates', at }, goal },
  });
  const { plan } = await room.until(incidentId, (incident) => incident.plan !== undefined);
  const step = plan?.steps.find(({ params }) => params.what === old.what);
  const patches = step?.forGit ?? [];
  expect(patches).toHaveLength(kinds.length);
  for (const kind of kinds) {
    const patch = patches.find((text) => text.includes(`kind: ${kind}\n`)) ?? '';
    const place = kustomization(kind, patch);
    const name = `${kind}/${kind.toLowerCase()}`;
    const live = templateOf(await kubectl('get', name, '-o', 'json'))?.spec ?? {};
    const edited = repointed(live, { ...old, to: String(step?.params.to) });
    expect(edited).toBeDefined();
    const dry = ['--dry-run=server', '-o', 'json'];
    const patched = await kubectl(
      'patch',
      name,
      '--type',
      'strategic',
      '--patch-file',
      join(place, 'patch.yaml'),
      ...dry,
    );
    expect(templateOf(patched)?.spec).toEqual(edited);
    // As new, in another namespace: there is no live object that anything could be left in.
    const committed = await kubectl('-n', 'default', 'create', '-k', place, ...dry);
    expect(byName(templateOf(committed)?.spec)).toEqual(byName(edited));
  }
});
