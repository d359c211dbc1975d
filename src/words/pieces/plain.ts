// What came from outside, as one line: scrubbed and cut, before anybody draws it.

import type { Piece } from '../../domain/text/pieces.ts';
import { scrub } from '../../domain/token/leak-material.ts';

/** Scrubbed before it is cut, so that no half of a token is left. */
export function plain(text: string, max = 300): string {
  const one = scrub(text).replaceAll(/\s+/g, ' ').trim();
  return one.length > max ? `${one.slice(0, max - 1)}…` : one;
}

/** A name or a line to type. */
export const code = (text: string, max = 300): Piece => ({ code: plain(text, max) });
