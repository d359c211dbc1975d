// The three answers that exist everywhere. `unknown` is never success.

export type Verdict = 'done' | 'not-done' | 'unknown';

export interface Outcome {
  verdict: Verdict;
  /** One sentence for the card and the audit log: what was seen. */
  detail: string;
  /** Facts worth keeping as evidence (UIDs, labels, times), never a token. */
  facts?: Record<string, string | number | boolean>;
}

export const done = (detail: string, facts?: Outcome['facts']): Outcome => outcome('done', detail, facts);
export const notDone = (detail: string, facts?: Outcome['facts']): Outcome =>
  outcome('not-done', detail, facts);
export const unknown = (detail: string, facts?: Outcome['facts']): Outcome =>
  outcome('unknown', detail, facts);

/** Not done, and nothing was changed on the way: what was done before it can still be taken back. */
export const untouched = (detail: string, facts: Outcome['facts'] = {}): Outcome =>
  notDone(detail, { ...facts, untouched: true });

export const leftAsItWas = ({ verdict, facts }: Outcome): boolean =>
  verdict === 'not-done' && facts?.untouched === true;

function outcome(verdict: Verdict, detail: string, facts: Outcome['facts']): Outcome {
  return facts === undefined ? { verdict, detail } : { verdict, detail, facts };
}
