// Who takes the place of a ServiceAccount: names that cannot collide, what is carried over, and which rights that takes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Approach } from '../../../src/domain/plan/goal.ts';
import { powerNotes } from '../../../src/domain/plan/power-notes.ts';
import { hasRights, keyOf, rightsFor } from '../../../src/domain/plan/rights.ts';
import { manifestFor, successionOf } from '../../../src/domain/plan/succession.ts';
import { couldSucceed, successorName } from '../../../src/domain/plan/successor.ts';
import { type BindingLike, bindingFacts, bindingPath } from '../../../src/domain/situation/bindings.ts';
import { namedElsewhere } from '../../../src/domain/situation/named-elsewhere.ts';
import type {
  AccessFact,
  BindingFact,
  RightFact,
  Situation,
} from '../../../src/domain/situation/situation.ts';
import { aBinding, anIdentity, aSituation } from '../../builders.ts';

const TODAY = '2026-11-24';
const API = { kind: 'ServiceAccount', name: 'api', namespace: 'payments' };
const WEB = { ...API, name: 'web' };
const GROUP = { kind: 'Group', name: 'system:serviceaccounts:payments' };
const USER = { kind: 'User', name: 'system:serviceaccount:payments:api' };
const reader = { kind: 'Role', name: 'reader' };

const binding = (subjects: BindingLike['subjects'], namespace?: string): BindingLike => ({
  metadata: { name: 'b', uid: 'u', ...(namespace ? { namespace } : {}) },
  ...(subjects ? { subjects } : {}),
  roleRef: reader,
});

describe('a binding', () => {
  it.each<[string, BindingLike['subjects'], Partial<BindingFact> | undefined]>([
    ['that names it alone', [API], { as: 'ServiceAccount', sole: true, subjects: 1 }],
    ['that names it twice', [API, API], { as: 'ServiceAccount', sole: true, subjects: 2 }],
    ['that names another too', [API, WEB], { as: 'ServiceAccount', sole: false, subjects: 2 }],
    ['that names its group before itself', [GROUP, API], { as: 'ServiceAccount', sole: false }],
    ['that means it as a user', [USER], { as: 'User', sole: false }],
    ['that means it as one of a group', [GROUP], { as: 'Group', sole: false }],
    ['that names another', [WEB], undefined],
    ['that names nobody', undefined, undefined],
    ['that names a namesake', [{ ...API, namespace: 'other' }], undefined],
  ])('%s', (_what, subjects, wanted) => {
    const [fact, ...more] = bindingFacts('payments', 'api', [binding(subjects, 'payments')]);
    expect(more).toEqual([]);
    if (wanted === undefined) expect(fact).toBeUndefined();
    else expect(fact).toMatchObject({ kind: 'RoleBinding', namespace: 'payments', role: reader, ...wanted });
  });

  it('of the whole cluster has no namespace', () => {
    const [fact] = bindingFacts('payments', 'api', [binding([API])]);
    expect(fact).toMatchObject({ kind: 'ClusterRoleBinding', uid: 'u' });
    expect(fact).not.toHaveProperty('namespace');
  });
});

const here = (changes: Partial<BindingFact> = {}): BindingFact =>
  aBinding({ kind: 'RoleBinding', namespace: 'payments', name: 'read', ...changes });
const copies = (bindings: BindingFact[], who = anIdentity(), today = TODAY): string[] =>
  successionOf(who, aSituation({ bindings }), today)?.bindings.map(({ to }) => to) ?? [];

