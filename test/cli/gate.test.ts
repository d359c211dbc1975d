// What a terminal is shown: no token in whatever way it stands there, and nothing that would command the terminal.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type CliCommand, defineCommand } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/index.ts';
import { base64, legacyToken } from '../domain/token/token-samples.ts';
import { filesIn } from '../structure/tree.ts';
import { expectNoTrace, typed } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'tourniquet-gate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const saying = (text: string): CliCommand =>
  defineCommand({
    name: 'say',
    usage: [],
    options: {},
    exitCodes: '0',
    run: (_, { stdout, stderr }) => {
      stdout.write(text);
      stderr.write(text);
      return 0;
    },
  });

it('every command goes through it, however it is run', () => {
  const files = filesIn(['src/cli'], ['.ts']).filter(({ path }) => path !== 'src/cli/command.ts');
  expect(files.filter(({ text }) => /CliCommand = \{/.test(text)).map(({ path }) => path)).toEqual([]);
  expect(files.filter(({ text }) => text.includes('= defineCommand({'))).toHaveLength(commands.length);
});

it('no token', async () => {
  const token = legacyToken();
  const told = await typed(saying(`${token} ; ${base64(token)} ; ${token.replaceAll('.', '%2E')}\n`), []);
  expectNoTrace(told, token);
  expect(told.out).toBe('[token removed] ; [token removed] ; [token removed]\n');
  expect(told.err).toBe(told.out);
});

it.each([
  ['a colour', '\x1b[31mred', '\\u001b[31mred'],
  ['the title of the window', '\x1b]0;all is well\x07', '\\u001b]0;all is well\\u0007'],
  ['the same in one character', '\x9b31m', '\\u009b31m'],
  ['a line that is written over', 'bad\rgood', 'bad\\u000dgood'],
  ['a character that is taken back', 'bad\b\b\b', 'bad\\u0008\\u0008\\u0008'],
  ['a text that runs backwards', 'a\u202ebc\u2066d', 'a\\u202ebc\\u2066d'],
  ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['what nobody sees', 'a\u200b\ufeffb\u{e0041}', 'a\\u200b\\ufeffb\\udb40\\udc41'],
  ['ends of lines that are none to us', 'a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
])('%s is shown, and not done', async (_, text, shown) => {
  expect(await typed(saying(text), [])).toMatchObject({ out: shown, err: shown });
});

it('lines, tabs and other scripts stay, and JSON stays what it was', async () => {
  const plain = 'a\tb\n\u00fcber \u05e9\u05dc\u05d5\u05dd \u4f60\u597d\n';
  expect((await typed(saying(plain), [])).out).toBe(plain);
  const value = { text: 'a\u202e\x1b[31m\u{e0041}\u2028' };
  expect(JSON.parse((await typed(saying(JSON.stringify(value)), [])).out)).toEqual(value);
});

it('a role that cannot start says why, without what somebody put into its environment', async () => {
  const token = legacyToken();
  const env = { PATH: process.env.PATH, TOURNIQUET_CONFIG: join(folder, `${token}.yaml`) };
  const [code, err] = await new Promise<[number, string]>((resolve) => {
    execFile(process.execPath, ['src/main.ts', 'worker'], { env }, (error, _out, stderr) =>
      resolve([Number(error?.code ?? 0), stderr]),
    );
  });
  expect(code).toBe(1);
  expect(err).toContain('TOURNIQUET_CONFIG: cannot read');
  expectNoTrace({ out: '', err }, token);
});
