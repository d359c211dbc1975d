// The way to a terminal: no token passes it, and what a text says to the terminal itself is shown and not done.
import { scrub } from '../domain/text/scrub.ts';
import type { Terminal } from './terminal.ts';

/** All but the end of a line and a tab: commands to the terminal, marks that turn the direction of a text, and what nobody sees. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** As JSON writes them, so that JSON stays what it is. */
const shown = (text: string): string =>
  text.replace(UNSEEN, (char) =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

export function gated(terminal: Terminal): Terminal {
  const gate = (stream: Terminal['stdout']): Terminal['stdout'] => ({
    write: (text) => stream.write(shown(scrub(text))),
  });
  return {
    // Asking for it opens it.
    get stdin() {
      return terminal.stdin;
    },
    stdout: gate(terminal.stdout),
    stderr: gate(terminal.stderr),
    handover: terminal.handover ?? terminal.stdout,
    env: terminal.env,
  };
}