describe('the name of a new binding', () => {
  it.each<[string, BindingFact, string]>([
    ['is of the old and of the new ServiceAccount', here(), 'read-api-r20261124'],
    ['does not repeat the old ServiceAccount', here({ name: 'read-api' }), 'read-api-r20261124'],
    ['says the namespace where that is another', here({ namespace: 'ops' }), 'read-payments-api-r20261124'],
    ['says the namespace where there is none', aBinding({ name: 'all' }), 'all-payments-api-r20261124'],
    ['keeps what only looks like it', here({ name: 'api' }), 'api-api-r20261124'],
  ])('%s', (_what, from, to) => {
    expect(copies([from])).toEqual([to]);
  });

  it('does not grow when its ServiceAccount is replaced again', () => {
    const next = anIdentity({ serviceAccount: { name: 'api-r20261124', uid: 'u' } });
    expect(copies([here({ name: 'read-api-r20261124' })], next, '2027-01-02')).toEqual([
      'read-api-r20270102',
    ]);
  });

  it('differs for two ServiceAccounts that share a binding', () => {
    const shared = aBinding({ name: 'shared' });
    const others = [
      anIdentity(),
      anIdentity({ serviceAccount: { name: 'web' } }),
      anIdentity({ namespace: 'ops' }),
    ];
    const all = others.flatMap((who) => copies([shared], who));
    expect(new Set(all).size).toBe(3);
  });

  it('is a name that Kubernetes takes, however long the old ones are', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,250}[a-z0-9]$/);
    fc.assert(
      fc.property(name, name, (bound, account) => {
        const who = anIdentity({ serviceAccount: { name: account } });
        const [to = ''] = copies([here({ name: bound })], who);
        expect(to.length).toBeLessThanOrEqual(253);
        expect(to).toMatch(/^[a-z][a-z0-9-]*$/);
        expect(to).not.toBe(bound);
      }),
    );
  });
});

describe('the new ServiceAccount', () => {
  const manifest = { metadata: { name: 'api' } };
  it.each<[string, Record<string, unknown>, object]>([
    ['labels', { metadata: { name: 'api', labels: { team: 'a' } } }, { labels: { team: 'a' } }],
    [
      'the identity of a cloud',
      { metadata: { name: 'api', annotations: { 'eks.amazonaws.com/role-arn': 'arn' } } },
      { annotations: { 'eks.amazonaws.com/role-arn': 'arn' } },
    ],
  ])('carries over %s', (_what, old, wanted) => {
    expect(manifestFor(old as typeof manifest, 'new')).toEqual({ metadata: { name: 'new', ...wanted } });
  });

  it.each([
    'app.kubernetes.io/managed-by',
    'app.kubernetes.io/instance',
    'helm.sh/chart',
    'meta.helm.sh/release-name',
    'argocd.argoproj.io/tracking-id',
    'kustomize.toolkit.fluxcd.io/name',
    'kubectl.kubernetes.io/last-applied-configuration',
  ])('does not say that %s owns it', (key) => {
    const metadata = { name: 'api', labels: { [key]: 'x' }, annotations: { [key]: 'x', mine: 'y' } };
    expect(manifestFor({ metadata }, 'new')).toEqual({
      metadata: { name: 'new', annotations: { mine: 'y' } },
    });
  });

  it('keeps pull Secrets and automount', () => {
    const old = {
      ...manifest,
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'registry' }],
    };
    expect(manifestFor(old, 'new')).toEqual({
      metadata: { name: 'new' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'registry' }],
    });
  });

  it('gets a token Secret only for those that are used or listed, and never one of the old name', () => {
    const [secret] = aSituation().tokenSecrets;
    if (secret === undefined) throw new Error('no Secret');
    const tokenSecrets = [
      { ...secret, used: true as const },
      { ...secret, name: 'idle' },
      { ...secret, name: 'named', listed: true as const },
      { ...secret, name: 'going', used: true as const, deleting: true },
      { ...secret, name: 'copy', used: true as const, otherType: true as const },
    ];
    expect(successionOf(anIdentity(), aSituation({ tokenSecrets }), TODAY)?.secrets).toEqual([
      { from: 'api-token', to: 'api-token-r20261124' },
      { from: 'named', to: 'named-r20261124' },
    ]);
  });

  it('gets a name that nobody has', () => {
    const access = anAccess([], { namesakes: [{ name: 'api-r20261124' }] });
    expect(successionOf(anIdentity(), aSituation({ access }), TODAY)?.name).toBe('api-r20261124-2');
  });

  it('has a name that is recognised as one of a successor', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,251}[a-z0-9]$/);
    fc.assert(
      fc.property(name, fc.integer({ min: 0, max: 3 }), (old, more) => {
        const taken: string[] = [];
        for (let n = 0; n <= more; n++) taken.push(successorName(old, TODAY, taken));
        for (const one of taken) expect(couldSucceed(one, old)).toBe(true);
      }),
    );
  });
});

function anAccess(rights: RightFact[], changes: Partial<AccessFact> = {}): AccessFact {
  return { worker: 'system:serviceaccount:tourniquet:worker', rights, namesakes: [], made: [], ...changes };
}

