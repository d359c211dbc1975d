// What the end-to-end tests share: a world with short waits, and words for what happens in the incident channel.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LoggedRequest } from 'kube-sandbox';
import type { Message, View } from 'slack-sandbox';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { statusWith } from '../../sandbox/ask.ts';
import { seedHarbour } from '../../sandbox/harbour.ts';
import { INCIDENTS, startWorld, type World, type WorldOptions } from '../../sandbox/world.ts';
import { CARD_EVENT } from '../../src/adapters/slack/delivery/messages.ts';
import type { FileConfigInput } from '../../src/config/file-schema.ts';

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
      // A test opens many incidents in a minute, and wants to see each; those about bursts say otherwise.
      slack: { updateEvery: '1ms', burst: { cards: 1000 }, ...options.config?.slack },
    },
  });
  await seedHarbour(world.cluster('prod'), world.cluster('staging'));
  return world;
}

/** Changes the configuration of the roles that are started from now on. */
export async function amendConfig({ env }: World, change: (config: FileConfigInput) => void): Promise<void> {
  const path = env.TOURNIQUET_CONFIG ?? '';
  const config = parse(await readFile(path, 'utf8')) as FileConfigInput;
  change(config);
  await writeFile(path, stringify(config));
}

export const PATIENCE_MS = 20_000;
/** For a hook that starts processes, on however busy a machine. */
export const START_MS = 300_000;

export const textOf = (message: Message): string => JSON.stringify([message.text, message.blocks ?? []]);

/** Of incidents and bursts; what else the bot posts to the channel, such as anchors, is none. */
export const cards = ({ slack }: World): Message[] =>
  slack
    .messages(INCIDENTS)
    .filter(
      ({ threadTs, ephemeralTo, metadata }) =>
        !threadTs && !ephemeralTo && metadata?.event_type === CARD_EVENT,
    );

/** The summary of a burst. */
export const summaryOf = (world: World): Message | undefined =>
  cards(world).find(({ metadata }) => JSON.stringify(metadata).includes('burst-'));

/** Of the incident that a card shows. */
export const idOf = ({ metadata }: Message): string =>
  /"incident_id":"([0-9a-f]+)"/.exec(JSON.stringify(metadata))?.[1] ?? '';

/** The card of an incident as it is now. */
export function cardOf(world: World, id: string): Message | undefined {
  return cards(world).find(({ metadata }) => JSON.stringify(metadata).includes(id));
}

export async function cardShows(
  world: World,
  id: string,
  pattern: RegExp,
  ms = PATIENCE_MS,
): Promise<Message> {
  return await world.slack.waitFor(
    () => {
      const card = cardOf(world, id);
      return card && pattern.test(textOf(card)) ? card : undefined;
    },
    ms,
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
  const { status } = await world.slack.click(user, {
    channel: INCIDENTS,
    ts: card.ts,
    actionId: found.action_id,
    value: found.value,
  });
  if (status !== 'acked') throw new Error(`The click of ${user} on "${label}" got no answer: ${status}.`);
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

/** Does something as this person and resolves to what they are told in private, once it is more than "working on it". */
export async function toldTo(world: World, user: string, act: () => Promise<unknown>): Promise<string> {
  const before = world.slack.ephemerals(user).length;
  await act();
  return await world.slack.waitFor(
    () =>
      world.slack
        .ephemerals(user)
        .slice(before)
        .map(textOf)
        .find((said) => !said.includes('Working on it')),
    PATIENCE_MS,
    `an answer for ${user}`,
  );
}

/** The form or notice that this person has open, once it shows what is expected. */
export async function viewShows(world: World, user: string, pattern: RegExp): Promise<View> {
  return await world.slack.waitFor(
    () => {
      const view = world.slack.views(user).at(-1);
      return view && pattern.test(JSON.stringify([view.title, view.blocks])) ? view : undefined;
    },
    PATIENCE_MS,
    `a form of ${user} to show ${pattern}`,
  );
}

/** Whatever went before: the next leak is contained and every API server refuses its token. */
export async function expectStillWorks(world: World): Promise<void> {
  const token = await world.cluster('prod').seed.tokenSecret('payments', 'one-more-token', 'checkout');
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /Contained: refused by 2 of 2/);
  expect(await answersTo(world, token)).toEqual([401, 401]);
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

export interface Leak {
  id: string;
  token: string;
  /** Path of the Secret that holds the token. */
  secret: string;
}

const NAMESPACE = '/api/v1/namespaces/payments/secrets';

/** A token of its own, in a Secret of this name on `prod`. */
export async function newToken(world: World, name: string): Promise<Omit<Leak, 'id'>> {
  // Labelled as most Secrets are, so that the first write is the one that counts.
  const { seed } = world.cluster('prod');
  const token = await seed.tokenSecret('payments', name, 'checkout', { labels: { team: 'payments' } });
  return { token, secret: `${NAMESPACE}/${name}` };
}

export async function reportLeak(world: World, name: string): Promise<Leak> {
  const leaked = await newToken(world, name);
  return { ...leaked, id: await opened(await world.report({ token: leaked.token })) };
}

/** Requests that the cluster carried out in earnest, by the worker or anybody. */
export const carriedOut = (world: World, method: string, path: string): LoggedRequest[] =>
  world
    .cluster('prod')
    .requests.filter(
      (request) =>
        request.method === method &&
        request.path.split('?')[0] === path &&
        !request.path.includes('dryRun') &&
        request.status >= 200 &&
        request.status < 300,
    );

/** One card, and no milestone twice, whatever went wrong in between. Answers what the thread says. */
export function toldOnce(world: World, id: string): string[] {
  const mine = cards(world).filter(({ metadata }) => JSON.stringify(metadata).includes(id));
  const [card] = mine;
  if (mine.length !== 1 || !card) throw new Error(`Incident ${id} has ${mine.length} cards.`);
  const milestones = world.slack.thread(INCIDENTS, card.ts).filter(({ ts }) => ts !== card.ts);
  const versions = milestones.map(({ metadata }) => JSON.stringify(metadata));
  const twice = versions.filter((version, index) => versions.indexOf(version) !== index);
  if (twice.length > 0) throw new Error(`Told twice in the thread of ${id}: ${twice.join(', ')}.`);
  return milestones.map(textOf);
}

/** Waits until the thread says this. */
export async function threadSays(world: World, id: string, pattern: RegExp, ms = PATIENCE_MS): Promise<void> {
  await world.slack.waitFor(
    () => {
      const card = cardOf(world, id);
      return card && repliesOf(world, card).some((reply) => pattern.test(reply));
    },
    ms,
    `the thread of ${id} to say ${pattern}`,
  );
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
