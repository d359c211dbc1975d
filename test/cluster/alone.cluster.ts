// The real control plane starts alone as the README of its package says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { commandBlock } from '../command-blocks.ts';
import { ownFolder, type } from '../packages/alone.ts';

test('kube-sandbox prints the kubeconfig of a real cluster, and leaves nothing when it ends', async () => {
  await using folder = await ownFolder();
  const config = new KubeConfig();
  const ask = () => config.makeApiClient(CoreV1Api).listNamespace();
  {
    await using _ = await type(commandBlock('packages/kube-sandbox/README.md', 'real'), folder.path);
    config.loadFromString(await readFile(join(folder.path, 'kubeconfig'), 'utf8'));
    expect((await ask()).items.map(({ metadata }) => metadata?.name)).toContain('kube-system');
  }
  await expect(ask()).rejects.toThrow();
});
