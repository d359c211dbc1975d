// Attacks on the decision to act: whatever is forged, replayed, raced or relaxed, nothing is run that the worker's policy does not allow, and each refusal says why.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPeople, type Json, type Message } from 'slack-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { INCIDENTS, type World } from '../../sandbox/world.ts';
import { openStore } from '../../src/adapters/redis/connect.ts';
import { deriveKeys } from '../../src/adapters/redis/derived-keys.ts';
import { createIncidentLog } from '../../src/adapters/redis/incident-log.ts';
import { keySpace } from '../../src/adapters/redis/key-space.ts';
import type { Decision } from '../../src/domain/incident/decision.ts';
import type { EventBody } from '../../src/domain/incident/events.ts';
import { fold } from '../../src/domain/incident/fold.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';
import {
  amendConfig,
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  carriedOut,
  type Leak,
  newToken,
  opened,
  openStage,
  PATIENCE_MS,
  press,
  pressWithReason,
  reportLeak,
  START_MS,
  textOf,
  threadSays,
  toldTo,
  tourniquet,
} from './stage.ts';

const CHANNEL = 'CINCIDENTS';
const idOf = (name: string): string => defaultPeople.find((person) => person.name === name)?.id ?? '';
const PATIENT = { timeout: 90_000 };

/** Two different people for everything that cannot be undone; what is automatic stays so. */
const twoOf = (from: string[]) => ({
  rules: [{ name: 'two', do: { revoke: { approvals: 2, from }, contain: 'auto' as const } }],
});

/** One approver quarantines, two delete, in a namespace where nothing runs by itself. */
const inSteps = [
  {
    name: 'in steps',
    match: { namespace: ['payroll'] },
    do: { contain: { from: ['approvers'] }, revoke: { approvals: 2, from: ['approvers'] } },
  },
];

/** The log as a bot holds it that was taken over: with the key. */
function stolenLog({ env, redis }: World) {
  const keys = deriveKeys(new Secret(env.TOURNIQUET_KEY ?? ''));
  const store = openStore(new Secret(redis.url), createLog({ level: 'silent' }));
  const log = createIncidentLog({ store, prefix: redis.prefix, keys, clock: { now: () => Date.now() } });
  const space = keySpace(redis.prefix);
  return {
    store,
    space,
    async incident(id: string): Promise<Incident> {
      return fold(id, (await log.load(id))?.events ?? []);
    },
    /** Appends with a valid chain, like the bot would. */
    async forge(id: string, make: (incident: Incident) => EventBody[]): Promise<void> {
      for (;;) {
        const loaded = await log.load(id);
        if (!loaded) throw new Error(`There is no incident ${id}.`);
        const events = make(fold(id, loaded.events));
        const request = { id, expected: loaded.events.length, head: loaded.head, events };
        if ((await log.append(request)).kind === 'appended') return;
      }
    },
  };
}

const approval = (incident: Incident, decision: Partial<Decision>): EventBody => ({
  type: 'decided',
  decision: { verb: 'approve', by: idOf('ines'), hash: incident.plan?.hash ?? '', ...decision },
});

/** Contained by policy, with a plan that deletes the Secret. */
async function contained(world: World, name: string): Promise<Leak> {
  const leak = await reportLeak(world, name);
  await cardShows(world, leak.id, /Contained: refused by 2 of 2.*Approve plan/);
  return leak;
}

const deleted = (world: World, { secret }: Leak): number => carriedOut(world, 'DELETE', secret).length;

/** As anybody can invent it who holds the app's socket. */
const invented = (
  world: World,
  user: string,
  actionId: string,
  value: unknown,
  team = world.slack.teamId,
): Json => ({
  type: 'block_actions',
  user: { id: idOf(user), team_id: team },
  team: { id: team },
  trigger_id: randomBytes(8).toString('hex'),
  channel: { id: CHANNEL },
  container: { type: 'message', channel_id: CHANNEL },
  actions: [{ type: 'button', action_id: actionId, block_id: 'b', action_ts: '1', value }],
});

