// What an append means in numbers. Pure, and asked once per append, by the process that did it.
import type { EventBody, IncidentEvent } from '../../domain/incident/events.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { takesBack } from '../../domain/incident/runs.ts';
import { isLive } from '../../domain/incident/sightings.ts';
import { kills } from '../../domain/plan/plan.ts';
import type { Appended, Repeated } from '../../ports/witness.ts';
import type { Labels } from './definitions.ts';
import type { CounterName, HistogramName } from './metrics.ts';

export type Measurement =
  | { count: CounterName; labels?: Labels }
  | { observe: HistogramName; labels: Labels; seconds: number };

type Of<T extends EventBody['type']> = Extract<IncidentEvent, { type: T }>;
type Rules = { [T in EventBody['type']]?: (event: Of<T>, seen: Appended) => Measurement[] };

export function measure(seen: Appended): Measurement[] {
  return seen.fresh.flatMap((event) => {
    const rule = rules[event.type] as ((event: IncidentEvent, seen: Appended) => Measurement[]) | undefined;
    return rule?.(event, seen) ?? [];
  });
}

const counted = (count: CounterName, labels: Labels = {}): Measurement[] => [{ count, labels }];

/** One that was only counted is a duplicate like one that was written down. */
export const measureRepeat = ({ source }: Repeated): Measurement[] =>
  counted('tourniquet_alerts_total', { source, outcome: 'duplicate' });

const rules: Rules = {
  'alert-received': ({ v, alert: { source } }) =>
    counted('tourniquet_alerts_total', { source, outcome: v === 1 ? 'new' : 'duplicate' }),
  identified: () => counted('tourniquet_identifications_total', { result: 'identified' }),
  unidentified: () => counted('tourniquet_identifications_total', { result: 'unidentified' }),
  'auto-contained': () => counted('tourniquet_auto_containments_total', { result: 'started' }),
  'auto-contain-skipped': () => counted('tourniquet_auto_containments_total', { result: 'skipped' }),
  decided: ({ decision: { verb } }) => [
    ...counted('tourniquet_decisions_total', { verb }),
    ...(verb === 'break-glass' ? counted('tourniquet_break_glass_total') : []),
  ],
  'step-ended': stepEnded,
  'run-stopped': () => counted('tourniquet_runs_stopped_total'),
  proved: ({ at, outcome: { verdict } }, { after }) => [
    ...counted('tourniquet_proofs_total', { result: verdict }),
    ...(verdict === 'done' && after.proof
      ? [lasted('tourniquet_time_to_proof_seconds', after.proof.killedAt, at)]
      : []),
  ],
  // Only one that was stopped can come back: that is what the alert on `not-done` says.
  rechecked: ({ outcome: { verdict } }, { before }) =>
    counted('tourniquet_rechecks_total', {
      result: verdict === 'not-done' && before && isLive(before) ? 'still-live' : verdict,
    }),
  reopened: () => counted('tourniquet_reopened_total'),
  closed: ({ as }) => counted('tourniquet_incidents_closed_total', { as }),
  trouble: ({ work }) => counted('tourniquet_work_failures_total', { work }),
};

function stepEnded({ run: id, step, outcome, at }: Of<'step-ended'>, seen: Appended): Measurement[] {
  const run = seen.after.runs.find((one) => one.id === id);
  const state = run?.steps.find((one) => one.step.id === step);
  // Twins of a stalled job may both report; the first to do so counts.
  if (run === undefined || state === undefined || hasEnded(seen.before, id, step)) return [];
  const ended = counted('tourniquet_steps_total', { action: state.step.action, result: outcome.verdict });
  if (!isFirstKill(seen, id, at)) return ended;
  const by = run.by === 'policy' ? 'policy' : 'people';
  return [...ended, lasted('tourniquet_time_to_contain_seconds', seen.after.openedAt, at, { by })];
}

const hasEnded = (incident: Incident | undefined, run: string, step: string): boolean =>
  incident?.runs.find(({ id }) => id === run)?.steps.find((one) => one.step.id === step)?.outcome !==
  undefined;

/** A rotation that was planned, or a token that was dead before, says nothing about how fast a leak is stopped. */
function isFirstKill({ before, after }: Appended, run: string, at: string): boolean {
  if (after.goal.do !== 'revoke' || after.proof?.killedAt !== at || before?.proof?.killedAt === at)
    return false;
  return !after.runs.some(
    (other) =>
      other.id !== run &&
      !takesBack(other) &&
      other.steps.some(({ step, outcome }) => kills(step) && outcome?.verdict === 'done'),
  );
}

const lasted = (observe: HistogramName, from: string, until: string, labels: Labels = {}): Measurement => ({
  observe,
  labels,
  seconds: Math.max(0, Date.parse(until) - Date.parse(from)) / 1000,
});
