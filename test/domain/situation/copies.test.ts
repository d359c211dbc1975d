// Where a token is found again: every shape that people keep one in, what only looks like it, and how much is looked at.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { copiesAtStake } from '../../../src/domain/plan/copies-at-stake.ts';
import { copyLine, copyTodo } from '../../../src/domain/plan/copy-text.ts';
import type { Approach } from '../../../src/domain/plan/goal.ts';
import { planFor } from '../../../src/domain/plan/planner.ts';
import {
  copiesIn,
  MAX_VALUE_CHARS,
  type SecretContent,
  type Wanted,
} from '../../../src/domain/situation/copies.ts';
import type { CopyFact } from '../../../src/domain/situation/situation.ts';
import { anIdentity, aSituation, T0 } from '../../builders.ts';
import { base64, boundPayload, jwt, legacyToken, wrap } from '../token/token-samples.ts';

const key = randomBytes(32);
const hash = (value: string): string => createHmac('sha256', key).update(value).digest('hex');
const leaked = legacyToken();
const second = legacyToken('ES256');
const account = { namespace: 'gondor', name: 'faramir', uid: randomUUID() };
const requested = (more: Record<string, unknown> = {}, uid = account.uid): string =>
  jwt(boundPayload({ serviceaccount: { name: 'faramir', uid } }, { exp: T0 / 1000 + 3600, ...more }));

const wanted: Wanted = {
  hashes: new Map<string, string | null>([
    [hash(leaked), null],
    [hash(second), 'faramir-second'],
  ]),
  hash,
  account,
  tokenSecrets: ['faramir-token', 'faramir-second'],
  now: T0,
};

const secret = (data: Record<string, string | Buffer>, more: Partial<SecretContent> = {}): SecretContent => ({
  type: 'Opaque',
  data: Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  ...more,
  metadata: { name: 'copy', uid: 'uid-copy', namespace: 'shire', ...more.metadata },
});
const find = (data: Record<string, string | Buffer>, more: Partial<SecretContent> = {}) =>
  copiesIn(secret(data, more), wanted).found.map(({ key: at, shape, holds, of }) => [
    at,
    shape,
    holds,
    ...(of ? [of] : []),
  ]);

const kubeconfig = (token: string): string =>
  `apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: https://10.0.0.1}\nusers:\n- name: ci\n  user:\n    token: ${token}\n`;
const argo = (token: string): string =>
  JSON.stringify({
    bearerToken: token,
    tlsClientConfig: { insecure: false, caData: base64('x'.repeat(900)) },
  });
const labelled = { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } };
const meta = (more: Partial<SecretContent['metadata']>) => ({
  metadata: { name: 'copy', uid: 'uid-copy', namespace: 'shire', ...more },
});
const login = (token: string): string =>
  JSON.stringify({ auths: { 'registry.example.test': { username: 'sa', auth: base64(`sa:${token}`) } } });

