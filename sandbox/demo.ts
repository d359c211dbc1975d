// The demo: a whole world on this machine, with a page to play in, or told from start to end with --headless.
import { parseArgs } from 'node:util';
import { leakDemos } from './demos.ts';
import { seedHarbour } from './harbour.ts';
import { tellStory } from './story.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: { headless: { type: 'boolean', default: false }, port: { type: 'string' } },
});

/** Filled once the world exists: the page shows the buttons before that. */
let world: World | undefined;

function running(): World {
  if (world === undefined) throw new Error('The demo is still starting. Try again in a second.');
  return world;
}

async function main(): Promise<void> {
  const port = values.port === undefined ? {} : { port: Number(values.port) };
  world = await startWorld({
    clusters: { prod: { servers: 3 }, staging: {} },
    slack: { demos: leakDemos(running), ...port },
    config: { autoContain: 'token-in-hand' },
    searchNamespaces: { prod: ['payments', 'ci'] },
  });
  await seedHarbour(world.cluster('prod'), world.cluster('staging'));
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  if (values.headless) {
    process.exitCode = await tellStory(world);
    return await world.close();
  }
  console.log(`
Tourniquet is running in a small world of its own.

  Open  ${world.slack.pageUrl}

You are Maya, on call. Press "Leak a long-lived token" on the left: the leak is contained before you can read it.
Then become somebody else at the top: Ines or Tomas may approve the plan; Dan and Gail are told why they may not.
Commands work too, in the message box: /revoke-sa prod/payments/checkout, or /tourniquet

Ctrl+C ends everything.`);
  const end = () =>
    void running()
      .close()
      .then(() => process.exit(0));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

main().catch(async (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  await world?.close();
  process.exit(1);
});