const BINDINGS = [
  aBinding({ name: 'all', role: { kind: 'ClusterRole', name: 'admin' } }),
  here({ role: { kind: 'ClusterRole', name: 'view' } }),
  here({ name: 'own', role: { kind: 'Role', name: 'reader' } }),
  here({ name: 'shared', sole: false, subjects: 2 }),
  here({ name: 'group', as: 'Group', sole: false }),
];

function asked(approach: Approach, has: (right: string) => RightFact['has'], made: string[] = []): Situation {
  const bare = aSituation({ bindings: BINDINGS, access: anAccess([], { made }) });
  const rights = rightsFor(approach, anIdentity(), bare, TODAY).map((right) => ({
    ...right,
    has: has(keyOf(right)),
  }));
  return { ...bare, access: anAccess(rights, { made }) };
}

describe('the rights', () => {
  const rights = (approach: Approach, made: string[] = []) =>
    asked(approach, () => 'yes', made)
      .access?.rights.map(keyOf)
      .toSorted();

  it('that copies take: to make each, to take it back, and to bind its role where it is', () => {
    expect(rights('new-service-account')).toEqual([
      'bind clusterroles  admin',
      'bind clusterroles payments cluster-admin',
      'bind clusterroles payments view',
      'bind roles payments reader',
      'create clusterrolebindings  ',
      'create rolebindings payments ',
      'delete clusterrolebindings  all-payments-api-r20261124',
      'delete rolebindings payments own-api-r20261124',
      'delete rolebindings payments read-api-r20261124',
      'delete rolebindings payments shared-api-r20261124',
    ]);
  });

  it('that are left where a person made a binding already', () => {
    const left = rights('new-service-account', ['ClusterRoleBinding/all-payments-api-r20261124']);
    expect(left).toHaveLength(7);
    expect(left?.filter((right) => right.includes('clusterrolebindings'))).toEqual([]);
  });

  it('that taking power away takes: for the old ones that name nobody else', () => {
    expect(rights('unbind')).toEqual([
      'bind clusterroles  admin',
      'bind clusterroles payments view',
      'bind roles payments reader',
      'create clusterrolebindings  ',
      'create rolebindings payments ',
      'delete clusterrolebindings  all',
      'delete rolebindings payments own',
      'delete rolebindings payments read',
    ]);
  });

  it.each<[string, Situation, boolean]>([
    ['all are there', asked('new-service-account', () => 'yes'), true],
    [
      'one is missing',
      asked('new-service-account', (r) => (r.startsWith('bind roles') ? 'no' : 'yes')),
      false,
    ],
    ['one is not known', asked('new-service-account', (r) => (/reader/.test(r) ? 'unknown' : 'yes')), false],
    ['nobody asked', aSituation(), false],
    ['no binding names it', aSituation({ bindings: [], access: anAccess([]) }), true],
    [
      'the bindings could not be read',
      aSituation({
        bindings: [],
        access: anAccess([]),
        radius: { tier: 'unknown', lines: [], bindings: [] },
      }),
      false,
    ],
  ])('decide: %s', (_what, situation, wanted) => {
    expect(hasRights(situation)).toBe(wanted);
  });
});

const notes = (approach: Approach, situation: Situation) =>
  powerNotes(approach, anIdentity(), situation, TODAY);

