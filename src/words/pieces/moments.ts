// Moments, which each reader sees in their own time zone where the chat can do that.
import type { Piece } from '../../domain/text/pieces.ts';

/** `at`: Unix milliseconds, or as the log writes it. */
export const moment = (at: number | string): Piece => ({
  moment: typeof at === 'number' ? at : Date.parse(at),
});

/** "2026-11-24 03:00 UTC". */
export function utc(ms: number): string {
  const date = new Date(ms);
  if (!Number.isFinite(date.getTime())) return 'an unknown time';
  return `${date.toISOString().replace('T', ' ').slice(0, 16)} UTC`;
}
