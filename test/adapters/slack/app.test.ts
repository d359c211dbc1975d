// Real Bolt over the wire: commands, clicks and forms, by people with and without the right to them.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Values } from '../../../src/adapters/slack/forms/form-answers.ts';
import { AppError } from '../../../src/errors.ts';
import {
  anIdentity,
  aPlan,
  contained,
  observed,
  planned,
  reported,
  revoked,
  waiting,
} from '../../builders.ts';
import { legacyToken } from '../../domain/token/token-samples.ts';
import { CHANNEL, startWorld, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await startWorld();
  world.follow();
});
afterAll(() => world.close());
afterEach(() => {
  world.front.answer = {};
  world.front.problems = [];
  world.front.away = false;
  world.workspace.faults.clear();
});

const newId = () => `inc-t${String(++count).padStart(3, '0')}`;
const said = (user: string) => world.workspace.ephemerals(user).map(({ text }) => text);
/** What the person is told next. */
async function told(user: string, act: () => Promise<unknown>): Promise<string> {
  const before = said(user).length;
  await act();
  return world.workspace.waitFor(
    () =>
      said(user)
        .slice(before)
        .find((text) => !text.startsWith('Working on it')),
    4000,
    `an answer to ${user}`,
  );
}
const slash = (line: string, user = 'maya', channel = 'incidents') =>
  world.workspace.slash(user, channel, line);
const click = (user: string, id: string, actionId: string, value?: string) =>
  world.workspace.click(user, {
    channel: CHANNEL,
    ts: world.cardTs(id),
    actionId,
    ...(value ? { value } : {}),
  });
const verbs = (id: string) =>
  world.front.events(id).flatMap((event) => (event.type === 'decided' ? event.decision.verb : []));
const topView = (user: string) => world.workspace.views(user).at(-1);
const viewText = (user: string) => JSON.stringify(topView(user)?.blocks ?? []);
const waitForView = (user: string, part: string) =>
  world.workspace.waitFor(
    () => (viewText(user).includes(part) ? topView(user) : undefined),
    4000,
    `a view with ${part}`,
  );

describe('commands', () => {
  it('opens an incident and answers its author alone', async () => {
    world.front.answer = { found: ['prod'] };
    const before = world.workspace.messages('general').length;
    const text = await told('dan', () =>
      slash('/revoke-sa payments/api @maya saw it <there>', 'dan', 'general'),
    );
    expect(text).toMatch(/^Incident `inc-\w+` is open\. /);
    expect(world.front.findings.at(-1)?.alert).toMatchObject({
      reporter: 'UDAN000001',
      subject: { at: { cluster: 'prod', serviceAccount: 'api' } },
    });
    expect(world.workspace.messages('general')).toHaveLength(before);
    expect(await told('dan', () => slash('/revoke-sa payments/api', 'dan'))).toMatch(
      /^This is already known/,
    );
  });

  it('says at once that it works on what takes long', async () => {
    const worker = Promise.withResolvers<never>();
    world.front.answer = () => worker.promise;
    const before = said('maya').length;
    await slash('/revoke-sa payments/slow');
    await world.workspace.waitFor(() => said('maya').length > before);
    expect(said('maya').at(-1)).toBe('Working on it…');
    worker.reject(new AppError('timeout', 'No worker answers.', { retry: true }));
    await world.workspace.waitFor(() => said('maya').at(-1)?.includes('No worker answers.'));
  });

  it('shows incidents with a link to their cards', async () => {
    const id = newId();
    await world.open(id, waiting());
    const text = await told('maya', () => slash(`/tourniquet ${id.slice(0, -1)}`));
    expect(text).toContain(`archives/${CHANNEL}/p${world.cardTs(id).replace('.', '')}`);
    expect(text).toContain('LEAK LIVE');
    expect(await told('maya', () => slash('/tourniquet'))).toContain('all parts answer');
  });

  it('shows the errors that are meant for people, and hides the others', async () => {
    world.front.answer = { found: ['prod'] };
    world.front.away = true;
    expect(await told('maya', () => slash('/revoke-sa payments/api'))).toMatch(
      /^The incident log does not answer/,
    );
    world.front.answer = () => Promise.reject(new TypeError('secret inside'));
    const text = await told('maya', () => slash('/revoke-sa payments/api'));
    expect(text).toMatch(/Internal error, ref [0-9a-f]{8}\.$/);
    expect(world.logged.join()).toContain(/ref (\w+)/.exec(text)?.[1] ?? 'none');
    expect(world.logged.join()).not.toContain('secret inside');
  });

  it('refuses guests, and everybody while Slack does not say who they are', async () => {
    expect(await told('gail', () => slash('/tourniquet', 'gail'))).toMatch(/full members/);
    world.workspace.faults.always('users.info', { kind: 'server_error' });
    expect(await told('tomas', () => slash('/tourniquet', 'tomas'))).toMatch(/did not say who you are/);
  });

  it('answers another way where the response_url is refused', async () => {
    world.workspace.faults.next('response_url', { kind: 'server_error' });
    expect(await told('maya', () => slash('/tourniquet health'))).toContain('all parts answer');
  });

  it('takes a command that is delivered twice once', async () => {
    world.front.answer = { found: ['prod'] };
    const before = world.front.findings.length;
    world.workspace.faults.duplicateEnvelopes(1);
    await told('maya', () => slash('/revoke-sa payments/twice'));
    await told('maya', () => slash('/tourniquet health'));
    expect(world.front.findings).toHaveLength(before + 1);
  });
});