const approveValue = (world: World, id: string): string =>
  buttonOf(cardOf(world, id), 'Approve plan')?.value ?? '';

async function pressSeen(world: World, card: Message, user: string, label: string): Promise<void> {
  const button = buttonOf(card, label);
  if (!button) throw new Error(`The card has no button "${label}".`);
  await world.slack.click(user, {
    channel: INCIDENTS,
    ts: card.ts,
    actionId: button.action_id,
    value: button.value,
  });
}

/** Whatever was tried: two honest people still get it done. */
async function approveByTwo(world: World, leak: Leak): Promise<void> {
  await toldTo(world, 'ines', () => press(world, leak.id, 'ines', 'Approve plan'));
  await cardShows(world, leak.id, /Approved so far by/);
  await press(world, leak.id, 'tomas', 'Approve plan');
  await threadSays(world, leak.id, /Closed as resolved/);
  expect(deleted(world, leak)).toBe(1);
}

describe('attacks on clicks', PATIENT, () => {
  let world: World;
  beforeAll(async () => {
    world = await openStage({ config: { policy: twoOf(['SSECONCALL', 'approvers']) } });
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  }, START_MS);
  afterAll(() => world?.close());
  beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

  it('forged: people who may not, other workspaces, edited hashes and stale buttons', async () => {
    const leak = await contained(world, 'forged');
    const value = approveValue(world, leak.id);
    const tell = (user: string, action: string, carried: unknown, team?: string) =>
      toldTo(world, user, () => world.slack.sendInteractive(invented(world, user, action, carried, team)));
    expect(await tell('dan', 'decide:approve', value)).toMatch(/not on the list.*subteam\^SSECONCALL/);
    expect(await tell('maya', 'decide:approve', value)).toMatch(/not on the list/);
    expect(await tell('gail', 'decide:approve', value)).toMatch(/Guests and apps/);
    expect(await tell('petra', 'decide:approve', value, 'T0PARTNER1')).toMatch(/another workspace/);
    // What the payload says about the person's workspace counts for nothing: Slack is asked.
    expect(await tell('petra', 'decide:approve', value)).toMatch(/another workspace/);
    const edited = JSON.stringify({ ...JSON.parse(value), h: 'f'.repeat(32) });
    expect(await tell('ines', 'decide:approve', edited)).toMatch(/has changed since/);
    expect(await tell('ines', 'decide:contain', value)).toMatch(/has changed since|already quarantined/);
    expect(deleted(world, leak)).toBe(0);
    await approveByTwo(world, leak);
  });

  it('double, replayed and parallel: one person is one vote, however often and however fast', async () => {
    const leak = await contained(world, 'doubled');
    const card = cardOf(world, leak.id) as Message;
    world.slack.faults.duplicateEnvelopes(1);
    await Promise.all(Array.from({ length: 25 }, () => pressSeen(world, card, 'ines', 'Approve plan')));
    await cardShows(world, leak.id, /Approved so far by/);
    const payload = invented(world, 'ines', 'decide:approve', approveValue(world, leak.id));
    expect(await toldTo(world, 'ines', () => world.slack.sendInteractive(payload))).toMatch(
      /approved this already/,
    );
    await world.slack.sendInteractive(payload);
    expect((await stolenLog(world).incident(leak.id)).votes).toHaveLength(1);
    expect(deleted(world, leak)).toBe(0);
    await Promise.all(Array.from({ length: 25 }, () => pressSeen(world, card, 'tomas', 'Approve plan')));
    await threadSays(world, leak.id, /Closed as resolved/);
    expect(deleted(world, leak)).toBe(1);
    expect(
      (await stolenLog(world).incident(leak.id)).runs.filter(({ kind }) => kind === 'plan'),
    ).toHaveLength(1);
  });

  it('stale: an approval given before the plan changed counts for nothing after it', async () => {
    const leak = await contained(world, 'stale');
    const seen = approveValue(world, leak.id);
    await toldTo(world, 'ines', () => press(world, leak.id, 'ines', 'Approve plan'));
    // A new consumer of the Secret is another plan.
    const late = { serviceAccount: 'checkout', secretMounts: ['stale'], replicas: 1 };
    world.cluster('prod').seed.deployment('payments', 'late', late);
    await stolenLog(world).forge(leak.id, () => [{ type: 'plan-expired' }]);
    await threadSays(world, leak.id, /A new plan is on the card/);
    const old = () => world.slack.sendInteractive(invented(world, 'tomas', 'decide:approve', seen));
    expect(await toldTo(world, 'tomas', old)).toMatch(/has changed since/);
    expect((await stolenLog(world).incident(leak.id)).votes).toEqual([]);
    expect(deleted(world, leak)).toBe(0);
    await approveByTwo(world, leak);
  });

  it('a self-approval: whoever reports, even through a second incident, is excluded from both', async () => {
    const first = await contained(world, 'selfish');
    const at = 'prod/payments/checkout';
    await toldTo(world, 'ines', () => world.slack.slash('ines', INCIDENTS, `/revoke-sa ${at} it is mine`));
    const second = await world.slack.waitFor(() => {
      const found = world.slack
        .messages(INCIDENTS)
        .findLast((message) => textOf(message).includes('reported by <@UINES00001>'));
      return found?.metadata && buttonOf(found, 'Approve plan') ? found : undefined;
    }, PATIENCE_MS);
    expect(await toldTo(world, 'ines', () => pressSeen(world, second, 'ines', 'Approve plan'))).toMatch(
      /You opened this incident/,
    );
    // The other way round: who asked for the second is as little a second person for the first.
    expect(await toldTo(world, 'ines', () => press(world, first.id, 'ines', 'Approve plan'))).toMatch(
      /You asked for incident .* about the same ServiceAccount/,
    );
    expect(deleted(world, first)).toBe(0);
    expect(carriedOut(world, 'DELETE', '/api/v1/namespaces/payments/serviceaccounts/checkout')).toEqual([]);
  });

  it('a member who left the group: their vote is asked for at the click, not remembered from the card', async () => {
    const leak = await contained(world, 'left');
    await world.slack.setGroupMembers('SPLATFORM1', []);
    const value = approveValue(world, leak.id);
    const forged = () => world.slack.sendInteractive(invented(world, 'rolf', 'decide:approve', value));
    await forged();
    expect(await toldTo(world, 'dan', () => press(world, leak.id, 'dan', 'Approve plan'))).toMatch(
      /not on the list/,
    );
    expect((await stolenLog(world).incident(leak.id)).votes).toEqual([]);
  });
});

