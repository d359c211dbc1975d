// The chart by Helm itself and on a real control plane: what it renders, what it refuses, and that it installs under the restricted level.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { actions } from '../../src/actions/index.ts';
import { parseFileConfig } from '../../src/config/config.ts';
import { grants, optInRules, type Rule, workerRules } from '../../src/domain/kubernetes/rbac.ts';
import { policySchema } from '../../src/domain/rules/schema.ts';
import { CRD, externalSecretDefinition } from '../chart/external-secret.ts';
import { type Helm, openHelm, type Values } from '../chart/helm.ts';
import { bundled, fromStore, handingOut, matrix, monitored, smallest } from '../chart/values.ts';
import { commandBlock } from '../command-blocks.ts';
import { read } from '../structure/tree.ts';

interface Container {
  name: string;
  env?: { name: string }[];
  ports: { name: string; containerPort: number }[];
  securityContext: object;
  volumeMounts: { name: string }[];
}

interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  rules?: (Rule & { resourceNames?: string[] })[];
  roleRef?: { name: string };
  spec?: {
    ingress?: unknown;
    policyTypes?: string[];
    template?: {
      spec: { automountServiceAccountToken: boolean; serviceAccountName?: string; containers: Container[] };
    };
  };
}

const NAMESPACE = 'tourniquet';
let helm: Helm;

beforeAll(async () => {
  helm = await openHelm();
}, 1_800_000);
afterAll(() => helm?.close());

async function manifestsOf(values: Values): Promise<{ text: string; objects: Rendered[] }> {
  const { stdout, stderr, code } = await helm(['template', NAMESPACE, '--namespace', NAMESPACE], values);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Rendered | null);
  return { text: stdout, objects: objects.filter((one) => one !== null) };
}

const named = (objects: Rendered[], kind: string, end: string) =>
  objects.find((one) => one.kind === kind && one.metadata.name.endsWith(end));

