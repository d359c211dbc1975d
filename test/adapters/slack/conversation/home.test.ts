// The App Home over the wire: what waits for whom, and buttons that go the same way as those of a card.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { contained, waiting } from '../../../builders.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  world.follow();
  await world.open('inc-home-mine', contained('UINES00001', 'UMAYA00001'));
  await world.open('inc-home-asked', waiting('UINES00001'));
});
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.logged.join('\n'))));

const homeOf = async (user: string, pattern: RegExp): Promise<string> => {
  await world.workspace.openHome(user);
  return await world.workspace.waitFor(() => {
    const text = JSON.stringify(world.workspace.home(user)?.blocks ?? []);
    return pattern.test(text) ? text : undefined;
  });
};

it('shows an approver what waits for them, with buttons, and not what they asked for themselves', async () => {
  const text = await homeOf('ines', /Waits for you: 1 incident/);
  expect(text).toContain('home-actions-inc-home-mine');
  expect(text).not.toContain('home-actions-inc-home-asked');
  expect(text).toMatch(/Also open: 1 incident/);
  expect(text).toMatch(/<@UINES00001> quarantined it/);
});

it('shows everybody else what is open, without buttons, and strangers nothing', async () => {
  expect(await homeOf('dan', /Nothing waits for you/)).not.toContain('decide:approve');
  expect(await homeOf('gail', /full members/)).not.toContain('inc-home-mine');
});

it('decides by the same path as the card, answers in private, and is drawn anew', async () => {
  await homeOf('tomas', /Waits for you: 2 incidents/);
  const view = world.workspace.home('tomas');
  const block = view?.blocks.find(({ block_id }) => block_id === 'home-actions-inc-home-mine');
  const elements = (block?.elements ?? []) as { action_id: string; value: string }[];
  const button = elements.find(({ action_id }) => action_id === 'decide:approve');
  const before = world.front.clicks.length;
  await world.workspace.click('tomas', {
    viewId: view?.id ?? '',
    actionId: 'decide:approve',
    value: button?.value ?? '',
  });
  await world.workspace.waitFor(() => world.front.clicks.length > before);
  expect(world.front.clicks.at(-1)).toMatchObject({
    incidentId: 'inc-home-mine',
    click: { verb: 'approve', by: { id: 'UTOMAS0001' } },
  });
  await world.workspace.waitFor(() =>
    JSON.stringify(world.workspace.home('tomas')).includes('Waits for you: 1 incident'),
  );
  expect(JSON.stringify(world.workspace.home('tomas'))).toMatch(
    /<@UTOMAS0001> approved the plan · payments\/\w+ on prod/,
  );
});
