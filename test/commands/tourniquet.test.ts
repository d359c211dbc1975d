// /tourniquet: what is open, health and help.
import { describe, expect, it } from 'vitest';
import { commands } from '../../commands/index.ts';
import { tourniquet } from '../../commands/tourniquet.ts';
import { anIncident, reported, waiting } from '../builders.ts';
import { commandTools } from './command-tools.ts';

const open = anIncident(waiting(), 'inc-open');
const closed = anIncident(
  [reported(), { type: 'closed', as: 'false-alarm', reason: 'a test' }],
  'inc-closed',
);

describe('/tourniquet', () => {
  it('lists what is open, health and help', async () => {
    const reply = await tourniquet.run(commandTools({}, { incidents: async () => [open, closed] }), ' ');
    expect(reply).toMatchObject({ kind: 'incidents', incidents: [open] });
    const { note } = reply as { note: string };
    expect(note).toContain('all parts answer');
    for (const { name } of commands) expect(note).toContain(`/${name}`);
  });

  it('finds one, and says so where there is none', async () => {
    const tools = commandTools({}, { incident: async (id) => (id === 'inc-o' ? open : undefined) });
    expect(await tourniquet.run(tools, '`inc-o`')).toEqual({ kind: 'incidents', incidents: [open] });
    expect(await tourniquet.run(tools, 'inc-x')).toMatchObject({
      text: expect.stringContaining('No incident'),
    });
    expect(await tourniquet.run(tools, '<!channel>')).toMatchObject({
      text: expect.not.stringContaining('<!'),
    });
  });

  it('tells what is wrong', async () => {
    const tools = commandTools({}, { health: async () => ['The worker has not been seen for 2 minutes.'] });
    expect(await tourniquet.run(tools, 'health')).toMatchObject({
      text: expect.stringMatching(/something is wrong.*\n• The worker/),
    });
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    'renders help of %s',
    async (name, command) => {
      for (const text of [`help ${name}`, `help /${name}`]) {
        const reply = (await tourniquet.run(commandTools(), text)) as { text: string };
        expect(reply.text).toContain(command.help.usage);
        expect(reply.text).toContain(command.help.whoCanUse);
        for (const example of command.help.examples) expect(reply.text).toContain(example);
      }
    },
  );

  it('helps with a mistyped command', async () => {
    expect(await tourniquet.run(commandTools(), 'help revoke')).toMatchObject({
      text: expect.stringContaining('`revoke-sa`'),
    });
    expect(await tourniquet.run(commandTools(), 'help zzz')).toMatchObject({
      text: expect.stringContaining('There are: '),
    });
  });
});

describe('the kill switch', () => {
  it.each([
    ['pause we are  flooded', 'paused: we are flooded'],
    ['pause', /^Say why/],
    ['pause  ', /^Say why/],
    ['resume', 'resumed'],
  ])('%s', async (text, said) => {
    const reply = await tourniquet.run(commandTools(), text);
    expect(reply).toEqual({
      kind: 'text',
      text: typeof said === 'string' ? said : expect.stringMatching(said),
    });
  });
});
