// Clicks by strangers, forgers and latecomers: each is told why it counts for nothing, and nothing is run by it.
import { randomBytes } from 'node:crypto';
import { BOT_ID, defaultPeople, type Json } from 'slack-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leakToken } from '../../sandbox/harbour.ts';
import { inspectTraces } from '../../sandbox/traces.ts';
import { INCIDENTS, type World } from '../../sandbox/world.ts';
import {
  answersTo,
  buttonOf,
  cardOf,
  cardShows,
  expectStillWorks,
  opened,
  openStage,
  PATIENCE_MS,
  press,
  pressWithReason,
  textOf,
  toldTo,
  viewShows,
} from './stage.ts';

const PATIENT = { timeout: 60_000 };
const idOf = (name: string): string => defaultPeople.find((person) => person.name === name)?.id ?? '';
const CHANNEL = 'CINCIDENTS';

let world: World;
/** Every token that was leaked here: none may be found anywhere in the end. */
const leaked: string[] = [];

beforeAll(async () => {
  // On the list, so that only what Slack says of them can keep them out.
  const outsiders = ['petra', 'gail', 'rolf'].map(idOf);
  const approvers = [...['ines', 'tomas'].map(idOf), ...outsiders, BOT_ID];
  world = await openStage({ config: { people: { responders: [idOf('maya')], approvers } } });
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, 120_000);
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

async function leak(): Promise<{ id: string; token: string }> {
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  leaked.push(token);
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /Contained: refused by 2 of 2.*Approve plan/);
  return { id, token };
}

/** A click as anybody could invent it who holds the app's socket. */
const forgedClick = (user: string, actionId: string, value: unknown): Json => ({
  type: 'block_actions',
  user: { id: user, team_id: world.slack.teamId },
  team: { id: world.slack.teamId },
  trigger_id: randomBytes(8).toString('hex'),
  channel: { id: CHANNEL },
  container: { type: 'message', channel_id: CHANNEL },
  actions: [{ type: 'button', action_id: actionId, block_id: 'b', action_ts: '1', value }],
});
const forge = (user: string, actionId: string, value: unknown) =>
  world.slack.sendInteractive(forgedClick(idOf(user), actionId, value));

const approveValue = (id: string): string => buttonOf(cardOf(world, id), 'Approve plan')?.value ?? '';
const deletes = () => world.cluster('prod').requests.filter(({ method }) => method === 'DELETE');
const slash = (user: string, line: string) => world.slack.slash(user, INCIDENTS, line);

