// Many different ServiceAccounts at once, through real sockets and processes: the channel stays readable, and one press is as good as twelve where the policies of both processes say so.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leakTogether } from '../../sandbox/demos.ts';
import { inspectTraces } from '../../sandbox/traces.ts';
import { INCIDENTS, type World } from '../../sandbox/world.ts';
import { amendConfig, cards, openStage, PATIENCE_MS, START_MS, summaryOf, textOf } from './stage.ts';

let world: World;
beforeEach(async () => {
  world = await openStage({
    config: {
      slack: { burst: { cards: 5 } },
      policy: {
        rules: [
          {
            name: 'runners',
            match: { namespace: ['builds'] },
            do: { any: { group: true }, contain: 'auto' },
          },
        ],
      },
    },
  });
  await world.startRole('bot');
}, START_MS);
afterEach(() => world?.close());

const shows = (pattern: RegExp) =>
  world.slack.waitFor(
    () => {
      const found = summaryOf(world);
      return found && pattern.test(textOf(found)) ? found : undefined;
    },
    60_000,
    `the summary to show ${pattern}`,
  );

async function approveAll(): Promise<string> {
  const shown = await shows(/Approve all 12…/);
  const accessories = (shown.blocks ?? []).map(
    ({ accessory }) => accessory as { action_id?: string; value?: string },
  );
  const button = accessories.find((one) => one?.action_id === 'approve-together');
  if (!button?.action_id || !button.value) throw new Error('There is no button.');
  await world.slack.click('ines', {
    channel: INCIDENTS,
    ts: shown.ts,
    actionId: button.action_id,
    value: button.value,
  });
  const view = await world.slack.waitFor(() => {
    const open = world.slack.views('ines').at(-1);
    return open && JSON.stringify(open).includes('Approve 12 together') ? open : undefined;
  }, PATIENCE_MS);
  await world.slack.submit('ines', view.id, {});
  return await world.slack.waitFor(
    () =>
      world.slack
        .ephemerals('ines')
        .map(({ text }) => text)
        .find((text) => text.includes('counts for')),
    PATIENCE_MS,
  );
}

const deleted = () =>
  world
    .cluster('prod')
    .requests.filter(
      ({ method, path, status }) =>
        method === 'DELETE' && path.includes('/namespaces/builds/secrets/') && status < 300,
    ).length;

it('twelve leaks are five cards and a summary, and one press by one approver ends all of them', {
  timeout: 180_000,
}, async () => {
  await world.startRole('worker');
  const tokens = await leakTogether(world, 12);
  await shows(/Contained: refused by 2 of 2[^"]*\*12\*/);
  expect(cards(world).length).toBeLessThanOrEqual(6);
  expect(await approveAll()).toMatch(/counts for 12 of 12.*12 plans run now/s);
  await shows(/Revoked: refused by 2 of 2[^"]*\*12\*/);
  expect(deleted()).toBe(12);
  expect(cards(world).length).toBeLessThanOrEqual(6);
  for (const token of tokens.slice(0, 3)) expect((await inspectTraces(world, token)).found).toEqual([]);
});

const REFUSED = /rule .*each.* needs 1 more approval/;

it('a worker whose policy wants each approved by itself runs none of them', {
  timeout: 180_000,
}, async () => {
  await amendConfig(world, (config) => {
    config.policy = {
      rules: [{ name: 'each', match: { namespace: ['builds'] }, do: { any: {}, contain: 'auto' } }],
    };
  });
  await world.startRole('worker');
  await leakTogether(world, 12);
  expect(await approveAll()).toMatch(/counts for 12 of 12/);
  await world.slack.waitFor(
    () => world.slack.messages(INCIDENTS).some((message) => REFUSED.test(textOf(message))),
    60_000,
    'the refusal of the worker',
  );
  expect(deleted()).toBe(0);
});
