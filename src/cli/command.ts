// What a command of the command line provides: one file beside this one, and one line in index.ts.
import { parseArgs } from 'node:util';
import { AppError } from '../errors.ts';
import { gated } from './gate.ts';
import type { Terminal } from './terminal.ts';

export interface CliOption {
  type: 'string' | 'boolean';
  multiple?: boolean;
  /** What stands for the value in help, such as `<name>`. */
  value?: string;
  /** The only values there are. */
  choices?: readonly string[];
  /** One sentence. */
  does: string;
}

export interface CliCommand {
  name: string;
  /** One or more rows of help: what to type after `tourniquet`, and what it does. */
  usage: readonly (readonly [call: string, does: string])[];
  options: Readonly<Record<string, CliOption>>;
  /** What it reads and what it changes, in a few lines; for --help. */
  about?: string;
  exitCodes: string;
  /** `argv`: what follows the name. Answers the exit code: 0 fine, 1 the answer is bad news, 2 a wrong call. Throws AppError. */
  run(argv: string[], terminal: Terminal): Promise<number> | number;
}

/** However it is run, what it says goes through the gate. */
export const defineCommand = (command: CliCommand): CliCommand => ({
  ...command,
  run: (argv, terminal) => command.run(argv, gated(terminal)),
});

export const usageOf = ({ usage }: Pick<CliCommand, 'usage'>): string =>
  ['Usage:', ...usage.map(([call]) => `  tourniquet ${call}`)].join('\n');

type Options = Readonly<Record<string, CliOption>>;
type Described = Pick<CliCommand, 'usage'>;

/** Throws AppError `bad-input` with the command's usage where the call has an option or a value that it does not know. */
export function parseCall<T extends Options>(command: Described, argv: string[], options: T) {
  const call = parsed(command, argv, options);
  for (const [name, { choices }] of Object.entries(options)) {
    const value = (call.values as Record<string, unknown>)[name];
    if (choices && typeof value === 'string' && !choices.includes(value))
      throw wrongCall(command, `--${name}: write one of ${choices.join(', ')}.\n`);
  }
  return call;
}

function parsed<T extends Options>(command: Described, argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw wrongCall(command, cause instanceof Error ? `${cause.message}\n` : '', cause);
  }
}

/** A call that makes no sense: what is wrong with it, and what could be typed. */
export const wrongCall = (command: Described, problem = '', cause?: unknown): AppError =>
  new AppError('bad-input', `${problem}${usageOf(command)}`, { cause });

/** Everything that `--help` says of one command. */
export function helpOf({ usage, options, about, exitCodes }: CliCommand): string {
  const calls = usage.map(([call, does]) => `  tourniquet ${call}\n      ${does}`);
  const rows = [
    ...Object.entries(options).map(([name, option]) => [flagOf(name, option), doesOf(option)] as const),
    ['--help', 'print this'] as const,
  ];
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage:\n${calls.join('\n')}`,
    ...(about === undefined ? [] : [about]),
    `Options:\n${rows.map(([flag, does]) => `  ${flag.padEnd(width)}  ${does}`).join('\n')}`,
    `Exit codes: ${exitCodes}\n`,
  ].join('\n\n');
}

export const flagOf = (name: string, { type, value }: CliOption): string =>
  type === 'boolean' ? `--${name}` : `--${name} ${value ?? '<text>'}`;

const doesOf = ({ does, choices }: CliOption): string =>
  choices === undefined ? does : `${does}: ${choices.join(', ')}`;
