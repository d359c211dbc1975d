// Many incidents at once, over the wire and with the store in Redis: one summary instead of a card each, and one press for those that ask for the same.
import type { Message } from 'slack-sandbox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../../sandbox/redis.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import type { Reporter } from '../../../../src/ports/reporter.ts';
import {
  anIdentity,
  aPlan,
  aPolicy,
  aSituation,
  contained,
  quarantine,
  remove,
  reported,
} from '../../../builders.ts';
import { openWorld } from '../../redis/support.ts';
import { CHANNEL, type World } from '../world.ts';
import { type Bursting, startBursting } from './bursting.ts';

const policy = aPolicy({
  rules: [{ name: 'together', match: { namespace: ['payments'] }, do: { revoke: { group: true } } }],
});

let redis: SandboxRedis;
let memory: ReturnType<typeof openWorld>;
let world: World;
beforeAll(async () => {
  redis = await startRedis();
  memory = openWorld(redis);
});
afterAll(async () => {
  await world?.close();
  await memory?.close();
  await redis?.close();
});

let count = 0;
async function opened(): Promise<Bursting> {
  await world?.close();
  const bursting = await startBursting(memory, `${redis.prefix}-${++count}`, policy);
  world = bursting.world;
  return bursting;
}

/** Contained, with a plan of its own that deletes its Secret. */
function leakOf(app: string, reporter?: string, namespace = 'payments'): EventBody[] {
  const identity = anIdentity({ namespace, serviceAccount: { name: app, uid: `uid-${app}` } });
  const named = (step: typeof remove) => ({
    ...step,
    params: { namespace, secret: `${app}-token` },
    title: `Delete Secret ${namespace}/${app}-token`,
  });
  const plan = aPlan([named(quarantine), named(remove)]);
  return contained('UINES00001', reporter).map((body): EventBody => {
    if (body.type === 'identified') return { ...body, identity };
    if (body.type === 'situation-observed') return { ...body, situations: [aSituation()] };
    if (body.type === 'plan-proposed') return { ...body, plan };
    if (body.type === 'decided') return { ...body, decision: { ...body.decision, hash: plan.containHash } };
    return body;
  });
}

async function flood(reporter: Reporter, size: number, of = leakOf): Promise<string[]> {
  const ids = Array.from({ length: size }, (_, n) => `inc-${count}-${n}`);
  for (const [n, id] of ids.entries()) {
    world.front.append(id, ...of(`app-${n}`));
    await world.report(id, reporter);
  }
  return ids;
}

const inChannel = (): Message[] =>
  world.workspace.messages(CHANNEL).filter((one) => !one.threadTs && one.metadata);
const textOf = (message: Message | undefined): string => JSON.stringify([message?.text, message?.blocks]);
const summary = (): Message | undefined =>
  inChannel().find(({ metadata }) => JSON.stringify(metadata).includes('burst-'));

interface Button {
  action_id?: string;
  value?: string;
  text?: { text?: string };
}
async function press(user: string, label: RegExp): Promise<void> {
  const shown = summary();
  const button = (shown?.blocks ?? [])
    .map((block) => (block as { accessory?: Button }).accessory)
    .find((one) => label.test(one?.text?.text ?? ''));
  if (!shown || !button?.action_id || !button.value) throw new Error(`There is no button ${label}.`);
  await world.workspace.click(user, {
    channel: CHANNEL,
    ts: shown.ts,
    actionId: button.action_id,
    value: button.value,
  });
}

async function form(user: string, pattern: RegExp) {
  return await world.workspace.waitFor(() => {
    const view = world.workspace.views(user).at(-1);
    return view && pattern.test(JSON.stringify(view)) ? view : undefined;
  });
}

const told = (user: string, pattern: RegExp) =>
  world.workspace.waitFor(() =>
    world.workspace
      .ephemerals(user)
      .map(({ text }) => text)
      .find((text) => pattern.test(text)),
  );

it('what a person asks for in the middle of a burst has a card in the channel, not in the thread of the summary', async () => {
  const { reporter, summaries } = (await opened()).bot();
  await flood(reporter, 8);
  world.front.append('inc-asked', ...leakOf('asked', 'UDAN000001'));
  await world.report('inc-asked', reporter);
  await summaries.redraw();
  expect(inChannel().filter((one) => textOf(one).includes('inc-asked'))).toHaveLength(1);
  expect(textOf(summary())).toContain('8 leaks');
  expect(textOf(summary())).not.toContain('payments/asked');
});

it('twelve at once are five cards and one summary, which two bots and a restart keep as one', async () => {
  const { bot } = await opened();
  const { summaries, reporter } = bot();
  const ids = await flood(reporter, 12);
  await Promise.all([summaries.redraw(), bot().summaries.redraw()]);
  expect(inChannel()).toHaveLength(6);
  expect(textOf(summary())).toMatch(/12 leaks reported/);
  expect(textOf(summary())).toMatch(/prod\/payments 12/);
  expect(textOf(summary())).toMatch(/12 ask for the same.*delete-token-secret/);
  world.front.append(ids[11] ?? '', { type: 'closed', as: 'resolved', reason: 'done' });
  const another = bot();
  await world.report(ids[11] ?? '', another.reporter);
  await another.summaries.redraw();
  expect(inChannel()).toHaveLength(6);
  expect(textOf(summary())).toMatch(/11 ask for the same/);
});

