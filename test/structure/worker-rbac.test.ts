// docs/worker-rbac.yaml is what the one source says, and enough: for what the actions declare and what the worker was seen to ask for.
import type { LoggedRequest } from 'kube-sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { actions } from '../../src/actions/index.ts';
import {
  type Permission,
  readPermissions,
  workerRoles,
  workerRules,
} from '../../src/domain/kubernetes/rbac.ts';
import { answer } from '../../src/engine/door/answer.ts';
import { type Harness, seedLegacy, startHarness } from '../engine/harness.ts';
import { read } from './tree.ts';
import { FILE, rendered } from './worker-rbac-file.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

interface Wanted {
  verb: string;
  group: string;
  resource: string;
  /** In one namespace, and not in the whole cluster. */
  namespaced: boolean;
}

interface Role {
  kind: string;
  metadata: { name: string };
  rules?: Rule[];
}

const roles = parseAllDocuments(read(FILE)).map((document) => document.toJS() as Role);
const rulesOf = (name: string): Rule[] =>
  roles.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)?.rules ?? [];
/** Bound in the whole cluster, and in single namespaces. */
const everywhere = rulesOf('tourniquet-worker-read');
const here = rulesOf('tourniquet-worker-namespace');
/** What Kubernetes lets everybody do who is authenticated (system:basic-user). */
const everybody: Rule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews'], verbs: ['create'] },
];

const allowed = ({ verb, group, resource, namespaced }: Wanted): boolean =>
  [...everybody, ...everywhere, ...(namespaced ? here : [])].some(
    ({ apiGroups, resources, verbs }) =>
      apiGroups.includes(group) && resources.includes(resource) && verbs.includes(verb),
  );

const VERBS: Record<string, string> = { POST: 'create', PATCH: 'patch', DELETE: 'delete' };
const PATH =
  /^\/(?:api|apis\/([^/]+))\/v\d\w*(\/namespaces\/[^/]+(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** Undefined for what is no object: the version and the signing keys, which everybody may read. */
function wantedBy({ method, path }: Pick<LoggedRequest, 'method' | 'path'>): Wanted | undefined {
  const [, group = '', namespace, plural = '', name, sub] = PATH.exec(path.split('?')[0] ?? '') ?? [];
  if (plural === '') return undefined;
  const verb = VERBS[method] ?? (name === undefined ? 'list' : 'get');
  return { verb, group, resource: sub ? `${plural}/${sub}` : plural, namespaced: namespace !== undefined };
}

test('is generated', () => {
  expect(read(FILE), 'write it anew: node test/structure/worker-rbac-file.ts').toBe(rendered());
});

const declared = (wanted: (permission: Permission) => boolean): Wanted[] =>
  [{ permissions: readPermissions }, ...actions].flatMap(({ permissions }) =>
    permissions
      .filter(wanted)
      .flatMap(({ scope, apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.map((verb): Wanted => ({ verb, group, resource, namespaced: scope === 'namespace' })),
          ),
        ),
      ),
  );

test('covers what the engine and the actions declare', () => {
  const usual = declared(({ scope }) => scope !== 'opt-in');
  expect(usual.length).toBeGreaterThan(5);
  expect(usual.filter((one) => !allowed(one))).toEqual([]);
});

test('gives nobody the power to hand out power, and says what that would be', () => {
  const optIn = declared(({ scope }) => scope === 'opt-in');
  expect(new Set(optIn.map(({ verb }) => verb))).toEqual(new Set(['bind', 'create', 'delete']));
  expect(optIn.filter((one) => allowed({ ...one, namespaced: true }))).toEqual([]);
  for (const { verb, resource } of optIn)
    expect(read(FILE)).toMatch(new RegExp(`^# .*\\b${verb}\\b.* on .*\\b${resource}\\b`, 'm'));
});

describe('the roles', () => {
  const rule = (scope: 'cluster' | 'namespace', resource: string, ...verbs: string[]) => ({
    permissions: [{ scope, apiGroups: [''], resources: [resource], verbs }],
  });

  test('grant in a namespace only what is not granted everywhere, and everything once', () => {
    const rules = workerRules([
      rule('namespace', 'pods', 'get', 'delete'),
      rule('namespace', 'pods', 'delete'),
    ]);
    expect(rules.namespace).toContainEqual({ apiGroups: [''], resources: ['pods'], verbs: ['delete'] });
    expect(JSON.stringify(rules.namespace).match(/pods/g)).toHaveLength(1);
  });

  test('put resources with the same verbs into one rule, and never mix verbs or groups', () => {
    const { cluster } = workerRules([
      rule('cluster', 'configmaps', 'watch'),
      rule('cluster', 'endpoints', 'watch'),
    ]);
    expect(cluster).toContainEqual({
      apiGroups: [''],
      resources: ['configmaps', 'endpoints'],
      verbs: ['watch'],
    });
    expect(cluster).toContainEqual({ apiGroups: [''], resources: ['nodes'], verbs: ['get'] });
  });

  test('are bound in the whole cluster for reading, and for acting where it was opted into', () => {
    const account = { namespace: 'tools', serviceAccount: 'bot', actIn: ['payments', 'ci'] };
    const bindings = workerRoles([], account).filter(({ kind }) => kind.endsWith('Binding'));
    expect(bindings.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['ClusterRoleBinding', undefined],
      ['RoleBinding', 'payments'],
      ['RoleBinding', 'ci'],
    ]);
    for (const { subjects } of bindings)
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'bot', namespace: 'tools' }]);
  });
});