describe.each(matrix)('with %s', (_, values) => {
  test('lint finds nothing', async () => {
    const { stdout, stderr, code } = await helm(['lint', '--strict'], values);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  test('the configuration is one that the program takes, and no Secret is rendered', async () => {
    const { objects } = await manifestsOf(values);
    const { data = {} } = objects.find(({ kind }) => kind === 'ConfigMap') ?? {};
    const problems: string[] = [];
    parseFileConfig(parse(data['tourniquet.yaml'] ?? ''), 'tourniquet.yaml', problems);
    expect(problems).toEqual([]);
    if (values.policy) expect(policySchema.parse(parse(data['policy.yaml'] ?? '')).rules).toHaveLength(1);
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('the bot holds no Kubernetes credential, and the worker nothing of Slack', async () => {
    const { objects } = await manifestsOf(values);
    const podOf = (role: string) => named(objects, 'Deployment', `-${role}`)?.spec?.template?.spec;
    const variables = (role: string) =>
      podOf(role)?.containers.flatMap(({ env = [] }) => env.map(({ name }) => name));
    expect(podOf('bot')).toMatchObject({ automountServiceAccountToken: false });
    expect(podOf('bot')).not.toHaveProperty('serviceAccountName');
    expect(
      podOf('bot')?.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)),
    ).toEqual(['config']);
    expect(podOf('worker')?.serviceAccountName).toBe('tourniquet-worker');
    expect(variables('bot')).toEqual(
      expect.arrayContaining(['SLACK_BOT_TOKEN', 'TOURNIQUET_KEY', 'REDIS_URL']),
    );
    expect(variables('worker')?.filter((name) => /SLACK|SOURCE/.test(name))).toEqual([]);
  });

  test('the roles are what the actions declare, bound where the values say', async () => {
    const { objects } = await manifestsOf(values);
    const rbac = { create: true, actIn: [] as string[], actEverywhere: false, ...(values.rbac as object) };
    const { cluster, namespace } = workerRules(actions);
    expect(named(objects, 'ClusterRole', '-worker-read')?.rules).toEqual(rbac.create ? cluster : undefined);
    expect(named(objects, 'ClusterRole', '-worker-namespace')?.rules).toEqual(
      rbac.create ? namespace : undefined,
    );
    const bound = objects.filter(({ roleRef }) => roleRef?.name.endsWith('-worker-namespace'));
    expect(bound.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ...(rbac.actEverywhere ? [['ClusterRoleBinding', undefined]] : []),
      ...rbac.actIn.map((where) => ['RoleBinding', where]),
    ]);
  });

  test('no role hands out power but by the names of roles, and only where they are in the values', async () => {
    const { objects } = await manifestsOf(values);
    const rbac = values.rbac as { bind?: { roles?: string[]; clusterRoles?: string[] } } | undefined;
    const named = [...(rbac?.bind?.roles ?? []), ...(rbac?.bind?.clusterRoles ?? [])];
    const rules = objects.flatMap(({ rules = [] }) => rules);
    const powerful = rules.filter(({ verbs }) =>
      verbs.some((verb) => ['bind', 'escalate', 'impersonate', '*'].includes(verb)),
    );
    for (const { verbs, resourceNames } of powerful) {
      expect(verbs).toEqual(['bind']);
      expect(resourceNames?.length).toBeGreaterThan(0);
    }
    expect(new Set(powerful.flatMap(({ resourceNames = [] }) => resourceNames))).toEqual(new Set(named));
  });

  test('every container writes to no root file system, and all are looked after', async () => {
    const { objects } = await manifestsOf(values);
    const containers = objects.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
    expect(containers.length).toBeGreaterThanOrEqual(2);
    for (const container of containers) {
      expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
      expect(Object.keys(container)).toEqual(
        expect.arrayContaining(['startupProbe', 'readinessProbe', 'livenessProbe', 'resources']),
      );
    }
  });

  test('nothing may connect to the worker but who may scrape it, and that only to its health port', async () => {
    const { objects } = await manifestsOf(values);
    const policy = named(objects, 'NetworkPolicy', '-worker')?.spec;
    const isOn = (values.networkPolicy as { enabled?: boolean } | undefined)?.enabled !== false;
    expect(policy?.policyTypes).toEqual(isOn ? ['Ingress'] : undefined);
    const from = (values.metrics as { from?: object[] } | undefined)?.from;
    const scraping = from && [{ ports: [{ protocol: 'TCP', port: 'health' }], from }];
    expect(policy?.ingress).toEqual(isOn ? scraping : undefined);
  });
});

describe('with everything that watches it', () => {
  let objects: Rendered[];
  beforeAll(async () => {
    objects = (await manifestsOf(monitored)).objects;
  });
  const specOf = (kind: string): Record<string, unknown> =>
    (objects.find((one) => one.kind === kind)?.spec ?? {}) as Record<string, unknown>;

  test('lint finds nothing', async () => {
    const { stdout, stderr, code } = await helm(['lint', '--strict'], monitored);
    expect(code, stdout + stderr).toBe(0);
  });

  test('a ServiceMonitor selects one Service of each role, whose port is one of a container', () => {
    const { selector, endpoints } = specOf('ServiceMonitor') as {
      selector: { matchLabels: Record<string, string> };
      endpoints: object[];
    };
    expect(endpoints).toEqual([{ port: 'metrics', path: '/metrics', interval: '15s' }]);
    const services = objects.filter(
      ({ kind, metadata }) =>
        kind === 'Service' &&
        Object.entries(selector.matchLabels).every(([label, value]) => metadata.labels?.[label] === value),
    );
    const found = services.map(({ spec }) => {
      const { selector: pods, ports } = spec as unknown as {
        selector: Record<string, string>;
        ports: { name: string; targetPort: string; port: number }[];
      };
      const deployment = objects.find(
        ({ kind, metadata }) =>
          kind === 'Deployment' &&
          Object.entries(pods).every(([label, value]) => metadata.labels?.[label] === value),
      );
      const [container] = deployment?.spec?.template?.spec.containers ?? [];
      const [port] = ports;
      return [
        container?.name,
        port?.name,
        container?.ports.find(({ name }) => name === port?.targetPort)?.containerPort === port?.port,
      ];
    });
    expect(found).toEqual([
      ['bot', 'metrics', true],
      ['worker', 'metrics', true],
    ]);
  });

  test('the bot listens where the container says', () => {
    const config = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'tourniquet',
    );
    const { http } = parse(config?.data?.['tourniquet.yaml'] ?? '') as { http: { metricsPort: number } };
    const [container] = named(objects, 'Deployment', '-bot')?.spec?.template?.spec.containers ?? [];
    expect(container?.ports.find(({ name }) => name === 'metrics')?.containerPort).toBe(http.metricsPort);
  });

  test('the rules and the dashboard are the files, whole', () => {
    expect(specOf('PrometheusRule')).toEqual(parse(read('helm/rules/tourniquet.yaml')));
    const dashboard = named(objects, 'ConfigMap', '-dashboard');
    expect(JSON.parse(dashboard?.data?.['tourniquet.json'] ?? '')).toEqual(
      JSON.parse(read('helm/dashboards/tourniquet.json')),
    );
    expect(dashboard?.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    for (const kind of ['ServiceMonitor', 'PrometheusRule'])
      expect(objects.find((one) => one.kind === kind)?.metadata.labels).toMatchObject({
        release: 'prometheus',
      });
  });

  test('both roles know the collector, and its headers come from the Secret', () => {
    for (const role of ['bot', 'worker']) {
      const [container] = named(objects, 'Deployment', `-${role}`)?.spec?.template?.spec.containers ?? [];
      expect(container?.env).toContainEqual({
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        value: 'http://collector.monitoring:4318',
      });
      expect(container?.env).toContainEqual({
        name: 'OTEL_EXPORTER_OTLP_HEADERS',
        valueFrom: { secretKeyRef: { name: 'tourniquet', key: 'OTEL_EXPORTER_OTLP_HEADERS' } },
      });
    }
  });

  test('and nothing of it is there unless it is asked for', async () => {
    const kinds = (await manifestsOf(smallest)).objects.map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );
    expect(kinds.filter((one) => /Monitor|Rule|dashboard|metrics/.test(one))).toEqual([]);
  });
});