describe('the notes', () => {
  it('say exactly which rules are missing, as YAML, where, and for whom', () => {
    const missing = asked('new-service-account', (right) => (right.startsWith('create') ? 'yes' : 'no'));
    const all = notes('new-service-account', missing);
    const rules = all
      .filter((note) => note.includes('system:serviceaccount:tourniquet:worker'))
      .map((note) => [note.includes('namespace payments'), parse(note.slice(note.indexOf(': [') + 2))]);
    const rule = (verb: string, resource: string, ...resourceNames: string[]) => ({
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: [resource],
      verbs: [verb],
      resourceNames,
    });
    expect(rules).toEqual([
      [
        false,
        [
          rule('delete', 'clusterrolebindings', 'all-payments-api-r20261124'),
          rule('bind', 'clusterroles', 'admin'),
        ],
      ],
      [
        true,
        [
          rule('delete', 'rolebindings', 'own-api-r20261124', 'read-api-r20261124', 'shared-api-r20261124'),
          rule('bind', 'clusterroles', 'cluster-admin', 'view'),
          rule('bind', 'roles', 'reader'),
        ],
      ],
    ]);
    const commands = all.join(' ; ');
    expect(commands).toContain(
      'kubectl --context prod -n payments create rolebinding own-api-r20261124 --role=reader --serviceaccount=payments:api-r20261124',
    );
    expect(commands).toContain(
      'kubectl --context prod create clusterrolebinding all-payments-api-r20261124 --clusterrole=admin --serviceaccount=payments:api-r20261124',
    );
  });

  it('are cut between commands, never within one', () => {
    const bindings = Array.from({ length: 40 }, (_, n) => here({ name: `binding-number-${n}` }));
    const access = anAccess([{ verb: 'create', resource: 'rolebindings', namespace: 'payments', has: 'no' }]);
    const all = notes('new-service-account', aSituation({ bindings, access }));
    for (const note of all) expect(note.length).toBeLessThanOrEqual(900);
    const commands = all.flatMap((note) => note.split(' ; ')).filter((text) => text.includes('kubectl'));
    expect(commands).toHaveLength(40);
    for (const command of commands) expect(command).toMatch(/--serviceaccount=payments:api-r20261124$/);
  });

  it('name the earlier try that is left over, finalizers, and the bindings that will name nobody', () => {
    const ready = asked('new-service-account', () => 'yes');
    const access = {
      ...(ready.access ?? anAccess([])),
      namesakes: [{ name: 'api-r20261101', replaces: 'api' }, { name: 'api-reader' }],
    };
    const serviceAccount = { ...(ready.serviceAccount as object), finalizers: ['example.test/hold'] };
    const said = notes('new-service-account', { ...ready, access, serviceAccount } as Situation).join('\n');
    expect(said).toContain('delete serviceaccount api-r20261101');
    expect(said).not.toContain('api-reader');
    expect(said).toContain('example.test/hold');
    expect(said).toContain('kubectl --context prod delete clusterrolebinding all');
    expect(said).not.toContain('delete rolebinding shared');
  });

  it('leave shared and group bindings to a person where power is taken away', () => {
    const said = notes(
      'unbind',
      asked('unbind', () => 'yes'),
    ).join('\n');
    expect(said).toContain('kubectl --context prod -n payments edit rolebinding shared');
    expect(said).toContain(bindingPath(here({ name: 'group' })));
    expect(said).toContain('kills no token');
  });

  it.each(['revoke', 'restart', 'recreate', 'new-secret', 'replace-pod'] as const)(
    'are none for %s',
    (approach) => {
      expect(
        notes(
          approach,
          asked('new-service-account', () => 'no'),
        ),
      ).toEqual([]);
    },
  );
});

describe('what knows it by its name', () => {
  const told = (annotations: Record<string, string>) => {
    const serviceAccount = aSituation().serviceAccount;
    if (serviceAccount === null) throw new Error('no ServiceAccount');
    const manifest = { metadata: { name: 'api', annotations } };
    const identity = anIdentity({ issuer: 'https://oidc.example/id/1' });
    return namedElsewhere(identity, { serviceAccount: { ...serviceAccount, manifest } }, 'api-r1').join('\n');
  };

  it.each<[string, Record<string, string>, string[]]>([
    [
      'AWS',
      { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/api' },
      ['arn:aws:iam::1:role/api', '"system:serviceaccount:payments:api-r1"', '"oidc.example/id/1:sub"'],
    ],
    [
      'Google',
      { 'iam.gke.io/gcp-service-account': 'api@p.iam.gserviceaccount.com' },
      ['add-iam-policy-binding api@p.iam.gserviceaccount.com', 'svc.id.goog[payments/api-r1]'],
    ],
    [
      'Azure',
      { 'azure.workload.identity/client-id': 'c-1' },
      ['c-1', '--issuer https://oidc.example/id/1', '--subject system:serviceaccount:payments:api-r1'],
    ],
    ['nobody', {}, ['Vault', 'ns/payments/sa/api-r1']],
  ])('%s', (_who, annotations, wanted) => {
    for (const text of wanted) expect(told(annotations)).toContain(text);
    if (Object.keys(annotations).length === 0) expect(told({})).not.toMatch(/IAM|gcloud|az identity/);
  });
});