describe('a copy', () => {
  it.each<[string, Record<string, string | Buffer>, Partial<SecretContent>, string, string]>([
    ['the value alone', { token: leaked }, {}, 'token', 'plain'],
    ['with white space around it', { t: `\n  ${leaked}\r\n` }, {}, 't', 'plain'],
    [
      'in another token Secret',
      { token: leaked },
      { type: 'kubernetes.io/service-account-token' },
      'token',
      'plain',
    ],
    ['a kubeconfig', { kubeconfig: kubeconfig(leaked) }, {}, 'kubeconfig', 'kubeconfig'],
    ['a kubeconfig under config', { config: kubeconfig(leaked) }, {}, 'config', 'kubeconfig'],
    ['a kubeconfig of Flux', { value: kubeconfig(leaked) }, {}, 'value', 'flux'],
    ['a kubeconfig of Flux with an ending', { 'value.yaml': kubeconfig(leaked) }, {}, 'value.yaml', 'flux'],
    [
      'a kubeconfig in JSON',
      { k: JSON.stringify({ kind: 'Config', users: [{ name: 'a', user: { token: leaked } }] }) },
      {},
      'k',
      'kubeconfig',
    ],
    ['a kubeconfig in base64 once more', { k: base64(kubeconfig(leaked)) }, {}, 'k', 'kubeconfig'],
    [
      'an Argo CD cluster',
      { config: argo(leaked), server: 'https://a' },
      meta(labelled),
      'config',
      'argo-cd',
    ],
    ['the same without the label', { config: argo(leaked) }, {}, 'config', 'text'],
    [
      'a registry login',
      { '.dockerconfigjson': login(leaked) },
      { type: 'kubernetes.io/dockerconfigjson' },
      '.dockerconfigjson',
      'docker',
    ],
    ['a .env file', { '.env': `A=1\nexport TOKEN="${leaked}"\nB=2\n` }, {}, '.env', 'text'],
    ['a header', { h: `Authorization: Bearer ${leaked}` }, {}, 'h', 'text'],
    ['wrapped over lines', { note: `token: |\n${wrap(leaked, 64, '  ')}\nend: 1` }, {}, 'note', 'text'],
    ['a manifest of a Secret', { m: `kind: Secret\ndata:\n  token: ${base64(leaked)}\n` }, {}, 'm', 'text'],
    [
      'among bytes',
      { bin: Buffer.concat([randomBytes(500), Buffer.from(` ${leaked} `), randomBytes(500)]) },
      {},
      'bin',
      'text',
    ],
    ['beside another token', { both: `${legacyToken()}\n${leaked}` }, {}, 'both', 'text'],
  ])('is found: %s', (_what, data, more, at, shape) => {
    expect(find(data, more)).toEqual([[at, shape, 'leaked']]);
  });

  it.each<[string, Record<string, string>]>([
    ['a token of another', { token: legacyToken() }],
    [
      'the same claims, signed anew',
      { token: `${leaked.slice(0, leaked.lastIndexOf('.'))}.${randomBytes(256).toString('base64url')}` },
    ],
    ['cut off', { token: leaked.slice(0, -1) }],
    ['a part of it', { token: leaked.split('.')[1] ?? '' }],
    ['a hash of it', { hash: hash(leaked) }],
    ['a kubeconfig of another', { kubeconfig: kubeconfig(legacyToken()) }],
    ['a token of an earlier ServiceAccount of that name', { token: requested({}, randomUUID()) }],
    ['an expired one of this ServiceAccount', { token: requested({ exp: T0 / 1000 - 1 }) }],
    ['nothing', { a: '' }],
  ])('is not: %s', (_what, data) => {
    expect(find(data)).toEqual([]);
  });

  it('of another token Secret names that one, and of a requested token the ServiceAccount', () => {
    expect(find({ a: second, b: requested(), c: `${requested()} ${second} ${leaked}` })).toEqual([
      ['a', 'plain', 'secret', 'faramir-second'],
      ['b', 'plain', 'account'],
      ['c', 'text', 'leaked'],
    ]);
  });

  it('is none in the Secrets that hold the tokens of the ServiceAccount themselves, and is one under their name elsewhere', () => {
    const home = { namespace: 'gondor' };
    const type = 'kubernetes.io/service-account-token';
    const annotations = { 'kubernetes.io/service-account.name': 'faramir' };
    expect(find({ token: leaked }, { type, ...meta({ ...home, annotations, name: 'unlisted' }) })).toEqual(
      [],
    );
    expect(find({ token: leaked }, meta({ ...home, name: 'faramir-token' }))).toEqual([]);
    expect(find({ token: leaked }, meta({ ...home, name: 'other' }))).toHaveLength(1);
    expect(find({ token: leaked }, { type, ...meta({ annotations, name: 'faramir-token' }) })).toHaveLength(
      1,
    );
  });

  it('names whoever writes it, by owner references as by field managers', () => {
    const owned = meta({
      ownerReferences: [
        { apiVersion: 'secrets.hashicorp.com/v1beta1', kind: 'VaultStaticSecret', name: 'x', uid: 'o' },
      ],
      managedFields: [{ manager: 'argocd-controller' }, { manager: 'velero-server' }],
    });
    const [copy] = copiesIn(secret({ token: leaked }, owned), wanted).found;
    expect(copy?.managedBy).toEqual(['Argo CD', 'Vault Secrets Operator', 'Velero']);
  });

  it('is looked for in the beginning of a value alone, and what was left out is said', () => {
    const filler = 'x '.repeat(MAX_VALUE_CHARS / 2);
    expect(copiesIn(secret({ big: `${filler}${leaked}` }), wanted)).toEqual({
      found: [],
      cut: ['shire/copy key big'],
    });
    expect(find({ big: `${filler.slice(leaked.length)}${leaked}` })).toEqual([['big', 'text', 'leaked']]);
  });

  it('takes no long time to look for, whatever stands there', () => {
    const began = performance.now();
    for (const text of ['eyJhbGciOiJSUzI1NiJ9.eyJ', 'eyJaaaaaaaaaa.', `${'a'.repeat(76)}\n`, '"kind" : '])
      copiesIn(secret({ a: text.repeat(MAX_VALUE_CHARS / text.length) }), wanted);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('leaves nothing of its value in what is said of it', () => {
    const all = { 'a.env': `T=${leaked}`, value: kubeconfig(leaked), config: argo(leaked), plain: leaked };
    const said = JSON.stringify(copiesIn(secret(all, meta(labelled)), wanted));
    for (const piece of [...leaked.split('.').slice(1), base64(leaked).slice(200, 400), hash(leaked)])
      expect(said).not.toContain(piece);
    expect(said).toContain('argo-cd');
  });
});

const aCopy = (changes: Partial<CopyFact> = {}): CopyFact => ({
  namespace: 'ci',
  name: 'deploy',
  uid: 'uid-copy',
  key: 'config',
  shape: 'kubeconfig',
  holds: 'leaked',
  managedBy: [],
  usedBy: ['Deployment/runner'],
  ...changes,
});
const copies = (...found: CopyFact[]) => ({ copies: { searched: ['ci'], gaps: [], found } });

describe('copies at stake', () => {
  const all = copies(
    aCopy({ name: 'leaked' }),
    aCopy({ name: 'same', holds: 'secret', of: 'api-token' }),
    aCopy({ name: 'second', holds: 'secret', of: 'api-second' }),
    aCopy({ name: 'account', holds: 'account' }),
  );
  it.each<[Approach, Parameters<typeof anIdentity>[0], string[]]>([
    ['revoke', {}, ['leaked', 'same']],
    ['new-secret', {}, ['leaked', 'same']],
    ['new-secret', { kind: 'every-token' }, ['leaked', 'same', 'second']],
    ['recreate', {}, ['leaked', 'same', 'second', 'account']],
    ['new-service-account', {}, ['leaked', 'same', 'second', 'account']],
    ['revoke', { kind: 'unbound' }, ['leaked', 'same', 'second', 'account']],
    ['revoke', { kind: 'pod-bound' }, ['leaked']],
    ['restart', {}, []],
    ['unbind', {}, []],
  ])('by %s of %j are %j', (approach, identity, expected) => {
    const { boundTo: _, ...boundless } = anIdentity(identity);
    const who = identity?.kind === undefined ? anIdentity() : boundless;
    expect(copiesAtStake(approach, who, all).map(({ name }) => name)).toEqual(expected);
  });

  it('are named on the plan as what breaks, and make it another plan', () => {
    const plan = (found: CopyFact[]) =>
      planFor({ do: 'revoke' }, anIdentity(), [aSituation(copies(...found))], [], T0);
    const broken = plan([aCopy()]);
    expect(broken.notes.join('\n')).toContain(
      'Secret ci/deploy key config (a kubeconfig; used by Deployment/runner)',
    );
    expect(broken.hash).not.toBe(plan([]).hash);
    expect(broken.hash).toBe(plan([aCopy({ usedBy: [] })]).hash);
  });
});

describe('what to do about a copy', () => {
  it('names the place, what to write there, its source, and what to restart', () => {
    expect(copyTodo(aCopy())).toBe(
      'Secret ci/deploy key config (a kubeconfig): put the new token into its users[].user.token. Then restart Deployment/runner in ci.',
    );
    expect(copyTodo(aCopy({ shape: 'argo-cd', usedBy: [], managedBy: ['External Secrets'] }))).toBe(
      'Secret ci/deploy key config (an Argo CD cluster Secret): put the new token into bearerToken of that JSON, and at its source too, because External Secrets would write the old one again. Argo CD reads it by itself.',
    );
    expect(copyLine(aCopy({ holds: 'secret', of: 'api-second', usedBy: [] }))).toBe(
      'Secret ci/deploy key config (a kubeconfig, a copy of token Secret api-second)',
    );
  });
});