describe('with the power to hand out power', () => {
  test('as docs/rotation.md shows it, nothing is given in the whole cluster', async () => {
    const shown = parse(commandBlock('docs/rotation.md', 'bind')) as Values;
    const { objects } = await manifestsOf({ ...smallest, ...shown });
    const bound = objects.filter(({ roleRef }) => roleRef?.name.includes('-worker-bind'));
    expect(bound.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['RoleBinding', 'payments'],
    ]);
  });

  test('the roles are what the actions declare as opt-in, bound in the namespaces and in the cluster', async () => {
    const { objects } = await manifestsOf(handingOut);
    const rulesOf = (end: string) => named(objects, 'ClusterRole', end)?.rules ?? [];
    const [here, wide] = [rulesOf('-worker-bind'), rulesOf('-worker-bind-cluster')];
    expect(grants([...here, ...wide])).toEqual(grants(optInRules(actions)));
    const namesOf = (rules: typeof here) =>
      rules.map(({ resources, resourceNames }) => [resources.join(), resourceNames]);
    expect(namesOf(here)).toEqual([
      ['rolebindings', undefined],
      ['roles', ['own']],
      ['clusterroles', ['view', 'system:node']],
    ]);
    expect(namesOf(wide)).toEqual([
      ['clusterrolebindings', undefined],
      ['clusterroles', ['view', 'system:node']],
    ]);
    const bound = objects.filter(({ roleRef }) => /-worker-bind(-cluster)?$/.test(roleRef?.name ?? ''));
    expect(bound.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['ClusterRoleBinding', undefined],
      ['RoleBinding', 'payments'],
      ['RoleBinding', 'ci'],
    ]);
  });
});

describe('with secrets from a store', () => {
  test('one ExternalSecret makes the Secret that the Pods read, out of one entry', async () => {
    const { objects } = await manifestsOf(fromStore);
    const found = objects.filter(({ kind }) => kind === 'ExternalSecret');
    expect(found).toMatchObject([
      {
        apiVersion: 'external-secrets.io/v1',
        spec: {
          refreshInterval: '10m',
          secretStoreRef: { kind: 'SecretStore', name: 'vault' },
          target: { name: 'from-store' },
          dataFrom: [{ extract: { key: 'teams/security/tourniquet' } }],
        },
      },
    ]);
    const read = JSON.stringify(objects).matchAll(/"secretKeyRef":\{"name":"([^"]+)"/g);
    expect(new Set([...read].map(([, name]) => name))).toEqual(new Set(['from-store']));
  });
});

test.each<[string, Values, RegExp]>([
  ['no channel', { config: { people: { approvers: ['U012ABCDEF'] } } }, /slack/],
  [
    'a channel by name',
    { config: { slack: { channel: '#incidents' }, people: { approvers: ['U1A2'] } } },
    /channel/,
  ],
  ['a key that does not exist', { ...smallest, autoContain: 'off' }, /autoContain/],
  ['namespaces as one text', { ...smallest, rbac: { actIn: 'payments' } }, /actIn/],
  [
    'less time than a drain takes',
    { ...smallest, terminationGracePeriodSeconds: 10 },
    /terminationGracePeriodSeconds/,
  ],
  ['an Ingress without a host', { ...smallest, ingress: { enabled: true } }, /ingress\.host/],
  [
    'a store without a name',
    { ...smallest, externalSecret: { enabled: true, key: 'a' } },
    /externalSecret\.store\.name/,
  ],
  [
    'a store without an entry',
    { ...smallest, externalSecret: { enabled: true, store: { name: 'vault' } } },
    /externalSecret\.key/,
  ],
  ['roles to bind nowhere', { ...smallest, rbac: { bind: { roles: ['own'] } } }, /rbac\.actIn/],
  [
    'no role to bind in the cluster',
    { ...smallest, rbac: { actIn: ['ci'], bind: { roles: ['own'], clusterWide: true } } },
    /rbac\.bind\.clusterRoles/,
  ],
  [
    'two policies',
    { config: { ...(smallest.config as object), policy: { rules: [] } }, policy: { breakGlass: [] } },
    /Keep one of the two/,
  ],
])('%s is refused with a word about it', async (_, values, expected) => {
  const { stderr, code } = await helm(['template', NAMESPACE], values);
  expect(stderr).toMatch(expected);
  expect(code).toBe(1);
});

