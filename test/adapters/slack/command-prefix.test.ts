// Two installations in one workspace: the commands of this one have a prefix, and everything that it says tells them with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waiting } from '../../builders.ts';
import { CHANNEL, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ commandPrefix: 'team-' });
  world.follow();
});
afterAll(() => world.close());

async function told(line: string): Promise<string> {
  const said = () => world.workspace.ephemerals('maya').map(({ text }) => text);
  const before = said().length;
  await world.workspace.slash('maya', 'incidents', line);
  return world.workspace.waitFor(
    () =>
      said()
        .slice(before)
        .find((text) => !text.startsWith('Working on it')),
    4000,
    `an answer to ${line}`,
  );
}

it('answers to its own names, and does what they say', async () => {
  world.front.answer = { found: ['prod'] };
  expect(await told('/team-revoke-sa payments/api')).toMatch(/^Incident `inc-\w+` is open\. /);
  expect(world.front.findings.at(-1)?.alert.subject).toMatchObject({ at: { serviceAccount: 'api' } });
});

it('tells the names that work here: in help, in the usage of a wrong call, and when it is paused', async () => {
  const help = await told('/team-tourniquet help');
  expect(help).toContain('`/team-revoke-sa [');
  expect(help).toContain('`/team-tourniquet help ');
  expect(await told('/team-tourniquet help rotate-sa')).toContain('• `/team-rotate-sa payments/api`');
  expect(await told('/team-restart-sa nonsense')).toContain('`/team-restart-sa ');
  for (const text of [help, await told('/team-tourniquet pause')])
    expect(text).not.toMatch(/`\/(revoke|rotate|tourniquet)/);
  expect(await told('/team-tourniquet pause a drill')).toContain('`/team-tourniquet resume`');
  expect(await told('/team-tourniquet health')).toContain('`/team-tourniquet resume`');
});

it('tells them on the card, and leaves what came from elsewhere as it is', async () => {
  const [reported, ...rest] = waiting();
  if (reported?.type !== 'alert-received') throw new Error('unreachable');
  const where = { text: 'the page /tourniquet of the wiki' };
  await world.open('inc-card', [{ ...reported, alert: { ...reported.alert, where } }, ...rest]);
  const ts = world.cardTs('inc-card');
  const card = JSON.stringify(world.workspace.messages(CHANNEL).find((message) => message.ts === ts)?.blocks);
  expect(card).toContain('Help: `/team-tourniquet help`');
  expect(card).toContain('the page /tourniquet of the wiki');
});

it('does the same in a process that connects by itself', async () => {
  await world.stopSlack();
  const another = await world.startAnother();
  const text = await told('/team-tourniquet help');
  await another.stop();
  expect(text).toContain('`/team-revoke-sa [');
});
