// Reads what is piped into a command: all of it, or an error, and never more than memory should hold.
import { AppError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/** Throws AppError `bad-input` where it is longer than `maxBytes`; nothing of it is quoted. */
export async function readInput(
  { stdin, stderr }: Pick<Terminal, 'stdin' | 'stderr'>,
  maxBytes: number,
  what: string,
): Promise<string> {
  if (stdin.isTTY) stderr.write(`Paste ${what}, and end with Ctrl-D on a line of its own.\n`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes)
      throw new AppError(
        'bad-input',
        `The input is longer than ${Math.floor(maxBytes / 1024 / 1024)} MiB, so none of it was used. Send it in parts.`,
      );
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One line of text from elsewhere, as a terminal may show it: it carries out what control characters say. */
export const printable = (text: string): string => text.replace(/\p{C}+/gu, ' ');