describe('covers what the worker asks for', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness({ settings: { autoContain: 'off' } });
    const cluster = harness.cluster();
    const legacy = await seedLegacy(cluster);
    const { metadata } = cluster.seed.pod('payments', 'api-1', { serviceAccount: 'api' });
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'api-1', uid: metadata.uid };
    const pod = cluster.seed.requestToken('payments', 'api', { boundObjectRef });
    const unbound = cluster.seed.requestToken('payments', 'api');
    for (const token of [legacy, pod, unbound]) {
      const { incidentId: id } = await harness.leak(token);
      await harness.run(id);
      await harness.click(id, 'approve', 'UINES');
      await harness.run(id, 60_000);
    }
    const where = { cluster: 'prod', namespace: 'payments' };
    await answer(harness.deps.clusters, { ask: 'list-namespaces', cluster: 'prod' });
    await answer(harness.deps.clusters, { ask: 'find-service-account', ...where, name: 'apl' });
    await answer(harness.deps.clusters, { ask: 'ways-to-rotate', ...where, name: 'api' });
    await answer(harness.deps.clusters, {
      ask: 'find-service-account',
      ...where,
      namespace: 'paymnts',
      name: 'api',
    });
  });
  afterAll(() => harness.close());

  test('in three kinds of incident, from alert to proof, and in its answers', () => {
    const asked = harness.cluster().requests.filter(({ userAgent }) => userAgent !== 'tourniquet-probe');
    expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(['GET', 'POST', 'PATCH', 'DELETE']));
    const refused = asked.filter((request) => {
      const wanted = wantedBy(request);
      return wanted !== undefined && !allowed(wanted);
    });
    expect(refused.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('and what is no object is only the version and the keys', () => {
    const others = harness.cluster().requests.filter((request) => wantedBy(request) === undefined);
    expect([...new Set(others.map(({ path }) => path))].toSorted()).toEqual(['/openid/v1/jwks', '/version']);
  });
});

describe('what is not covered would be seen', () => {
  test.each<[string, Wanted]>([
    [
      'GET /api/v1/namespaces/payments/secrets/api',
      { verb: 'get', group: '', resource: 'secrets', namespaced: true },
    ],
    ['GET /api/v1/secrets', { verb: 'list', group: '', resource: 'secrets', namespaced: false }],
    [
      'GET /api/v1/namespaces?limit=500',
      { verb: 'list', group: '', resource: 'namespaces', namespaced: false },
    ],
    [
      'GET /api/v1/namespaces/payments',
      { verb: 'get', group: '', resource: 'namespaces', namespaced: false },
    ],
    [
      'POST /api/v1/namespaces/a/serviceaccounts/b/token',
      { verb: 'create', group: '', resource: 'serviceaccounts/token', namespaced: true },
    ],
    [
      'GET /apis/apps/v1/namespaces/a/replicasets?limit=1',
      { verb: 'list', group: 'apps', resource: 'replicasets', namespaced: true },
    ],
  ])('%s is understood', (line, wanted) => {
    const [method = '', path = ''] = line.split(' ');
    expect(wantedBy({ method, path })).toEqual(wanted);
  });

  test('Secrets of the whole cluster are out of reach', () => {
    expect(allowed({ verb: 'list', group: '', resource: 'secrets', namespaced: false })).toBe(false);
    expect(allowed({ verb: 'create', group: 'apps', resource: 'deployments', namespaced: true })).toBe(false);
    expect(allowed({ verb: 'create', group: '', resource: 'pods', namespaced: false })).toBe(false);
  });
});
