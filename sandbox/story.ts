// Plays the story of a leak through the same parts as a person would, prints the thread, and judges how it ended.

import { statusWith } from './ask.ts';
import { leakToken } from './harbour.ts';
import type { Message } from './slack/types.ts';
import { inspectTraces } from './traces.ts';
import { INCIDENTS, type World } from './world.ts';

/** Longest wait for one thing to appear; nothing here depends on how fast the machine is. */
const PATIENCE_MS = 90_000;

/** Exit code: 0 only if every API server refuses the token at the end and its value was written nowhere. */
export async function tellStory(world: World): Promise<number> {
  const { slack } = world;
  const { token, where } = await leakToken(world.cluster('prod'), 'legacy');
  const sent = Date.now();
  const response = await world.report({
    token,
    where: { text: where, url: 'https://scanner.example/findings/7' },
    severity: 'critical',
  });
  console.log(`A scanner reports a leak: HTTP ${response.status} after ${Date.now() - sent} ms.\n`);
  if (!response.ok) return fail(`The alert was refused: ${await response.text()}`);

  const kill = await until(world, 'the quarantine', () =>
    world.cluster('prod').requests.find(({ method, status }) => method === 'PATCH' && status === 200),
  );
  const card = await until(world, 'the card', () =>
    slack.messages(INCIDENTS).find(({ threadTs, metadata }) => !threadTs && metadata),
  );
  const proof = await until(world, 'the proof of the quarantine', () => reply(world, card, /refused/i));
  const proved = Date.now();
  await until(world, 'the plan', () => button(world, card, 'Approve plan'));
  await press(world, card, 'dan', 'Approve plan');
  await press(world, card, 'ines', 'Approve plan');
  await until(world, 'the end', () => /Revoked/.test(text(current(world, card))) && current(world, card));

  console.log(slack.transcript(INCIDENTS));
  console.log(`
Alert to kill:           ${Math.round(kill.at - sent)} ms (signed webhook sent, until the API server had carried out the quarantine)
Kill to posted proof:    ${((proved - kill.at) / 1000).toFixed(1)} s (two rounds of refusals at every API server, ${proof.ts ? 'in the thread' : ''})`);
  return await verdict(world, token);
}

async function verdict(world: World, token: string): Promise<number> {
  const { servers, caPem } = world.cluster('prod');
  const answers = await Promise.all(servers.map(({ url }) => statusWith(url, caPem, token)));
  const refused = answers.every((status) => status === 401);
  const traces = await inspectTraces(world, token);
  console.log(`API servers answer the leaked token with: ${answers.join(', ')}`);
  console.log(
    `Places searched for the token's value: ${traces.searched.join('; ')}. Found in: ${traces.found.join(', ') || 'none'}.`,
  );
  if (!refused) return fail('The leaked token is not refused by every API server.');
  if (traces.found.length > 0) return fail('The value of the leaked token was written somewhere.');
  console.log('\nThe leaked token is dead, and its value is nowhere.');
  return 0;
}

const fail = (why: string): number => {
  console.error(`\nFAILED: ${why}`);
  return 1;
};

async function until<T>(world: World, what: string, look: () => T): Promise<NonNullable<T>> {
  return await world.slack.waitFor(look, PATIENCE_MS, what);
}

const text = (message: Message): string => JSON.stringify([message.text, message.blocks ?? []]);
const current = ({ slack }: World, card: Message): Message =>
  slack.messages(INCIDENTS).find(({ ts }) => ts === card.ts) ?? card;
const reply = ({ slack }: World, card: Message, pattern: RegExp): Message | undefined =>
  slack.thread(INCIDENTS, card.ts).find((message) => message.ts !== card.ts && pattern.test(text(message)));

interface Button {
  action_id: string;
  value: string;
}

function button(world: World, card: Message, label: string): Button | undefined {
  const elements = (current(world, card).blocks ?? []).flatMap(
    (block) => (block.elements ?? []) as { text?: { text?: string } }[],
  );
  return elements.find((element) => element.text?.text === label) as Button | undefined;
}

async function press(world: World, card: Message, user: string, label: string): Promise<void> {
  const found = button(world, card, label);
  if (!found) throw new Error(`The card has no button "${label}".`);
  await world.slack.click(user, {
    channel: INCIDENTS,
    ts: card.ts,
    actionId: found.action_id,
    value: found.value,
  });
}
