// Approvals over the wire: user groups asked of Slack at the click, reasons where the policy wants them, and the form of a broken glass.
import type { Message } from 'slack-sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { directory } from '../../../../src/adapters/slack/connection/directory.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import type { Step } from '../../../../src/domain/plan/plan.ts';
import { aPlan, aPolicy, contained, remove, waiting } from '../../../builders.ts';
import { CHANNEL, startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({
    policy: aPolicy({
      rules: [
        {
          name: 'sec',
          match: { cluster: ['prod'] },
          do: { any: { approvals: 2, from: ['SSECONCALL'] }, contain: { reason: true } },
        },
      ],
    }),
  });
  world.follow();
});
afterAll(() => world?.close());
afterEach(() => world.workspace.faults.clear());

let count = 0;
const open = async (): Promise<string> => {
  const id = `inc-approve-${++count}`;
  await world.open(id, contained());
  return id;
};

const card = (id: string): Message => {
  const found = world.workspace.messages(CHANNEL).find(({ ts }) => ts === world.cardTs(id));
  if (!found) throw new Error(`There is no card of ${id}.`);
  return found;
};
const textOf = (message: Message): string => JSON.stringify([message.text, message.blocks]);

async function press(user: string, id: string, verb: string): Promise<void> {
  const elements = (card(id).blocks ?? []).flatMap((block) => block.elements ?? []) as {
    action_id?: string;
    value?: string;
  }[];
  const button = elements.find(({ action_id }) => action_id === `decide:${verb}`);
  if (!button?.value) throw new Error(`There is no button ${verb}.`);
  const target = { channel: CHANNEL, ts: world.cardTs(id), actionId: `decide:${verb}`, value: button.value };
  await world.workspace.click(user, target);
}

async function told(user: string, act: () => Promise<unknown>): Promise<string> {
  const before = world.workspace.ephemerals(user).length;
  await act();
  return await world.workspace.waitFor(() =>
    world.workspace
      .ephemerals(user)
      .slice(before)
      .map(({ text }) => text)
      .find((text) => !text.includes('Working on it')),
  );
}

const verbs = (id: string): string[] =>
  world.front.events(id).flatMap((event) => (event.type === 'decided' ? [event.decision.verb] : []));

describe('a user group', () => {
  it('is named on the card, its members approve, and each sees who is still missing', async () => {
    const id = await open();
    expect(textOf(card(id))).toContain('2 of <!subteam^SSECONCALL>');
    expect(await told('maya', () => press('maya', id, 'approve'))).toMatch(
      /not on the list.*<!subteam\^SSECONCALL>/,
    );
    expect(await told('ines', () => press('ines', id, 'approve'))).toMatch(
      /counted\. 1 more person must approve/,
    );
    await world.workspace.waitFor(() => textOf(card(id)).includes('Approved so far by:* <@UINES00001>'));
    expect(await told('ines', () => press('ines', id, 'approve'))).toMatch(/approved this already.*1 more/);
    expect(await told('tomas', () => press('tomas', id, 'approve'))).toMatch(/^Approved\. The plan runs now/);
  });

  it('that Slack does not tell about lets nobody in', async () => {
    const failing = await startWorld({
      policy: aPolicy({ rules: [{ name: 'sec', do: { any: { from: ['SSECONCALL'] } } }] }),
    });
    try {
      failing.workspace.faults.always('usergroups.users.list', {
        kind: 'error',
        error: 'plan_upgrade_required',
      });
      await failing.open('inc-closed', contained());
      const [shown] = failing.workspace.messages(CHANNEL);
      expect(JSON.stringify(shown?.blocks)).toContain('Slack does not say who is in the group');
      const people = directory(failing.client, () => Date.now(), ['SSECONCALL']);
      expect(await people.person('UINES00001')).toMatchObject({ id: 'UINES00001', groups: [] });
    } finally {
      await failing.close();
    }
  });

  it('is remembered for a minute at most, and a failure not at all', async () => {
    let now = 0;
    const people = directory(world.client, () => now, ['SSECONCALL']);
    const asked = () =>
      world.workspace.calls.filter(({ method }) => method === 'usergroups.users.list').length;
    const before = asked();
    for (let n = 0; n < 3; n++) await people.person('UINES00001');
    expect(asked()).toBe(before + 1);
    now += 60_001;
    world.workspace.faults.always('usergroups.users.list', { kind: 'error', error: 'fatal_error' });
    expect((await people.person('UINES00001')).groups).toEqual([]);
    world.workspace.faults.clear();
    expect((await people.person('UINES00001')).groups).toEqual(['SSECONCALL']);
  });
});