it('is drawn by another bot where one died in the middle of it', async () => {
  const { bot, cards } = await opened();
  const { summaries, reporter } = bot();
  await flood(reporter, 6);
  const reached = Promise.withResolvers<void>();
  const dying = bot({
    // Its lock lapses with it.
    locks: { take: async () => ({ held: () => true, release: async () => undefined }) },
    incident: () => {
      reached.resolve();
      return new Promise(() => undefined);
    },
  });
  void dying.summaries.redraw();
  await reached.promise;
  await summaries.redraw();
  expect(textOf(summary())).toMatch(/6 leaks reported/);
  expect(await cards.touched()).toEqual([]);
});

it('stays due where something changed while it was drawn', async () => {
  const { bot, cards } = await opened();
  const { summaries, reporter } = bot();
  await flood(reporter, 6);
  let changed = false;
  const slow = bot({
    incident: async (id) => {
      if (!changed) await cards.touch((await cards.touched())[0] ?? '');
      changed = true;
      return world.front.incident(id);
    },
  });
  await slow.summaries.redraw();
  expect(await cards.touched()).toHaveLength(1);
  await summaries.redraw();
  expect(await cards.touched()).toEqual([]);
});

it('is posted once where the process died between posting and storing', async () => {
  const { bot, cards } = await opened();
  const { summaries, reporter } = bot();
  await flood(reporter, 6);
  world.workspace.faults.next('chat.postMessage', { kind: 'reset_after_accept' });
  await summaries.redraw();
  expect(await cards.touched()).toHaveLength(1);
  await bot().summaries.redraw();
  expect(inChannel()).toHaveLength(6);
  expect(await cards.touched()).toEqual([]);
});

it('one press approves exactly the listed plans, each by its own rule, and says what was refused', async () => {
  const { bot } = await opened();
  const { summaries, reporter } = bot();
  // One was reported by the approver too, one is of a namespace whose rule wants each approved by itself.
  const ids = await flood(reporter, 8, (app) =>
    leakOf(app, undefined, app === 'app-7' ? 'shop' : 'payments'),
  );
  world.front.append(ids[6] ?? '', reported('UINES00001'));
  await summaries.redraw();
  expect(textOf(summary())).toMatch(/1 plan waits for approval, each by itself/);
  await press('ines', /^Approve all 7…$/);
  const view = await form('ines', /Approve 6 together/);
  expect(JSON.stringify(view)).toMatch(/app-0.*app-5/s);
  expect(JSON.stringify(view)).toMatch(/Not these, by you.*app-6.*You opened this incident/s);
  // The plan of one changes between the look and the press.
  world.front.append(
    ids[1] ?? '',
    { type: 'plan-expired' },
    { type: 'plan-proposed', plan: aPlan([remove]) },
  );
  await world.workspace.submit('ines', view.id, { reason: 'the same leak' });
  expect(await told('ines', /counts for/)).toMatch(
    new RegExp(`counts for 5 of 6.*5 plans run now.*Not among them.*${ids[1]}.*has changed since`, 's'),
  );
  const approved = [];
  for (const id of ids) {
    const incident = await world.front.incident(id);
    if (incident?.decisions.some(({ decision }) => decision.verb === 'approve' && decision.together))
      approved.push(id);
  }
  expect(approved).toEqual([0, 2, 3, 4, 5].map((n) => ids[n]));
});

it('where the log is away after a part of them, it says which count and which do not', async () => {
  const { bot } = await opened();
  const { summaries, reporter } = bot();
  await flood(reporter, 7);
  await summaries.redraw();
  await press('ines', /^Approve all 7…$/);
  const view = await form('ines', /Approve 7 together/);
  world.front.onAppend = () => {
    world.front.away = true;
  };
  await world.workspace.submit('ines', view.id, { reason: 'the same leak' });
  expect(await told('ines', /counts for/)).toMatch(
    /counts for 1 of 7.*1 plan runs now.*Not among them.*inc-\d+-1.*does not answer/s,
  );
});

it('nobody of another list gets the form', async () => {
  const { bot } = await opened();
  const { summaries, reporter } = bot();
  await flood(reporter, 6);
  await summaries.redraw();
  await press('dan', /^Approve all 6…$/);
  await form('dan', /not on the list of people/);
});

it('a member gets a card in the thread of the summary when somebody opens it, or a person is needed for it', async () => {
  const { bot, cards } = await opened();
  const { summaries, reporter } = bot();
  const ids = await flood(reporter, 7);
  await summaries.redraw();
  await press('dan', /^Open card$/);
  await told('dan', /Its card follows/);
  const asked = await world.workspace.waitFor(() =>
    ids.find((id) => world.front.events(id).some(({ type }) => type === 'card-asked')),
  );
  await world.report(asked, reporter);
  const other = ids.slice(5).find((id) => id !== asked) ?? '';
  world.front.append(other, { type: 'reminded', count: 1 });
  await world.report(other, reporter);
  const root = summary()?.ts ?? '';
  for (const id of [asked, other]) {
    expect(await cards.get(id)).toMatchObject({ root });
    const thread = world.workspace
      .thread(CHANNEL, root)
      .filter(({ ts, metadata }) => ts !== root && JSON.stringify(metadata).includes(id));
    expect(textOf(thread[0])).toContain('Approve plan');
  }
  expect(textOf(world.workspace.thread(CHANNEL, root).at(-1))).toContain('Waiting for approval');
  await summaries.redraw();
  expect(textOf(summary())).toContain(`thread_ts=${root}`);
  expect(inChannel()).toHaveLength(6);
});
