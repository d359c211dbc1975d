// Refuses deliveries that are too old or from the future, so that a recorded one cannot be sent again later.
import { AppError } from '../../errors.ts';

export const TOLERANCE_MS = 60_000;

export function checkFresh(sentMs: number, nowMs: number, toleranceMs: number): void {
  if (Number.isFinite(sentMs) && Math.abs(nowMs - sentMs) <= toleranceMs) return;
  throw new AppError(
    'bad-signature',
    `The delivery's timestamp is more than ${toleranceMs / 1000} s off. Send it again with a fresh one, and check the clocks.`,
  );
}