describe('the leak form', () => {
  it('opens, refuses what is wrong beside its field, and reports', async () => {
    await slash('/revoke-sa');
    const form = await waitForView('maya', 'ServiceAccount');
    expect(await world.workspace.submit('maya', form.id, {})).toMatchObject({
      payload: { response_action: 'errors' },
    });
    expect(world.workspace.viewErrors('maya')).toMatchObject({
      namespace: expect.stringContaining('Paste the token'),
    });
    const token = legacyToken();
    await world.workspace.submit('maya', form.id, { paste: token.slice(0, 300) });
    expect(world.workspace.viewErrors('maya')).toMatchObject({
      paste: expect.stringMatching(/cut off|No ServiceAccount token/),
    });
    await world.workspace.submit('maya', form.id, { paste: token, where: 'a gist', reason: 'by mistake' });
    await waitForView('maya', 'is open');
    const finding = world.front.findings.at(-1);
    expect(finding?.alert).toEqual({
      source: 'slash',
      subject: { kind: 'token' },
      reporter: 'UMAYA00001',
      where: { text: 'a gist' },
      reason: 'by mistake',
    });
    expect(finding?.token?.reveal()).toBe(token);
    expect(world.workspace.dump()).not.toContain(token.slice(0, 40));
    expect(world.logged.join()).not.toContain(token.slice(0, 40));
  });

  it('opens for a token typed in a command, and says why that is wrong', async () => {
    const token = legacyToken();
    const text = await told('ines', () => slash(`/revoke-sa prod/payments/api ${token} oops`, 'ines'));
    expect(text).toMatch(/Slack keeps the text of commands/);
    const form = await waitForView('ines', 'ServiceAccount');
    expect(viewText('ines')).toContain('"initial_value":"payments"');
    expect(JSON.stringify(form)).not.toContain(token.slice(0, 20));
    expect(world.workspace.dump()).not.toContain(token.slice(0, 40));
  });

  it('says when the report was not accepted', async () => {
    await slash('/revoke-sa', 'tomas');
    const form = await waitForView('tomas', 'ServiceAccount');
    world.front.away = true;
    await world.workspace.submit('tomas', form.id, { namespace: 'payments', account: 'api' });
    await waitForView('tomas', 'What you filled in was not kept');
  });

  it('says so where Slack no longer lets it open', async () => {
    world.workspace.faults.next('views.open', { kind: 'error', error: 'expired_trigger_id' });
    expect(await told('maya', () => slash('/revoke-sa'))).toMatch(/three seconds/);
  });
});

