// How far a step is that takes minutes: a count, a bar and an estimate, as of the last time that it was written down.
import type { StepState } from '../../domain/incident/incident.ts';
import { type Text, text } from '../../domain/text/pieces.ts';
import { plain } from '../pieces/plain.ts';
import { span } from '../pieces/span.ts';

type Seen = NonNullable<StepState['progress']>;

const WIDTH = 20;

/** One line. */
export function progressLine(progress: Seen): Text {
  const { done, total, line } = progress;
  const left = timeLeft(progress);
  return text`${{ code: bar(done, total) }} ${done} of ${total}${left ? `, about ${left} left` : ''}. ${plain(line, 400)}`;
}

function bar(done: number, total: number): string {
  const full = Math.floor(share(done, total) * WIDTH);
  // Dots, because a line may be broken behind a dash.
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
}

const share = (done: number, total: number): number =>
  total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;

/** From the pace since the count began; nothing while there is none. */
function timeLeft({ done, total, from, since, at }: Seen): string | undefined {
  const passed = Date.parse(at) - Date.parse(since);
  const made = done - from;
  if (made <= 0 || passed <= 0 || done >= total) return undefined;
  // Whole seconds: it is an estimate.
  return span(Math.ceil(((total - done) * passed) / made / 1000) * 1000);
}

/** Quarters that were passed between two counts: rare enough for the thread. */
export function passedQuarter(before: Seen | undefined, { done, total }: Seen): boolean {
  const quarter = (count: number): number => Math.floor(share(count, total) * 4);
  return done < total && quarter(done) > quarter(before?.done ?? 0);
}