describe('on a real control plane, in a namespace at the restricted level', () => {
  let plane: ControlPlane;
  let directory: string;

  beforeAll(async () => {
    plane = await startControlPlane();
    directory = await mkdtemp(join(tmpdir(), 'tourniquet-chart-'));
    await writeFile(join(directory, 'kubeconfig'), plane.adminKubeconfig);
    const level = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    await apply([
      externalSecretDefinition,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: level } },
      ...['payments', 'ci'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'tourniquet', namespace: NAMESPACE },
        stringData: secrets(),
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'by-hand' },
        spec: {
          capacity: { storage: '5Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'by-hand',
          hostPath: { path: '/nowhere' },
        },
      },
    ]);
    const known = await plane.kubectl(['wait', '--for=condition=Established', `crd/${CRD}`]);
    expect(known).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await plane?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  async function apply(items: object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const { code, stderr } = await plane.kubectl(['apply', '--server-side', '--filename=-'], list);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }

  const canI = async (verb: string, resource: string, namespace: string): Promise<string> => {
    const as = `--as=system:serviceaccount:${NAMESPACE}:tourniquet-worker`;
    return (await plane.kubectl(['auth', 'can-i', verb, resource, as, '-n', namespace])).stdout.trim();
  };

  test.each(matrix)(
    'with %s the server takes every object without an error or a warning',
    async (_, values) => {
      const { text, objects } = await manifestsOf(values);
      const args = ['apply', '--server-side', '--dry-run=server', '--filename=-'];
      const { code, stdout, stderr } = await plane.kubectl(args, text);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n')).toHaveLength(objects.length);
    },
  );

  test('an ExternalSecret with a field that the operator does not know is refused there', async () => {
    const { text } = await manifestsOf(fromStore);
    const args = ['apply', '--server-side', '--dry-run=server', '--filename=-'];
    const { stderr } = await plane.kubectl(args, text.replace('secretStoreRef:', 'storeRef:'));
    expect(stderr).toMatch(/\.spec\.storeRef: field not declared in schema/);
  });

  test('a Pod that asks for more is refused there, so the level is in force', async () => {
    const args = ['run', 'root', '--image=a', '--namespace', NAMESPACE];
    expect((await plane.kubectl(args)).stderr).toMatch(/violates PodSecurity "restricted/);
  });

  test('Helm installs it, every Pod becomes ready, and the worker may do what it should and no more', async () => {
    const to = ['--namespace', NAMESPACE, '--kubeconfig', join(directory, 'kubeconfig')];
    const { code, stdout, stderr } = await helm(
      ['install', NAMESPACE, '--wait', '--timeout', '100s', ...to],
      bundled,
    );
    // Where the end of the waiting cuts a watch off in the middle of an answer, Helm's client says so.
    const said = stderr.replaceAll(/^E\d{4} .*request\.go.*context canceled"?\n/gm, '');
    expect({ code, said }).toEqual({ code: 0, said: '' });
    expect(stdout).toContain('The worker may act in: payments, ci.');
    const pods = await plane.kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'json']);
    const { items } = JSON.parse(pods.stdout) as {
      items: { status: { conditions: { type: string; status: string }[] } }[];
    };
    expect(items).toHaveLength(5);
    for (const { status } of items)
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    expect(await canI('patch', 'secrets', 'payments')).toBe('yes');
    expect(await canI('get', 'secrets', NAMESPACE)).toBe('no');
    expect(await canI('list', 'pods', 'kube-system')).toBe('yes');
    expect(await canI('create', 'rolebindings', 'payments')).toBe('no');
  });
});

const secrets = (): Record<string, string> =>
  Object.fromEntries(
    [
      'TOURNIQUET_KEY',
      'SLACK_BOT_TOKEN',
      'SLACK_APP_TOKEN',
      'TOURNIQUET_SOURCE_REPORT',
      'TOURNIQUET_SOURCE_GITGUARDIAN',
    ].map((name) => [name, randomBytes(16).toString('hex')]),
  );
