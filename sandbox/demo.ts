// The demo: a whole world on this machine, with a page to play in, or told from start to end with --headless; --real: no simulation.
import { parseArgs } from 'node:util';
import { leakDemos, RUNNERS } from './demos.ts';
import { seedHarbour } from './harbour.ts';
import { startRealDemo, tellRealStory } from './real-demo.ts';
import { tellRotation } from './rotation-story.ts';
import { tellStory } from './story.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: {
    headless: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
    /** Which one --headless tells. */
    story: { type: 'string', default: 'leak' },
    port: { type: 'string' },
  },
});

interface Demo {
  world: Pick<World, 'slack' | 'startRole' | 'close'>;
  /** Answers the exit code. */
  tell(): Promise<number>;
}

const STORIES: Record<string, (world: World) => Promise<number>> = { leak: tellStory, rotate: tellRotation };

function storyOf(name: string): (world: World) => Promise<number> {
  const tell = STORIES[name];
  if (tell === undefined)
    throw new Error(`There is no story "${name}". There are: ${Object.keys(STORIES).join(', ')}.`);
  if (values.real && tell !== tellStory)
    throw new Error('On a real control plane only the story of the leak is told: leave out --story.');
  return tell;
}

let demo: Demo | undefined;

/** So that a visitor can play two approvers: what a CI robot can do is not for one person to end. */
const POLICY = {
  rules: [
    {
      name: 'CI robots',
      match: { namespace: ['ci'] },
      do: { contain: 'auto' as const, any: { approvals: 2, from: ['SSECONCALL'], expiry: '30m' } },
    },
    // Many of them leak at once, and each is worth little: one approval for all of them is enough.
    {
      name: 'build runners',
      match: { namespace: [RUNNERS] },
      do: { contain: 'auto' as const, any: { group: true } },
    },
  ],
};

/** As on a quick real cluster: long enough to see one Pod come before the other goes. */
const PODS = { podStartMs: 4000, podStopMs: 500 };

async function startSimulated(
  slack: { port?: number },
  story: (world: World) => Promise<number>,
): Promise<Demo> {
  /** Filled once the world exists: the page shows the buttons before that. */
  let world: World | undefined;
  const running = (): World => {
    if (world === undefined) throw new Error('The demo is still starting. Try again in a second.');
    return world;
  };
  world = await startWorld({
    clusters: { prod: { servers: 3, ...PODS }, staging: {} },
    slack: { demos: leakDemos(running), ...slack },
    config: { autoContain: 'token-in-hand', autoContainPerHour: 100, policy: POLICY },
    searchNamespaces: { prod: ['payments', 'ci'] },
  });
  const started = world;
  await seedHarbour(started.cluster('prod'), started.cluster('staging'));
  return { world: started, tell: () => story(started) };
}

async function startReal(slack: { port?: number }): Promise<Demo> {
  const world = await startRealDemo(slack);
  return { world, tell: () => tellRealStory(world) };
}

async function main(): Promise<void> {
  const slack = values.port === undefined ? {} : { port: Number(values.port) };
  const story = storyOf(values.story);
  demo = await (values.real ? startReal(slack) : startSimulated(slack, story));
  const { world, tell } = demo;
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  if (values.headless) {
    process.exitCode = await tell();
    return await world.close();
  }
  console.log(`
Tourniquet is running in a small world of its own.

  Open  ${world.slack.pageUrl}

You are Maya, on call. Press "Leak a long-lived token" on the left: the leak is contained before you can read it.
Then become somebody else at the top: Ines or Tomas may approve the plan; Dan and Gail are told why they may not.
Press "Leak 12 tokens at once" to see one summary, and Ines approve all twelve with one press.
Press "Ask for a rotation" to see Pods replaced in waves once Ines or Tomas has approved.
Commands work too, in the message box: /revoke-sa prod/payments/checkout, or /tourniquet

Ctrl+C ends everything.`);
  const end = () => void world.close().then(() => process.exit(0));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

main().catch(async (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  await demo?.world.close();
  process.exit(1);
});
