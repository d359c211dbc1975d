// What both stories do with the incident channel: wait for what they must see, and press what a person would press.

import type { Message } from 'slack-sandbox';
import { statusWith } from './ask.ts';
import { inspectTraces } from './traces.ts';
import { INCIDENTS, type World } from './world.ts';

/** Longest wait for one thing to appear; nothing here depends on how fast the machine is. */
const PATIENCE_MS = 90_000;

export const fail = (why: string): number => {
  console.error(`\nFAILED: ${why}`);
  return 1;
};

export async function until<T>(world: World, what: string, look: () => T): Promise<NonNullable<T>> {
  try {
    return await world.slack.waitFor(look, PATIENCE_MS, what);
  } catch (error) {
    console.error(world.slack.transcript(INCIDENTS));
    throw error;
  }
}

export const text = (message: Message): string => JSON.stringify([message.text, message.blocks ?? []]);

export const current = ({ slack }: World, card: Message): Message =>
  slack.messages(INCIDENTS).find(({ ts }) => ts === card.ts) ?? card;

export const reply = ({ slack }: World, card: Message, pattern: RegExp): Message | undefined =>
  slack.thread(INCIDENTS, card.ts).find((message) => message.ts !== card.ts && pattern.test(text(message)));

export const firstCard = (world: World): Promise<Message> =>
  until(world, 'the card', () =>
    world.slack.messages(INCIDENTS).find(({ threadTs, metadata }) => !threadTs && metadata),
  );

interface Button {
  action_id: string;
  value: string;
}

export function button(world: World, card: Message, label: string): Button | undefined {
  const elements = (current(world, card).blocks ?? []).flatMap(
    (block) => (block.elements ?? []) as { text?: { text?: string } }[],
  );
  return elements.find((element) => element.text?.text === label) as Button | undefined;
}

export async function press(world: World, card: Message, user: string, label: string): Promise<void> {
  const found = button(world, card, label);
  if (!found) throw new Error(`The card has no button "${label}".`);
  await world.slack.click(user, {
    channel: INCIDENTS,
    ts: card.ts,
    actionId: found.action_id,
    value: found.value,
  });
}

/** HTTP status at each API server. */
export function answersOf(world: World, token: string): Promise<number[]> {
  const { servers, caPem } = world.cluster('prod');
  return Promise.all(servers.map(({ url }) => statusWith(url, caPem, token)));
}

/** Where a value was found in all that was written; says where it was looked for. */
export async function placesOf(world: World, whose: string, token: string): Promise<string[]> {
  const { searched, found } = await inspectTraces(world, token);
  console.log(
    `Places searched for ${whose} value: ${searched.join('; ')}. Found in: ${found.join(', ') || 'none'}.`,
  );
  return found;
}
