// docs/cli.md and the commands say the same: every command, every option, and examples that would be understood.
import { describe, expect, it } from 'vitest';
import { type CliCommand, flagOf, parseCall } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/index.ts';
import { filesIn, read } from '../structure/tree.ts';

const text = read('docs/cli.md');

/** By the name of the command. */
function sectionsOf(document: string): Map<string, string> {
  const parts = document.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.split('\n')[0] ?? '', part]));
}

const optionsIn = (section: string): string[] =>
  [...section.matchAll(/^\| `(--[^`]+)` \|/gm)].map(([, flag = '']) => flag).toSorted();

/** Calls in shell blocks, without what they read and where they write. */
const callsIn = (document: string): string[] =>
  [...document.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.split('\n'))
    .flatMap(
      (line) =>
        /(?:^|\| |\()tourniquet ((?!--help)[^<>|#)]+)/.exec(line.replace(/^export .*/, ''))?.[1]?.trim() ??
        [],
    );

/** As a shell splits it; nothing harder than single quotes is in the documents. */
const wordsOf = (call: string): string[] =>
  [...call.matchAll(/'([^']*)'|(\S+)/g)].map(([, inner, plain]) => inner ?? plain ?? '');

function problemOf(call: string): string | undefined {
  const [name, ...rest] = wordsOf(call);
  const command = commands.find((one) => one.name === name);
  if (command === undefined) return `${call}: there is no such command`;
  try {
    parseCall(command, rest, command.options);
    return undefined;
  } catch (error) {
    return `${call}: ${(error as Error).message}`;
  }
}

describe('docs/cli.md', () => {
  const sections = sectionsOf(text);

  it('has one section for each command, and no other', () => {
    expect([...sections.keys()].toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
  });

  it.each(commands.map((command): [string, CliCommand] => [command.name, command]))(
    'tells exactly the options of %s, with an example',
    (name, { options }) => {
      const section = sections.get(name) ?? '';
      const flags = Object.entries(options).map(([option, given]) => flagOf(option, given));
      expect(optionsIn(section)).toEqual(flags.toSorted());
      expect(callsIn(section).some((call) => call.startsWith(name))).toBe(true);
      for (const { choices = [] } of Object.values(options))
        if (name !== 'plan') for (const choice of choices) expect(section).toContain(`\`${choice}\``);
    },
  );

  it('would be caught where it tells what is not there', () => {
    expect(optionsIn('| `--gone <x>` | nothing |\n')).toEqual(['--gone <x>']);
    expect(problemOf('plan --gone payments/api')).toMatch(/Unknown option/);
    expect(problemOf('plane x')).toMatch(/no such command/);
    expect(callsIn('```sh\nx | tourniquet report --json < a\n```')).toEqual(['report --json']);
  });
});

it('every call in the documents would be understood', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', ...filesIn(['docs'], ['.md']).map(({ path }) => path)];
  const calls = documents.flatMap((path) => callsIn(read(path)));
  expect(calls.length).toBeGreaterThan(20);
  expect(calls.flatMap((call) => problemOf(call) ?? [])).toEqual([]);
});
