// What the documents tell a scanner's owner to type, typed: it ends as a card in the channel.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../sandbox/world.ts';
import { commands } from '../../src/cli/index.ts';
import { commandBlock } from '../command-blocks.ts';
import { ROOT } from '../structure/tree.ts';
import { cards, idOf, openStage, START_MS, textOf } from './stage.ts';

const run = promisify(execFile);

let world: World;
beforeAll(async () => {
  world = await openStage();
  await world.startRole('bot');
}, START_MS);
afterAll(() => world?.close());

it('a secret is made as the configuration wants it', async () => {
  const { stdout } = await run('sh', ['-ec', commandBlock('docs/alert-sources.md', 'secret')]);
  expect(stdout).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
});

it('a report signed with openssl and sent with curl is taken', async () => {
  const lines = commandBlock('docs/alert-sources.md', 'curl').replace(
    'https://<your host>',
    `http://127.0.0.1:${world.bot().ports.http}`,
  );
  const { stdout } = await run('sh', ['-ec', lines], { env: { PATH: process.env.PATH, ...world.env } });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'accepted', incidents: [{ created: true }] });
  const card = await world.slack.waitFor(() => cards(world)[0], 20_000, 'the card');
  expect(stdout).toContain(idOf(card));
  expect(textOf(card)).toContain('seen in a build log');
}, 60_000);

it('the command line answers as the documents call it', async () => {
  const { stdout } = await run('sh', ['-ec', commandBlock('docs/cli.md', 'help')], { cwd: ROOT });
  for (const { name } of commands) expect(stdout).toContain(`  ${name} `);
}, 60_000);
