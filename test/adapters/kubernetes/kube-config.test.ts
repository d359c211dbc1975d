// Kubeconfigs of every kind: how each authenticates, and that no unusable one is accepted or quoted.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAccess } from '../../../src/adapters/kubernetes/kube-config.ts';
import { connectAsPerson } from '../../../src/adapters/kubernetes/person.ts';
import { AppError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret.ts';
import { configOf } from './scripted-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'tourniquet-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TOKEN = `token-${crypto.randomUUID()}`;
const server = 'https://127.0.0.1:6443';
const access = (user: unknown, cluster: object = {}) =>
  loadAccess(configOf(folder, { server, ...cluster }, user));
const base64 = (text: string) => Buffer.from(text).toString('base64');

function problem(load: () => unknown): AppError {
  try {
    load();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(inspect(error, { depth: 20 })).not.toContain(TOKEN);
    return error as AppError;
  }
  return expect.fail('it was accepted');
}

it('a kubeconfig for somebody else holds the token, and nothing of the credentials by which it was asked for', async () => {
  const proxy = { 'proxy-url': `http://maya:${TOKEN}@proxy.example:3128` };
  const person = connectAsPerson(configOf(folder, { server, ...proxy }, { token: TOKEN }));
  const written = person.kubeconfigWith(new Secret('new'), { name: 'ci', namespace: 'payments' });
  expect(written).toContain('token: new');
  expect(written).toContain('proxy-url: http://proxy.example:3128');
  expect(written).not.toContain(TOKEN);
  expect(written).not.toContain('maya');
  await person.close();
});

describe('credentials', () => {
  it('token', async () => {
    expect((await access({ token: TOKEN }).credential()).headers).toEqual({
      authorization: `Bearer ${TOKEN}`,
    });
  });
  it('token file, relative to the kubeconfig and with a line break at its end', async () => {
    writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
    const { headers } = await access({ tokenFile: 'token', token: 'stale' }).credential();
    expect(headers).toEqual({ authorization: `Bearer ${TOKEN}` });
  });
  it('client certificate, also from files, read anew each time', async () => {
    writeFileSync(join(folder, 'cert'), 'first');
    const loaded = access({ 'client-certificate': 'cert', 'client-key-data': base64('key') });
    expect(String((await loaded.credential()).tls.cert)).toBe('first');
    writeFileSync(join(folder, 'cert'), 'second');
    expect(String((await loaded.credential()).tls.cert)).toBe('second');
    expect((await loaded.credential()).headers).toEqual({});
  });
  it('user name and password', async () => {
    const { headers } = await access({ username: 'a', password: TOKEN }).credential();
    expect(headers).toEqual({ authorization: `Basic ${base64(`a:${TOKEN}`)}` });
  });
  it('exec plug-in', async () => {
    const command = script(`echo '{"status":{"token":"${TOKEN}"}}'`);
    const { headers } = await access({ exec: { command, args: [] } }).credential();
    expect(headers).toEqual({ authorization: `Bearer ${TOKEN}` });
  });
  it('exec plug-in: it inherits what it needs, and no secret of ours', async () => {
    const names = ['TOURNIQUET_KEY', 'SLACK_BOT_TOKEN', 'REDIS_URL', 'TOURNIQUET_SOURCE_REPORT_FILE'];
    for (const name of names) process.env[name] = `ours-${crypto.randomUUID()}`;
    try {
      const seen = names.map((name) => `[$${name}]`).join('');
      const command = script(`echo '{"status":{"token":"'"${seen}$HOME $PLUGIN_MODE"'"}}'`);
      for (const env of [undefined, [{ name: 'PLUGIN_MODE', value: 'quiet' }]]) {
        const { headers } = await access({ exec: { command, args: [], ...(env && { env }) } }).credential();
        const mode = env === undefined ? '' : ' quiet';
        expect(headers.authorization).toBe(`Bearer [][][][]${process.env.HOME}${mode}`);
      }
    } finally {
      for (const name of names) delete process.env[name];
    }
  });
  it('exec plug-in that fails: what it printed is not repeated', async () => {
    const failing = access({ exec: { command: script(`echo ${TOKEN} >&2; exit 1`), args: [] } });
    const error: unknown = await failing.credential().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unauthorized', message: expect.stringContaining('exec plug-in') });
    expect(inspect(error, { depth: 20 })).not.toContain(TOKEN);
  });
});

function script(line: string): string {
  const path = join(folder, `plug-in-${Math.random()}`);
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('names on certificates', () => {
  it('follow the kubeconfig, the configured servers, and else the name of every API server', () => {
    const config = {
      ...configOf(folder, { server: `${server}/`, 'tls-server-name': 'own.example' }, {}),
      apiServers: [
        { url: 'https://10.0.0.1:6443/', tlsServerName: 'one.example' },
        { url: 'https://two.example' },
      ],
    };
    const loaded = loadAccess(config);
    const addresses = [server, 'https://10.0.0.1:6443', 'https://two.example', 'https://10.9.9.9:6443'];
    expect(addresses.map(loaded.tlsName)).toEqual([
      'own.example',
      'one.example',
      undefined,
      'kubernetes.default.svc',
    ]);
  });
});

describe('refused with what to do', () => {
  it('no TLS', () => {
    expect(problem(() => access({ token: TOKEN }, { server: 'http://127.0.0.1:1' })).message).toContain(
      'not https',
    );
  });
  it('unverified TLS', () => {
    const error = problem(() => access({ token: TOKEN }, { 'insecure-skip-tls-verify': true }));
    expect(error).toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('certificate-authority'),
    });
  });
  it('a context that is not there', () => {
    const config = { ...configOf(folder, { server }, { token: TOKEN }), context: 'staging' };
    expect(problem(() => loadAccess(config)).message).toContain('no usable context staging. It has: x.');
  });
  it('a missing file', () => {
    const config = { ...configOf(folder, {}, {}), kubeconfig: join(folder, 'absent') };
    expect(problem(() => loadAccess(config)).message).toContain(join(folder, 'absent'));
  });
  it('a file that is no YAML, without quoting it', () => {
    const config = configOf(folder, {}, {});
    writeFileSync(config.kubeconfig ?? '', `users: [{token: ${TOKEN}\n  : ]`);
    expect(problem(() => loadAccess(config)).code).toBe('bad-config');
  });
  it('no kubeconfig outside a Pod', () => {
    const { kubeconfig: _, ...config } = configOf(folder, {}, {});
    expect(problem(() => loadAccess(config)).message).toContain('not a Pod');
  });
});
