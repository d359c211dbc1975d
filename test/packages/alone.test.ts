// Each package starts alone and is used as its README says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { WebClient } from '@slack/web-api';
import { expect, test } from 'vitest';
import { commandBlock } from '../command-blocks.ts';
import { ownFolder, runSample, type } from './alone.ts';

const LONG_MS = 60_000;

test(
  'slack-sandbox prints what an app needs',
  async () => {
    await using folder = await ownFolder();
    await using started = await type(commandBlock('packages/slack-sandbox/README.md', 'start'), folder.path);
    await expect.poll(() => started.stdout).toContain('SLACK_APP_TOKEN=');
    const env = Object.fromEntries(
      started.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    );
    const client = new WebClient(env.SLACK_BOT_TOKEN, { slackApiUrl: env.SLACK_API_URL });
    expect(await client.auth.test()).toMatchObject({ ok: true, team: 'Harbour' });
    const socket = new WebClient(env.SLACK_APP_TOKEN, { slackApiUrl: env.SLACK_API_URL });
    expect((await socket.apps.connections.open()).url).toMatch(/^ws:/);
  },
  LONG_MS,
);

test(
  'kube-sandbox prints a kubeconfig that works',
  async () => {
    await using folder = await ownFolder();
    await using _ = await type(commandBlock('packages/kube-sandbox/README.md', 'start'), folder.path);
    const config = new KubeConfig();
    config.loadFromString(await readFile(join(folder.path, 'kubeconfig'), 'utf8'));
    const { items } = await config.makeApiClient(CoreV1Api).listNamespace();
    expect(items.map(({ metadata }) => metadata?.name)).toContain('kube-system');
  },
  LONG_MS,
);

test.each([
  ['packages/slack-sandbox/README.md', "[ 'Hello, maya.' ]\n"],
  ['packages/kube-sandbox/README.md', '[ true, true ]\n[ false, false ]\n'],
])(
  'the code in %s does what it shows',
  async (document, printed) => {
    await using folder = await ownFolder();
    expect(await runSample(document, folder.path)).toBe(printed);
  },
  LONG_MS,
);