describe('a run that stopped and whose approvals do not count', () => {
  const step = (id: string, phase: Step['phase']): Step => ({
    ...remove,
    id,
    action: id,
    phase,
    reversible: true,
  });
  const steps = [step('prepare', 'replace'), step('restart', 'roll-out')];
  const stopped = (by: string): EventBody[] => [
    ...contained(),
    { type: 'plan-proposed', plan: aPlan(steps) },
    { type: 'decided', decision: { verb: 'approve', by, hash: aPlan(steps).hash } },
  ];
  const openStopped = async (into: World): Promise<string> => {
    const id = `inc-approve-${++count}`;
    await into.open(id, stopped('UNOBODY01'));
    const run = `plan-${into.front.events(id).length}`;
    into.front.append(
      id,
      { type: 'run-stopped', run, reason: 'It was refused.' },
      { type: 'plan-proposed', plan: aPlan(steps) },
    );
    await into.workspace.waitFor(() => JSON.stringify(into.workspace.messages(CHANNEL)).includes('Retry'));
    return id;
  };

  it('is tried again when enough people have pressed the button', async () => {
    const id = await openStopped(world);
    expect(await told('maya', () => press('maya', id, 'retry'))).toMatch(/must be approved anew.*<!subteam/);
    expect(await told('ines', () => press('ines', id, 'retry'))).toMatch(
      /counted\. 1 more person must approve/,
    );
    await world.workspace.waitFor(() => textOf(card(id)).includes('For trying again:* <@UINES00001>'));
    expect(await told('tomas', () => press('tomas', id, 'retry'))).toMatch(/^Trying again/);
  });
});

describe('a card on which nobody can approve', () => {
  it('says so when it is posted', async () => {
    const lonely = await startWorld({
      bolt: true,
      policy: aPolicy({ rules: [{ name: 'three', do: { any: { approvals: 3, from: ['SSECONCALL'] } } }] }),
    });
    try {
      await lonely.open('inc-lonely', contained());
      const [shown] = lonely.workspace.messages(CHANNEL);
      expect(JSON.stringify(shown?.blocks)).toMatch(/nobody can approve this.*needs 3 and names 2 who may/);
    } finally {
      await lonely.close();
    }
  });
});

describe('forms', () => {
  const view = (user: string) => world.workspace.waitFor(() => world.workspace.views(user).at(-1));

  it('asks for the reason that the policy wants', async () => {
    const id = `inc-approve-${++count}`;
    await world.open(id, waiting());
    await press('ines', id, 'contain');
    const form = await view('ines');
    expect(JSON.stringify(form)).toContain('asks for a reason');
    expect(
      await told('ines', () => world.workspace.submit('ines', form.id, { reason: 'seen in a gist' })),
    ).toMatch(/^Quarantining now/);
    expect(world.front.clicks.at(-1)?.click).toMatchObject({ verb: 'contain', reason: 'seen in a gist' });
  });

  it('lets nobody break the glass who has not typed what they touch', async () => {
    const id = await open();
    await press('maya', id, 'break-glass');
    const form = await view('maya');
    const wrong = await world.workspace.submit('maya', form.id, { confirm: 'payments/web', reason: 'now' });
    expect(JSON.stringify(wrong)).toContain('Type exactly payments/api');
    expect(verbs(id)).toEqual(['contain']);
    const answer = told('maya', () =>
      world.workspace.submit('maya', form.id, { confirm: 'payments/api', reason: 'nobody is awake' }),
    );
    expect(await answer).toMatch(/The plan runs now\. Everybody who was skipped is told/);
    expect(verbs(id)).toEqual(['contain', 'break-glass']);
    await world.workspace.waitFor(() => textOf(card(id)).includes('A review is open'));
    const thread = () =>
      world.workspace
        .thread(CHANNEL, world.cardTs(id))
        .map(({ text }) => text)
        .join();
    await world.workspace.waitFor(() => /BREAK-GLASS:\* <@UMAYA00001>/.test(thread()));
    expect(thread()).toMatch(/Skipped: <!subteam\^SSECONCALL>/);
  });
});