describe('clicks', () => {
  it('decides, answers, and updates the card', async () => {
    const id = newId();
    await world.open(id, waiting('UINES00001'));
    expect(await told('maya', () => click('maya', id, 'decide:contain'))).toMatch(/^Quarantining now/);
    expect(verbs(id)).toEqual(['contain']);
    await world.workspace.waitFor(() =>
      world.workspace
        .messages(CHANNEL)
        .some(({ ts, text }) => ts === world.cardTs(id) && text.includes('Quarantining now')),
    );
    expect(world.front.clicks.at(-1)?.click).toMatchObject({
      hash: aPlan().containHash,
      by: { id: 'UMAYA00001', guest: false },
    });
  });

  it.each([
    ['dan', 'decide:contain', /not on the list.*<@UMAYA00001>/],
    ['maya', 'decide:approve', /not on the list.*<@UINES00001>, <@UTOMAS0001>/],
    ['ines', 'decide:approve', /You opened this incident, so somebody else must approve: <@UTOMAS0001>/],
    ['gail', 'decide:contain', /Guests and apps cannot decide/],
    ['petra', 'decide:contain', /You belong to another workspace/],
  ])('refuses %s who presses %s, to them alone', async (user, actionId, message) => {
    const id = newId();
    await world.open(id, waiting('UINES00001'));
    expect(await told(user, () => click(user, id, actionId))).toMatch(message);
    expect(verbs(id)).toEqual([]);
    expect(world.workspace.messages(CHANNEL).filter(({ text }) => message.test(text))).toEqual([]);
  });

  it('refuses a deactivated account, and everybody whom Slack does not name', async () => {
    const id = newId();
    await world.open(id, waiting());
    const forged = (user: string, value: unknown, actionId = 'decide:contain') => ({
      type: 'block_actions',
      user: { id: user, team_id: world.workspace.teamId },
      team: { id: world.workspace.teamId },
      channel: { id: CHANNEL },
      trigger_id: `forged-${++count}`,
      actions: [{ type: 'button', action_id: actionId, block_id: 'x', value, action_ts: '1' }],
    });
    const clicksBefore = world.front.clicks.length;
    await world.workspace.sendInteractive(
      forged('UROLF00001', JSON.stringify({ i: id, h: aPlan().containHash })),
    );
    await world.workspace.waitFor(() => world.front.clicks.length > clicksBefore);
    for (const value of ['garbage', '{"i":"../../x"}', '{"i":5}', 'x'.repeat(5000), '[]', undefined])
      expect(await told('ines', () => world.workspace.sendInteractive(forged('UINES00001', value)))).toMatch(
        /nothing that is known/,
      );
    expect(
      await told('ines', () =>
        world.workspace.sendInteractive(forged('UINES00001', '{"i":"inc-x"}', 'decide:everything')),
      ),
    ).toMatch(/nothing that is known/);
    expect(
      await told('ines', () => world.workspace.sendInteractive(forged('UINES00001', '{"i":"inc-none"}'))),
    ).toMatch(/no such incident/);
    world.workspace.faults.always('users.info', { kind: 'error', error: 'fatal_error' });
    await world.workspace.sendInteractive(
      forged('UNOBODY001', JSON.stringify({ i: id, h: aPlan().containHash })),
    );
    await world.workspace.waitFor(() =>
      world.workspace.calls.some(({ method, args }) => method === 'users.info' && args.user === 'UNOBODY001'),
    );
    expect(verbs(id)).toEqual([]);
  });

  it('refuses a button of an older plan', async () => {
    const id = newId();
    await world.open(id, waiting());
    const old = JSON.stringify({ i: id, h: 'an older hash' });
    const text = await told('ines', () =>
      world.workspace.sendInteractive({
        type: 'block_actions',
        user: { id: 'UINES00001', team_id: world.workspace.teamId },
        team: { id: world.workspace.teamId },
        channel: { id: CHANNEL },
        trigger_id: `stale-${++count}`,
        actions: [{ type: 'button', action_id: 'decide:approve', block_id: 'x', value: old, action_ts: '1' }],
      }),
    );
    expect(text).toMatch(/has changed since this button was shown/);
  });

  it('decides once for two clicks and for an envelope that comes twice', async () => {
    const id = newId();
    await world.open(id, waiting());
    world.workspace.faults.duplicateEnvelopes(1);
    await told('ines', () => click('ines', id, 'decide:approve'));
    expect(
      await told('tomas', () =>
        click('tomas', id, 'details').then(() =>
          world.workspace.sendInteractive({
            type: 'block_actions',
            user: { id: 'UTOMAS0001', team_id: world.workspace.teamId },
            team: { id: world.workspace.teamId },
            channel: { id: CHANNEL },
            trigger_id: `second-${++count}`,
            actions: [
              {
                type: 'button',
                action_id: 'decide:approve',
                block_id: 'x',
                value: JSON.stringify({ i: id, h: aPlan().hash }),
                action_ts: '1',
              },
            ],
          }),
        ),
      ),
    ).toMatch(/already started by <@UINES00001>/);
    expect(verbs(id)).toEqual(['approve']);
  });

  it('takes one Secret where every token was meant', async () => {
    const id = newId();
    await world.open(id, [
      reported(),
      { type: 'identified', identity: anIdentity({ kind: 'every-token' }) },
      observed,
      planned,
    ]);
    const card = world.workspace.messages(CHANNEL).find(({ ts }) => ts === world.cardTs(id));
    const option = JSON.stringify(card?.blocks).match(new RegExp(`${id}/[0-9a-f]{16}`))?.[0];
    expect(await told('ines', () => click('ines', id, 'pick-secret', option))).toMatch(/a new plan follows/);
    expect(world.front.clicks.at(-1)?.click).toMatchObject({
      verb: 'identify',
      at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api', secret: 'api-token' },
    });
  });
});

