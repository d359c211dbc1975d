// What the end-to-end tests share: a world with short waits, and words for what happens in the incident channel.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { statusWith } from '../../sandbox/ask.ts';
import { seedHarbour } from '../../sandbox/harbour.ts';
import type { Message } from '../../sandbox/slack/types.ts';
import { INCIDENTS, startWorld, type World, type WorldOptions } from '../../sandbox/world.ts';

/** Waits that a person would not sit through in a test; everything else is as in production. */
const quick: WorldOptions['config'] = {
  autoContain: 'token-in-hand',
  autoContainPerHour: 1000,
  proof: { stability: '300ms', retryEvery: '100ms', recheckAfter: ['1h'] },
  sweepEvery: '500ms',
};

export async function openStage(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({
    clusters: { prod: { servers: 2, tokenCacheMs: 300 }, staging: {} },
    searchNamespaces: { prod: ['payments'] },
    ...options,
    slack: { rates: 'off', ...options.slack },
    config: {
      ...quick,
      ...options.config,
      slack: { updateEvery: '1ms', ...options.config?.slack },
    },
  });
  await seedHarbour(world.cluster('prod'), world.cluster('staging'));
  return world;
}

export const PATIENCE_MS = 15_000;

export const textOf = (message: Message): string => JSON.stringify([message.text, message.blocks ?? []]);

export const cards = ({ slack }: World): Message[] =>
  slack
    .messages(INCIDENTS)
    .filter(({ threadTs, ephemeralTo, metadata }) => !threadTs && !ephemeralTo && metadata);

/** The card of an incident as it is now. */
export function cardOf(world: World, id: string): Message | undefined {
  return cards(world).find(({ metadata }) => JSON.stringify(metadata).includes(id));
}

export async function cardShows(world: World, id: string, pattern: RegExp): Promise<Message> {
  return await world.slack.waitFor(
    () => {
      const card = cardOf(world, id);
      return card && pattern.test(textOf(card)) ? card : undefined;
    },
    PATIENCE_MS,
    `the card of ${id} to show ${pattern}`,
  );
}

export const repliesOf = (world: World, card: Message): string[] =>
  world.slack
    .thread(INCIDENTS, card.ts)
    .filter(({ ts }) => ts !== card.ts)
    .map(textOf);

interface Button {
  action_id: string;
  value: string;
  text?: { text?: string };
}

export function buttonOf(card: Message | undefined, label: string): Button | undefined {
  const elements = (card?.blocks ?? []).flatMap((block) => (block.elements ?? []) as Button[]);
  return elements.find((element) => element.text?.text === label);
}

/** Waits for the button and presses it as this person. */
export async function press(world: World, id: string, user: string, label: string): Promise<void> {
  const card = await world.slack.waitFor(
    () => (buttonOf(cardOf(world, id), label) ? cardOf(world, id) : undefined),
    PATIENCE_MS,
    `the button "${label}" on the card of ${id}`,
  );
  const found = buttonOf(card, label);
  if (!found) throw new Error('unreachable');
  await world.slack.click(user, {
    channel: INCIDENTS,
    ts: card.ts,
    actionId: found.action_id,
    value: found.value,
  });
}

/** Presses a button that asks for a reason, and gives it. */
export async function pressWithReason(
  world: World,
  id: string,
  user: string,
  label: string,
  reason: string,
): Promise<void> {
  await press(world, id, user, label);
  const view = await world.slack.waitFor(
    () => world.slack.views(user).at(-1),
    PATIENCE_MS,
    'the form for the reason',
  );
  const block = view.blocks.find(({ type }) => type === 'input');
  await world.slack.submit(user, view.id, { [String(block?.block_id)]: reason });
}

export async function opened(response: Response): Promise<string> {
  const body = (await response.json()) as { incidents?: { id: string }[] };
  const id = body.incidents?.[0]?.id;
  if (id === undefined)
    throw new Error(`The alert was not accepted: ${response.status} ${JSON.stringify(body)}`);
  return id;
}

export async function answersTo(world: World, token: string, name = 'prod'): Promise<number[]> {
  const { servers, caPem } = world.cluster(name);
  return await Promise.all(servers.map(({ url }) => statusWith(url, caPem, token)));
}

const CLI = fileURLToPath(new URL('../../src/cli/tourniquet.js', import.meta.url));

export function tourniquet(world: World, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH ?? '', ...world.env };
    execFile(process.execPath, [CLI, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}