describe('a button', PATIENT, () => {
  let id: string;
  let token: string;
  beforeAll(async () => {
    ({ id, token } = await leak());
  }, 120_000);

  it.each([
    ['dan', 'who is not on the list', /not on the list.*<@UINES00001>/],
    ['gail', 'a guest', /Guests and apps cannot/],
    ['petra', 'of another workspace', /another workspace/],
  ])('pressed by %s, %s, is refused', async (user, _, words) => {
    expect(await toldTo(world, user, () => press(world, id, user, 'Approve plan'))).toMatch(words);
  });

  it.each([
    ['somebody who has left', idOf('rolf')],
    ['a bot', BOT_ID],
  ])('pressed in the name of %s is refused', async (_, user) => {
    await world.slack.sendInteractive(forgedClick(user, 'decide:approve', approveValue(id)));
    const answers = () =>
      world.slack.calls
        .filter(({ args }) => args.user === user || args.channel === user)
        .map(({ args }) => args.text);
    await world.slack.waitFor(
      () => answers().some((text) => String(text).includes('Guests and apps cannot')),
      PATIENCE_MS,
      `a refusal for ${user}`,
    );
  });

  it.each<[string, string, () => unknown, RegExp]>([
    [
      'with an edited hash',
      'decide:approve',
      () => JSON.stringify({ i: id, h: 'f'.repeat(64) }),
      /has changed.*did nothing/,
    ],
    ['without a hash', 'decide:approve', () => JSON.stringify({ i: id }), /has changed.*did nothing/],
    [
      "with the containment's hash",
      'decide:approve',
      () => buttonOf(cardOf(world, id), 'Undo quarantine')?.value,
      /has changed.*did nothing/,
    ],
    [
      'of an incident that does not exist',
      'decide:approve',
      () => JSON.stringify({ i: 'f'.repeat(10), h: 'x' }),
      /not in the log.*\/tourniquet/,
    ],
    [
      'with a path for an incident',
      'decide:approve',
      () => JSON.stringify({ i: '../keys', h: 'x' }),
      /nothing was done/,
    ],
    ['with words', 'decide:approve', () => 'approve everything', /nothing was done/],
    ['with a list', 'decide:approve', () => '[1,2]', /nothing was done/],
    ['with nothing', 'decide:approve', () => undefined, /nothing was done/],
    [
      'with a megabyte',
      'decide:approve',
      () => JSON.stringify({ i: id, h: 'x'.repeat(1_000_000) }),
      /nothing was done/,
    ],
    ['of a verb that does not exist', 'decide:destroy', () => approveValue(id), /nothing was done/],
    ['of a verb that every object has', 'decide:constructor', () => approveValue(id), /nothing was done/],
    ['of another app', 'launch', () => approveValue(id), /nothing was done/],
  ])('%s does nothing', async (_, actionId, value, words) => {
    expect(await toldTo(world, 'ines', () => forge('ines', actionId, value()))).toMatch(words);
  });

  it('of one incident does not decide another with its hash', async () => {
    const other = await leak();
    const { h } = JSON.parse(approveValue(id)) as { h: string };
    expect(JSON.parse(approveValue(other.id))).not.toMatchObject({ h });
    const value = JSON.stringify({ i: other.id, h });
    expect(await toldTo(world, 'ines', () => forge('ines', 'decide:approve', value))).toMatch(/has changed/);
  });

  it('in a payload that is no payload leaves the bot standing', async () => {
    await Promise.all([
      world.slack.sendInteractive({ type: 'block_actions' }),
      world.slack.sendInteractive({ type: 'block_actions', actions: 'x', user: null }),
      world.slack.sendInteractive({ type: 'something_new', user: { id: idOf('ines') } }),
      world.slack.sendInteractive({ ...forgedClick(idOf('ines'), 'decide:approve', ''), actions: [] }),
    ]);
    expect(world.bot().running).toBe(true);
    expect(await toldTo(world, 'dan', () => slash('dan', '/tourniquet health'))).toContain(
      'all parts answer',
    );
  });

  it('so that by all these nothing was run', async () => {
    expect(deletes()).toEqual([]);
    expect(textOf(await cardShows(world, id, /Approve plan/))).toContain('Contained');
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('that asks for a reason gets none: refused by the form, and by us where it is only spaces', async () => {
    await press(world, id, 'ines', 'Decline');
    const form = await viewShows(world, 'ines', /Decline the plan/);
    expect(await world.slack.submit('ines', form.id, { reason: '' })).toMatchObject({ status: 'invalid' });
    const said = await toldTo(world, 'ines', () => world.slack.submit('ines', form.id, { reason: '   ' }));
    expect(said).toMatch(/one sentence why.*Nothing was changed/);
  });

  it('for Undo is refused to somebody who may only contain, in the form and behind it', async () => {
    await press(world, id, 'maya', 'Undo quarantine');
    await viewShows(world, 'maya', /Not possible.*not on the list/);
    const about = JSON.parse(buttonOf(cardOf(world, id), 'Undo quarantine')?.value ?? '{}') as { i: string };
    const forged = {
      type: 'view_submission',
      user: { id: idOf('maya') },
      team: { id: world.slack.teamId },
      trigger_id: 'forged-undo',
      view: {
        callback_id: 'give-reason',
        private_metadata: JSON.stringify({ channel: CHANNEL, verb: 'undo', about: { incidentId: about.i } }),
        state: { values: { reason: { reason: { type: 'plain_text_input', value: 'because' } } } },
      },
    };
    expect(await toldTo(world, 'maya', () => world.slack.sendInteractive(forged))).toMatch(/not on the list/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('of a plan that was replaced since is refused, and the card shows the new one', async () => {
    const stale = approveValue(id);
    await pressWithReason(world, id, 'ines', 'Undo quarantine', 'payments are down');
    await cardShows(world, id, /LEAK LIVE AGAIN.*Approve plan/);
    expect(approveValue(id)).not.toBe(stale);
    expect(await toldTo(world, 'tomas', () => forge('tomas', 'decide:approve', stale))).toMatch(
      /has changed/,
    );
    expect(deletes()).toEqual([]);
  });

  it('pressed by two at once runs once, and the other is told', async () => {
    const before = world.slack.ephemerals('tomas').length + world.slack.ephemerals('ines').length;
    const told = () => [...world.slack.ephemerals('tomas'), ...world.slack.ephemerals('ines')].map(textOf);
    await Promise.all(['ines', 'tomas'].map((user) => press(world, id, user, 'Approve plan')));
    await cardShows(world, id, /Revoked/);
    await world.slack.waitFor(() => told().length >= before + 2, PATIENCE_MS, 'an answer for both');
    expect(told().filter((text) => text.includes('Approved. The plan runs now'))).toHaveLength(1);
    expect(deletes()).toHaveLength(1);
    await cardShows(world, id, /Closed/);
    const late = { i: id, h: 'x' };
    expect(await toldTo(world, 'ines', () => forge('ines', 'decide:approve', JSON.stringify(late)))).toMatch(
      /already closed \(resolved\).*\/revoke-sa/,
    );
  });
});

it('after all that the next leak is contained, and none of the values stands anywhere', PATIENT, async () => {
  await expectStillWorks(world);
  for (const token of leaked) expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
});
