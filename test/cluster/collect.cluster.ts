// `tourniquet collect` on a real control plane: what a person may not do is refused with the missing rule, and the token dies with its Secret.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { create } from '../../sandbox/real-world.ts';
import { needles } from '../../sandbox/traces.ts';
import { collect } from '../../src/cli/collect/collect.ts';
import { openNamespace, until } from './leak.ts';

type Space = Awaited<ReturnType<typeof openNamespace>>;

let plane: ControlPlane;
let space: Space;
let directory: string;

beforeAll(async () => {
  plane = await startControlPlane({ name: 'prod', nodes: 0 });
  space = await openNamespace(plane);
  await Promise.all(['checkout', 'maya'].map((name) => space.serviceAccount(name)));
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-collect-'));
  const { namespace } = space;
  writeFileSync(join(directory, 'kubeconfig'), await plane.kubeconfig({ namespace, serviceAccount: 'maya' }));
});
afterAll(async () => {
  await plane?.close();
  if (directory) rmSync(directory, { recursive: true });
});

const file = (user: string): string => join(directory, `${user}.token`);

async function take(user: string): Promise<{ said: string; token: string }> {
  let said = '';
  const write = (text: string) => (said += text);
  const of = ['--service-account', `prod/${space.namespace}/checkout`];
  await collect.run([...of, '--for', user, '--out', file(user)], {
    stdin: (async function* () {})(),
    stdout: { write },
    stderr: { write },
    env: { KUBECONFIG: join(directory, 'kubeconfig') },
  });
  return { said, token: readFileSync(file(user), 'utf8').trim() };
}

/** Gives the person these rules beside those that they have. */
async function grant(name: string, rules: object[]): Promise<void> {
  const { namespace } = space;
  const metadata = { name, namespace };
  const subjects = [{ kind: 'ServiceAccount', name: 'maya', namespace }];
  const [apiGroup, apiVersion] = ['rbac.authorization.k8s.io', 'rbac.authorization.k8s.io/v1'];
  await create(plane, [
    { apiVersion, kind: 'Role', metadata, rules },
    { apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef: { apiGroup, kind: 'Role', name } },
  ]);
}

/** The rule that a refusal names, as an administrator would copy it. */
function ruleIn(message: string): object {
  const [, rule = ''] = /with the rule (\{.*?\})\./.exec(message) ?? [];
  return JSON.parse(rule.replaceAll(/(\w+):/g, '"$1":').replaceAll(/\[([a-z/]+)\]/g, '["$1"]'));
}

/** Empty: the token was given, or was given before. */
const refusal = (user: string): Promise<string> =>
  existsSync(file(user))
    ? Promise.resolve('')
    : take(user).then(
        () => '',
        (error: Error) => error.message,
      );

test('each refusal names the rule that is missing, until the token is there and accepted', async () => {
  const told = new Set<string>();
  const ask = async (): Promise<string> => {
    const message = await refusal('ci');
    told.add(message);
    return message;
  };
  for (let message = await ask(); message !== ''; message = await ask()) {
    expect(message).toMatch(/403 Forbidden\. You lack a right: ask for a Role in namespace facts-/);
    await grant(`rule-${told.size}`, [ruleIn(message)]);
    await until(async () => (await ask()) !== message);
  }
  const all = [...told].join('\n');
  expect(all).toContain('resources: ["secrets"], verbs: ["create"]}');
  expect(all).toContain('resources: ["secrets"], verbs: ["get"], resourceNames: ["checkout-ci"]}');
  expect(all).toContain(
    'resources: ["serviceaccounts/token"], verbs: ["create"], resourceNames: ["checkout"]}',
  );
  // Nobody gave the right to delete, so what was made on the way stays, and that is said.
  expect(all).toMatch(/No token was given away\. The empty Secret .*\/checkout-ci is left\.\n/);
  expect(await space.probe(readFileSync(file('ci'), 'utf8').trim())).toBe(201);
});

test('a second token for the same user takes a look at the Secret, and both die with it', async () => {
  await grant('all', [
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create'] },
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
  ]);
  const { said, token } = await until(() => take('laptop').catch(() => undefined));
  rmSync(file('laptop'));
  const again = await take('laptop');
  expect(said).toContain(`as system:serviceaccount:${space.namespace}:maya`);
  for (const one of [token, again.token]) {
    expect(await space.probe(one)).toBe(201);
    for (const needle of needles(one)) expect(said + again.said).not.toContain(needle);
  }
  const [, kill = ''] = /kubectl --context prod (.*)/.exec(said) ?? [];
  expect((await plane.kubectl(kill.split(' '))).code).toBe(0);
  for (const one of [token, again.token]) await until(async () => (await space.probe(one)) === 401);
});
