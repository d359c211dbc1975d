// A terminal for the commands of the command line: what is piped in, and everything that was written, with no token in it.
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import type { CliCommand } from '../../src/cli/command.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface Told {
  code: number;
  out: string;
  err: string;
}

/** Runs a command in this process; what main.ts would print of an error is in `err`. */
export async function typed(
  command: CliCommand,
  argv: string[],
  { stdin = '', env = {} }: { stdin?: string; env?: Terminal['env'] } = {},
): Promise<Told> {
  let [out, err] = ['', ''];
  const terminal: Terminal = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env,
  };
  try {
    return { code: await command.run(argv, terminal), out, err };
  } catch (error) {
    return { code: 2, out, err: err + (error as Error).message };
  }
}

/** The canary: no part of the token that would be enough to use it, plainly or in base64. */
export function expectNoTrace({ out, err }: Pick<Told, 'out' | 'err'>, ...tokens: string[]): void {
  expect(out + err).not.toBe('');
  for (const token of tokens) {
    const [, payload = '', signature = ''] = token.split('.');
    for (const piece of [payload, signature, Buffer.from(token).toString('base64').slice(200, 400)])
      expect((out + err).includes(piece)).toBe(false);
  }
}
