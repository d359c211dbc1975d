// A reader's commands, typed as the documents show them, against a real control plane: the quick start, the install, the upgrade and the policy.
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { helmExecutable } from '../chart/helm.ts';
import { commandBlock } from '../command-blocks.ts';
import { ROOT } from '../structure/tree.ts';
import { openShell, type Shell } from './shell.ts';

let plane: ControlPlane;
let shell: Shell;

const tokens = { SLACK_BOT_TOKEN: 'a-bot-token', SLACK_APP_TOKEN: 'an-app-token' };

/** In the folder of a clone, with Helm beside kubectl. */
beforeAll(async () => {
  plane = await startControlPlane({ nodes: 1 });
  shell = await openShell(plane.adminKubeconfig);
  await symlink(await helmExecutable(), join(shell.bin, 'helm'));
  for (const folder of ['docs', 'helm']) await symlink(join(ROOT, folder), join(shell.directory, folder));
}, 600_000);
afterAll(async () => {
  await shell?.close();
  await plane?.close();
});

const write = (name: string, text: string) => writeFile(join(shell.directory, name), text);
const has = async (what: string, namespace = 'tourniquet') =>
  (await shell.type(`kubectl -n ${namespace} get ${what} --ignore-not-found -o name`)).trim() !== '';

test('the quick start plants a token, makes its Secret, and installs', async () => {
  await shell.type(commandBlock('docs/quick-start.md', 'victim'));
  const token = "kubectl -n payments get secret checkout-token -o jsonpath='{.data.token}'";
  await expect.poll(() => shell.type(token)).not.toBe('');
  await write('values.yaml', commandBlock('docs/quick-start.md', 'values'));
  await shell.type(commandBlock('docs/quick-start.md', 'secrets'), tokens);
  await shell.type(commandBlock('docs/quick-start.md', 'install'));
  expect(await has('deployment/tourniquet-bot')).toBe(true);
  const may =
    'kubectl -n payments auth can-i patch secrets --as=system:serviceaccount:tourniquet:tourniquet-worker';
  expect((await shell.type(may)).trim()).toBe('yes');
  expect(await shell.type(commandBlock('docs/quick-start.md', 'refused'))).toContain('checkout-token');
  await shell.type('kubectl -n payments delete secret checkout-token');
  expect(await shell.type(commandBlock('docs/quick-start.md', 'refused'))).toBe('');
});

test('an upgrade keeps it, and uninstalling leaves the log and the Secret', async () => {
  await shell.type(commandBlock('docs/upgrade.md', 'upgrade'));
  expect(await has('deployment/tourniquet-worker')).toBe(true);
  await shell.type(commandBlock('docs/upgrade.md', 'uninstall'));
  expect(await has('deployment/tourniquet-worker')).toBe(false);
  expect(await has('persistentvolumeclaims')).toBe(true);
  expect(await has('secret/tourniquet')).toBe(true);
});

test('docs/install.md installs it with its values, and gives a worker outside its rights', async () => {
  await shell.type('kubectl -n tourniquet delete secret tourniquet');
  await write('values.yaml', commandBlock('docs/install.md', 'values'));
  await shell.type(commandBlock('docs/install.md', 'install'));
  expect(await has('deployment/tourniquet-bot')).toBe(true);
  await shell.type(commandBlock('docs/install.md', 'rights'));
  const may = 'kubectl -n payments auth can-i patch secrets --as=system:serviceaccount:tourniquet:worker';
  expect((await shell.type(may)).trim()).toBe('yes');
});

test('the policy refuses new long-lived tokens where the label is, and nothing else', async () => {
  const make = (namespace: string, type: string) =>
    shell.type(`kubectl -n ${namespace} create -f - <<'EOF'
{"apiVersion":"v1","kind":"Secret","type":"${type}","metadata":{"generateName":"a-",
 "annotations":{"kubernetes.io/service-account.name":"default"}}}
EOF`);
  const TOKEN = 'kubernetes.io/service-account-token';
  await shell.type('kubectl apply -f docs/policies/no-token-secrets.yaml');
  await shell.type(
    'kubectl create namespace elsewhere; kubectl label namespace payments long-lived-tokens=denied',
  );
  const refusal = () =>
    make('payments', TOKEN).then(
      () => 'made',
      (error: Error) => error.message,
    );
  await expect
    .poll(refusal, { timeout: 20_000 })
    .toMatch(/would hold a token that never ends. Use a short-lived one/);
  await make('payments', 'Opaque');
  await make('elsewhere', TOKEN);
});