describe('attacks on Redis', PATIENT, () => {
  let world: World;
  let stolen: ReturnType<typeof stolenLog>;
  beforeAll(async () => {
    world = await openStage({ config: { policy: twoOf(['approvers']) } });
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
    stolen = stolenLog(world);
  }, START_MS);
  afterAll(async () => {
    await stolen?.store.close();
    await world?.close();
  });
  beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

  it.each<[string, (incident: Incident) => EventBody[], RegExp]>([
    [
      'one approval where two are needed',
      (incident) => [approval(incident, {})],
      /needs 1 more approval than were given/,
    ],
    [
      'approvals of people who are not on the worker’s list',
      (incident) => [
        approval(incident, { by: idOf('dan'), awaiting: 1 }),
        approval(incident, { by: idOf('maya') }),
      ],
      /needs 2 more approvals/,
    ],
    [
      'a containment by policy that deletes',
      ({ plan }) => [{ type: 'auto-contained', steps: plan?.steps ?? [], rule: 'two' }],
      /asks a person first/,
    ],
    [
      'a broken glass of a stranger',
      (incident) => [approval(incident, { verb: 'break-glass', by: idOf('dan'), reason: 'x' })],
      /does not let UDAN000001 break the glass/,
    ],
  ])('with the key, a forged log of %s runs nothing', async (name, events, words) => {
    const leak = await contained(world, `forged-${name.length}`);
    await stolen.forge(leak.id, events);
    await threadSays(world, leak.id, words);
    expect(deleted(world, leak)).toBe(0);
  });

  it('without the key, a changed log is not acted upon, the audit names the entry, and honest approvals wait', async () => {
    const leak = await contained(world, 'tampered');
    const key = stolen.space.log(leak.id);
    const entries = await stolen.store.run((redis) => redis.lrange(key, 0, -1));
    const planned = entries.findIndex((entry) => entry.includes('"plan-proposed"'));
    const original = entries[planned] ?? '';
    await stolen.store.run((redis) => redis.lset(key, planned, original.replace('payments', 'kube-public')));
    expect(await toldTo(world, 'ines', () => press(world, leak.id, 'ines', 'Approve plan'))).toMatch(
      /damaged at entry/,
    );
    const { code, output } = await tourniquet(world, 'audit', 'verify', leak.id);
    expect([code, output]).toEqual([1, expect.stringContaining(`entry ${planned + 1} of`)]);
    expect(deleted(world, leak)).toBe(0);
    await stolen.store.run((redis) => redis.lset(key, planned, original));
    await approveByTwo(world, leak);
  });

  it('a job for what nobody approved runs nothing', async () => {
    const leak = await contained(world, 'jobless');
    const before = (await stolen.incident(leak.id)).version;
    const { createJobQueue } = await import('../../src/adapters/bullmq/queue.ts');
    const queue = createJobQueue({
      connections: stolen.store,
      prefix: world.redis.prefix,
      clock: { now: () => Date.now() },
      log: createLog({ level: 'silent' }),
    });
    await queue.add([{ id: `${leak.id}-run-forged`, kind: 'run', incidentId: leak.id, at: 0 }]);
    // The next thing that the worker does shows that it has dropped the job.
    await contained(world, 'after-jobless');
    await queue.close();
    expect((await stolen.incident(leak.id)).version).toBe(before);
    expect(deleted(world, leak)).toBe(0);
  });

  it('a feed that alerts on kube-system touches nothing there until two people say so', async () => {
    const { seed } = world.cluster('prod');
    seed.serviceAccount('kube-system', 'node-tool');
    const token = await seed.tokenSecret('kube-system', 'node-tool-token', 'node-tool');
    const id = await opened(await world.report({ token }));
    await cardShows(world, id, /kube-system is protected/);
    expect(await toldTo(world, 'maya', () => press(world, id, 'maya', 'Quarantine now'))).toMatch(
      /1 more person must approve/,
    );
    expect(await answersTo(world, token)).toEqual([201, 201]);
    await press(world, id, 'ines', 'Quarantine now');
    await cardShows(world, id, /Contained: refused by 2 of 2/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('a switch that somebody else wrote stops everything, and only an approver lets it go on', async () => {
    await stolen.store.run((redis) => redis.set(stolen.space.pause, 'null'));
    const { token } = await newToken(world, 'while-damaged');
    const id = await opened(await world.report({ token }));
    await cardShows(world, id, /PAUSED.*changed by something else/);
    expect(await answersTo(world, token)).toEqual([201, 201]);
    const say = (user: string) =>
      toldTo(world, user, () => world.slack.slash(user, INCIDENTS, '/tourniquet resume'));
    expect(await say('maya')).toMatch(/not on the list of people who may let Tourniquet go on/);
    expect(await say('ines')).toMatch(/Tourniquet goes on/);
    await press(world, id, 'maya', 'Quarantine now');
    await cardShows(world, id, /Contained: refused by 2 of 2/);
  });
});

describe('attacks on what people believe later', PATIENT, () => {
  let world: World;
  let stolen: ReturnType<typeof stolenLog>;
  let leak: Leak;
  /** What the bot has written to its standard output by then, collected where Redis is not. */
  let collected: string;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tourniquet-attacks-'));
    world = await openStage({ config: { policy: twoOf(['approvers']) } });
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
    stolen = stolenLog(world);
    leak = await contained(world, 'history');
    await approveByTwo(world, leak);
    const closedAt = (await stolen.incident(leak.id)).version;
    await vi.waitFor(() => expect(anchoredOf(world.output(), leak.id)).toBeGreaterThanOrEqual(closedAt - 1), {
      timeout: PATIENCE_MS,
    });
    collected = world.output();
  }, START_MS);
  afterAll(async () => {
    await stolen?.store.close();
    await world?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const verify = async (anchors?: string) => {
    const path = join(directory, 'anchors.jsonl');
    if (anchors !== undefined) await writeFile(path, anchors);
    return await tourniquet(
      world,
      'audit',
      'verify',
      '--all',
      ...(anchors === undefined ? [] : ['--anchor', path]),
    );
  };

  it('what nobody touched verifies against the anchors that were collected, and against the hash of one', async () => {
    expect(await verify(collected)).toEqual({
      code: 0,
      output: expect.stringContaining('1 incidents are as'),
    });
    const hash = [...collected.matchAll(/"mac":"([0-9a-f]{64})"/g)].at(-1)?.[1] ?? '';
    const { code, output } = await tourniquet(world, 'audit', 'verify', '--all', '--anchor', hash);
    expect([code, output]).toEqual([0, expect.stringContaining('nothing up to there was removed')]);
    // Neither an anchor nor a stub has room for a token.
    expect(collected).not.toContain(leak.token);
  });

  it('a removed incident, with everything in Redis that speaks of it, is named by the anchors', async () => {
    const { space, store } = stolen;
    const names = [space.log(leak.id), space.cursors(leak.id), space.card(leak.id)];
    const ledger = space.log('@ledger');
    const entries = await store.run((redis) => redis.lrange(ledger, 0, -1));
    await store.run((redis) => redis.del(...names));
    await store.run((redis) => redis.zrem(space.incidents, leak.id));
    const gone = new RegExp(`Incident ${leak.id} was removed as a whole: anchor`);
    expect(await verify()).toEqual({ code: 1, output: expect.stringMatching(gone) });
    // A stub that explains it cannot be forged without the key.
    const stub = { v: entries.length + 1, at: new Date().toISOString(), type: 'purged', incident: leak.id };
    await store.run((redis) => redis.rpush(ledger, `${'0'.repeat(64)} ${JSON.stringify(stub)}`));
    const forged = await verify();
    expect(forged).toEqual({ code: 1, output: expect.stringMatching(gone) });
    expect(forged.output).toMatch(
      new RegExp(`entry ${entries.length + 1} of .* was changed, moved or invented`),
    );
    // Nor does it help to remove the ledger too.
    await store.run((redis) => redis.del(ledger, space.cursors('@ledger')));
    const elsewhere = await verify(collected);
    expect(elsewhere).toEqual({ code: 1, output: expect.stringMatching(gone) });
    expect(elsewhere.output).toMatch(/are not in the ledger/);
  });
});

/** How many entries of this incident the anchors in these log lines cover. */
function anchoredOf(output: string, id: string): number {
  const versions = output.split('\n').flatMap((line) => {
    if (!line.includes('"event":"anchor"')) return [];
    const { entry } = JSON.parse(line) as { entry: { heads?: [string, number, string][] } };
    return (entry.heads ?? []).filter(([of]) => of === id).map(([, version]) => version);
  });
  return Math.max(0, ...versions);
}

describe('attacks by changing who decides', PATIENT, () => {
  let world: World;
  beforeAll(async () => {
    // The bot's policy was relaxed; the worker starts with the strict one.
    world = await openStage({
      config: {
        policy: {
          rules: [
            ...inSteps,
            {
              name: 'lax',
              do: { any: { excludeRequester: false, from: ['approvers', 'responders'] }, contain: 'auto' },
            },
          ],
        },
      },
    });
    await world.startRole('bot');
    await amendConfig(world, (config) => {
      config.policy = { rules: [...inSteps, ...twoOf(['approvers']).rules] };
    });
    await world.startRole('worker');
  }, START_MS);
  afterAll(() => world?.close());
  beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

  it('a policy that was relaxed for the bot alone lets the worker do nothing more', async () => {
    const leak = await contained(world, 'relaxed');
    await press(world, leak.id, 'maya', 'Approve plan');
    await threadSays(world, leak.id, /rule .*two.* of this worker.* needs 2 more approvals/);
    expect(deleted(world, leak)).toBe(0);
  });

  it('an approver who is removed between the click and the step does not count any more', async () => {
    const leak = await contained(world, 'removed');
    await toldTo(world, 'maya', () =>
      world.slack.slash('maya', INCIDENTS, '/tourniquet pause somebody left'),
    );
    await cardShows(world, leak.id, /PAUSED/);
    const log = stolenLog(world);
    await log.forge(leak.id, (incident) => [
      approval(incident, { awaiting: 1 }),
      approval(incident, { by: idOf('tomas') }),
    ]);
    await world.worker().stop();
    await amendConfig(world, (config) => {
      config.people = { approvers: [idOf('ines')] };
    });
    await world.startRole('worker');
    await toldTo(world, 'ines', () => world.slack.slash('ines', INCIDENTS, '/tourniquet resume'));
    await threadSays(world, leak.id, /needs 1 more approval than were given/);
    expect(deleted(world, leak)).toBe(0);
    await log.store.close();
  });

  it('a broken glass is told to everybody who was skipped, and its own author cannot close the review', async () => {
    const leak = await contained(world, 'glass');
    await press(world, leak.id, 'ines', 'Break glass…');
    const form = await world.slack.waitFor(() => world.slack.views('ines').at(-1), PATIENCE_MS);
    await world.slack.submit('ines', form.id, { confirm: 'payments/checkout', reason: 'nobody is awake' });
    await threadSays(world, leak.id, /BREAK-GLASS.*UINES00001.*Skipped: .*UTOMAS0001/s);
    await threadSays(world, leak.id, /Closed as resolved/);
    expect(deleted(world, leak)).toBe(1);
    await press(world, leak.id, 'ines', 'Close review…');
    const refused = await world.slack.waitFor(() => {
      const view = world.slack.views('ines').at(-1);
      return view && JSON.stringify(view).includes('broke the glass yourself') ? view : undefined;
    }, PATIENCE_MS);
    expect(refused).toBeDefined();
    await pressWithReason(world, leak.id, 'tomas', 'Close review…', 'it was right');
    await cardShows(world, leak.id, /Reviewed by <@UTOMAS0001>: it was right/);
  });

  it('a policy that is relaxed for the bot between two steps: the job does what was approved, and stops there', async () => {
    const { seed } = world.cluster('prod');
    seed.namespace('payroll');
    seed.serviceAccount('payroll', 'salaries');
    const token = await seed.tokenSecret('payroll', 'salaries-token', 'salaries');
    const id = await opened(await world.report({ token }));
    await toldTo(world, 'ines', () => press(world, id, 'ines', 'Approve plan'));
    await cardShows(world, id, /Approved so far by/);
    // One more is needed. Somebody who can change the bot's configuration makes everybody enough.
    await world.bot().stop();
    await amendConfig(world, (config) => {
      config.people = { approvers: ['ines', 'tomas', 'maya', 'dan'].map(idOf) };
      config.policy = { rules: [{ name: 'lax', do: { any: { excludeRequester: false } } }] };
    });
    await world.startRole('bot');
    await press(world, id, 'dan', 'Approve plan');
    await threadSays(world, id, /rule .*in steps.* of this worker.* needs 1 more approval/);
    // The step that one approver may decide was done, and what needs two was not.
    expect(await answersTo(world, token)).toEqual([401, 401]);
    const secret = '/api/v1/namespaces/payroll/secrets/salaries-token';
    expect(carriedOut(world, 'DELETE', secret)).toEqual([]);
    expect(world.cluster('prod').get(secret)).toBeDefined();
  });
});