describe('forms of a card', () => {
  it('asks why before it declines or undoes', async () => {
    const id = newId();
    await world.open(id, contained());
    await click('ines', id, 'decide:undo');
    const form = await waitForView('ines', 'will work again at once');
    expect(await world.workspace.submit('ines', form.id, {})).toMatchObject({ status: 'invalid' });
    expect(
      await told('ines', () => world.workspace.submit('ines', form.id, { reason: 'production is down' })),
    ).toMatch(/^Undoing now/);
    expect(world.front.events(id).at(-1)).toMatchObject({
      decision: { verb: 'undo', by: 'UINES00001', reason: 'production is down' },
    });
    expect(topView('ines')?.id).not.toBe(form.id);
  });

  it('takes the form away from who may not', async () => {
    const id = newId();
    await world.open(id, waiting());
    await click('dan', id, 'decide:decline');
    await waitForView('dan', 'not on the list');
    expect(topView('dan')?.submit).toBeFalsy();
  });

  it('identifies by a pasted token, which is handed over sealed and shown nowhere', async () => {
    const id = newId();
    await world.open(id, [reported(), { type: 'unidentified', reason: 'No cluster signed it.', near: [] }]);
    await click('maya', id, 'decide:identify');
    const form = await waitForView('maya', 'say whose it is');
    const token = legacyToken();
    await world.workspace.submit('maya', form.id, { paste: token } satisfies Record<string, string>);
    await waitForView('maya', 'a new plan follows');
    expect(world.front.clicks.at(-1)).toMatchObject({ incidentId: id, token, click: { verb: 'identify' } });
    expect(world.workspace.dump()).not.toContain(token.slice(0, 40));
  });

  it('shows the details, with the commands to type', async () => {
    const id = newId();
    await world.open(id, revoked());
    await click('dan', id, 'details');
    const view = await waitForView('dan', 'kubectl --context prod -n payments delete secret api-token');
    expect(JSON.stringify(view.blocks)).toContain('ClusterRoleBinding/api');
    await click('gail', id, 'details');
    await waitForView('gail', 'full members');
    world.front.away = true;
    await click('maya', id, 'details');
    await waitForView('maya', 'The incident log does not answer');
  });

  it('ignores a form that it does not know', async () => {
    const values: Values = { reason: { reason: { value: 'x' } } };
    const forged = {
      id: 'V1',
      type: 'modal',
      callback_id: 'give-reason',
      private_metadata: 'garbage',
      state: { values },
    };
    const before = world.front.clicks.length;
    const delivery = await world.workspace.sendInteractive({
      type: 'view_submission',
      user: { id: 'UINES00001' },
      team: { id: world.workspace.teamId },
      trigger_id: `form-${++count}`,
      view: forged,
    });
    expect(delivery.status).toBe('acked');
    expect(world.front.clicks).toHaveLength(before);
  });
});
