// What every command of the command line has in common: help that tells its options, and no token on the command line.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { call } from '../../src/cli/call.ts';
import type { CliCommand } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/index.ts';
import { base64, legacyToken } from '../domain/token/token-samples.ts';
import { expectNoTrace, type Told, typed } from './terminal.ts';

const run = (...argv: string[]): Promise<Told> => typed({ run: call } as unknown as CliCommand, argv);

describe('a token as an argument', () => {
  const token = legacyToken();
  it.each([
    ['of plan', ['plan', token]],
    ['in place of a command', [token]],
    ['in an option', ['plan', `--token=${token}`]],
    ['in base64', ['report', base64(token)]],
    ['cut in half', ['plan', token.slice(0, 60)]],
  ])('%s is refused, with the reason and without a trace', async (_name, argv) => {
    const told = await run(...argv);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toMatch(/looks like a token.*kept in the shell's history.*standard input/s);
    expectNoTrace(told, token);
    expect(told.err).not.toContain(token.slice(0, 30));
  });
});

describe('help', () => {
  it.each(commands.map((command) => [command.name, command] as const))(
    'of %s tells every call and option, and the exit codes',
    async (name, { usage, options }) => {
      const { code, out, err } = await run(name, '--help');
      expect([code, err]).toEqual([0, '']);
      for (const [usageCall] of usage) expect(out).toContain(`tourniquet ${usageCall}\n`);
      for (const [option, { does }] of Object.entries(options)) {
        expect(out).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
        expect(out).toContain(does);
      }
      expect(out).toContain('Exit codes: 0');
    },
  );

  it('of all lists each command; a command that does not exist is answered with their names', async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    for (const { name } of commands) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    const wrong = await run('paln');
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toMatch(/^There is no command paln\. There are: .*plan, .*--help$/m);
  });

  it('of a command may also be asked for as "help" and its name', async () => {
    expect(await run('help', 'status')).toEqual(await run('status', '--help'));
  });
});

it('a Node that is too old answers 2, since 1 would mean that a leak was found', async () => {
  const old =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })";
  const asked = promisify(execFile)(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(old)}`,
    'src/cli/tourniquet.js',
    '--help',
  ]);
  await expect(asked).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('needs Node 24 or newer'),
  });
});
