// The demo on a real control plane: its buttons, and its story for --headless, judged by the API servers' own audit log.

import type { Demo, Message } from 'slack-sandbox';
import { statusWith } from './ask.ts';
import type { LeakKind } from './harbour.ts';
import { ACT_IN, leakRealToken, seedRealHarbour } from './real-harbour.ts';
import { type RealWorld, realCluster, slackSideOf } from './real-world.ts';
import { inspectTraces } from './traces.ts';
import { INCIDENTS, startWorld } from './world.ts';

const PATIENCE_MS = 90_000;

export async function startRealDemo(slack: { port?: number }): Promise<RealWorld> {
  console.log(
    'Starting a real control plane: etcd, two API servers, the controllers, a scheduler and a fake kubelet.',
  );
  let world: RealWorld | undefined;
  const running = (): RealWorld => {
    if (world === undefined) throw new Error('The demo is still starting. Try again in a second.');
    return world;
  };
  world = await startWorld({
    clusters: { prod: realCluster('prod', { servers: 2, actIn: ACT_IN }) },
    slack: { demos: buttons(running), ...slack },
    config: { autoContain: 'token-in-hand' },
    searchNamespaces: { prod: ACT_IN },
  });
  await seedRealHarbour(world.cluster('prod'));
  return world;
}

const BUTTONS: [LeakKind, label: string, description: string][] = [
  ['legacy', 'Leak a long-lived token', 'Contained at once, deleted on approval.'],
  ['pod', "Leak a Pod's token", 'On approval it dies with that Pod.'],
  ['unbound', "Leak a CI robot's token", 'On approval its ServiceAccount is made anew, which kills it.'],
];

const buttons = (running: () => RealWorld): Demo[] =>
  BUTTONS.map(([kind, label, description]) => ({
    id: kind,
    label,
    description,
    run: async () => void (await report(running(), kind)),
  }));

/** Answers the token that leaked. */
async function report(world: RealWorld, kind: LeakKind): Promise<string> {
  const { token, where } = await leakRealToken(world.cluster('prod'), kind);
  const response = await world.report({ token, where: { text: where }, severity: 'critical' });
  if (!response.ok) throw new Error(`The alert was refused: ${await response.text()}`);
  return token;
}

/** Exit code: 0 only if every API server refuses the token at the end and its value was written nowhere. */
export async function tellRealStory(world: RealWorld): Promise<number> {
  const { slack } = world;
  const started = Date.now();
  const token = await report(world, 'legacy');
  const card = () => slack.messages(INCIDENTS).find(({ threadTs, metadata }) => !threadTs && metadata);
  const shows = (pattern: RegExp) =>
    slack.waitFor(
      () => pattern.test(JSON.stringify(card()?.blocks ?? '')),
      PATIENCE_MS,
      `the card to show ${pattern}`,
    );
  await shows(/Approve plan/);
  await approve(world, card());
  await shows(/Revoked/);
  const thread = () => JSON.stringify(slack.thread(INCIDENTS, card()?.ts ?? ''));
  await slack.waitFor(() => thread().includes('Closed as resolved'), PATIENCE_MS, 'the end of the thread');
  console.log(slack.transcript(INCIDENTS));
  const cluster = world.cluster('prod');
  const killedAt = await cluster.killedAt();
  if (killedAt !== undefined)
    console.log(
      `The leak was made and stopped within ${killedAt - started} ms, by the API servers' audit log.`,
    );
  const answers = await Promise.all(cluster.servers.map(({ url }) => statusWith(url, cluster.caPem, token)));
  const { searched, found } = await inspectTraces(slackSideOf(world), token);
  console.log(`API servers answer the leaked token with: ${answers.join(', ')}`);
  console.log(
    `Places searched for its value: ${searched.join('; ')}. Found in: ${found.join(', ') || 'none'}.`,
  );
  const good = answers.every((status) => status === 401) && found.length === 0;
  console.log(good ? '\nThe leaked token is dead, and its value is nowhere.' : '\nFAILED.');
  return good ? 0 : 1;
}

async function approve({ slack }: RealWorld, card: Message | undefined): Promise<void> {
  const elements = (card?.blocks ?? []).flatMap(
    (block) => (block.elements ?? []) as { text?: { text?: string }; action_id: string; value: string }[],
  );
  const button = elements.find(({ text }) => text?.text === 'Approve plan');
  if (!card || !button) throw new Error('The card has no button "Approve plan".');
  const { action_id: actionId, value } = button;
  await slack.click('ines', { channel: INCIDENTS, ts: card.ts, actionId, value });
}
