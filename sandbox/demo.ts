// The demo: a whole world on this machine, with a page to play in, or told from start to end with --headless.
import { parseArgs } from 'node:util';
import { type LeakKind, leakToken, seedHarbour } from './harbour.ts';
import type { Demo } from './slack/types.ts';
import { tellStory } from './story.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: { headless: { type: 'boolean', default: false }, port: { type: 'string' } },
});

/** Filled once the world exists: the page shows the buttons before that. */
let world: World | undefined;

const demos: Demo[] = [
  demo(
    'legacy',
    'Leak a long-lived token',
    'A scanner finds the token of payments/checkout and sends it along: it is contained at once.',
  ),
  demo('pod', "Leak a Pod's token", 'A token that is bound to one Pod: it dies with that Pod, on approval.'),
  demo(
    'unbound',
    "Leak a CI robot's token",
    'A token bound to nothing: only a new ServiceAccount UID kills it, on approval.',
  ),
  {
    id: 'hash',
    label: 'GitGuardian alert',
    description: 'The alert carries no token, only a hash of it: the Secret is found by comparing.',
    run: async () => check(await (await gitguardianAlert()).json()),
  },
];

function demo(kind: LeakKind, label: string, description: string): Demo {
  return { id: kind, label, description, run: async () => check(await (await reportLeak(kind)).json()) };
}

async function reportLeak(kind: LeakKind): Promise<Response> {
  const { token, where } = await leakToken(running().cluster('prod'), kind);
  return await running().report({
    token,
    where: { text: where, url: 'https://scanner.example/findings/7' },
    severity: 'critical',
  });
}

async function gitguardianAlert(): Promise<Response> {
  const { token } = await leakToken(running().cluster('prod'), 'legacy');
  return await running().gitguardian(token, { id: Date.now() % 1_000_000 });
}

function check(answer: unknown): void {
  const error = (answer as { error?: string }).error;
  if (error) throw new Error(error);
}

function running(): World {
  if (world === undefined) throw new Error('The demo is still starting. Try again in a second.');
  return world;
}

async function main(): Promise<void> {
  const port = values.port === undefined ? {} : { port: Number(values.port) };
  world = await startWorld({
    clusters: { prod: { servers: 3 }, staging: {} },
    slack: { demos, ...port },
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

You are Maya, on call. Press "Leak a long-lived token" on the left and watch #incidents.
Switch to Ines or Tomas (bottom left) to approve; try it as Dan or Gail to be refused.
Commands work too: /revoke-sa prod/payments/checkout, /tourniquet

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
