// What a command of the command line provides: one file beside this one, and one line in index.ts.
import { parseArgs } from 'node:util';
import { AppError } from '../errors.ts';

/** The process around a command, or a stand-in of it. */
export interface Terminal {
  stdin: AsyncIterable<Uint8Array | string>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  env: Record<string, string | undefined>;
}

export interface CliCommand {
  name: string;
  /** One or more rows of help: what to type after `tourniquet`, and what it does. */
  usage: readonly (readonly [call: string, does: string])[];
  /** `argv`: what follows the name. Answers the exit code: 0 fine, 1 the answer is bad news, 2 a wrong call. Throws AppError. */
  run(argv: string[], terminal: Terminal): Promise<number> | number;
}

export const usageOf = ({ usage }: CliCommand): string =>
  ['Usage:', ...usage.map(([call]) => `  tourniquet ${call}`)].join('\n');

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** Throws AppError `bad-input` with the command's usage where the call has an option that it does not know. */
export function parseCall<T extends Options>(command: CliCommand, argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw wrongCall(command, cause instanceof Error ? `${cause.message}\n` : '', cause);
  }
}

/** A call that makes no sense: what is wrong with it, and what could be typed. */
export const wrongCall = (command: CliCommand, problem = '', cause?: unknown): AppError =>
  new AppError('bad-input', `${problem}${usageOf(command)}`, { cause });
