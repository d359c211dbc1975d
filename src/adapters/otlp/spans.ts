// One trace for one incident, from the webhook to the proof, read from its events. No context travels through the queue: the ids are hashes of the incident's.
import { createHash } from 'node:crypto';
import type { EventBody, IncidentEvent } from '../../domain/incident/events.ts';
import type { Incident, Run } from '../../domain/incident/incident.ts';
import { isDone } from '../../domain/incident/runs.ts';
import type { Appended, Shown } from '../../ports/witness.ts';

/** Attributes are words that this program chose, never what an alert or a cluster said. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** Unix milliseconds. */
  start: number;
  end: number;
  attributes: Record<string, string | number>;
  failed: boolean;
}

type Of<T extends EventBody['type']> = Extract<IncidentEvent, { type: T }>;
type Rules = {
  [T in EventBody['type']]?: (event: Of<T>, seen: Appended, past: readonly IncidentEvent[]) => Span[];
};

/** Every span that one of the new events ends. */
export function spansOf(seen: Appended): Span[] {
  return seen.fresh.flatMap((event) => {
    const past = seen.events.slice(0, event.v - 1);
    const rule = rules[event.type] as
      | ((event: IncidentEvent, seen: Appended, past: readonly IncidentEvent[]) => Span[])
      | undefined;
    return [...(rule?.(event, seen, past) ?? []), ...root(event, seen, past)];
  });
}

export const spanOfReport = ({ id, reporter, version, from, until }: Shown): Span =>
  span(id, 'report', `${reporter}-${version}`, from, until, { reporter });

const ROOT = 'incident';

/** The whole, until the first proof or, where there is none, the end. What comes later is below it all the same. */
function root(event: IncidentEvent, { id }: Appended, past: readonly IncidentEvent[]): Span[] {
  const ends = ({ type }: IncidentEvent): boolean => type === 'proved' || type === 'closed';
  const [first] = past;
  if (first === undefined || !ends(event) || past.some(ends)) return [];
  const { parentSpanId: _, ...whole } = span(id, ROOT, '', ms(first.at), ms(event.at), {
    'tourniquet.incident': id,
  });
  return [whole];
}

const rules: Rules = {
  'alert-received': ({ v, alert: { source } }, { id, from, until }) => [
    span(id, 'receive', `${v}`, from, until, { source }),
  ],
  identified: ({ v, at }, { id }, past) => [span(id, 'identify', `${v}`, asked(past, at), ms(at), {})],
  unidentified: ({ v, at }, { id }, past) => [
    { ...span(id, 'identify', `${v}`, asked(past, at), ms(at), {}), failed: true },
  ],
  'plan-proposed': ({ v, at, plan }, { id }, past) => [
    span(id, 'plan', `${v}`, since(past, ['identified'], at), ms(at), { steps: plan.steps.length }),
  ],
  decided: ({ v, at, decision: { verb } }, { id }, past) => [
    span(id, 'wait for people', `${v}`, since(past, ['plan-proposed'], at), ms(at), { verb }),
  ],
  'step-ended': stepEnded,
  'run-stopped': ({ run: id, at }, { id: incident, after }) =>
    runOf(after, id).map((run) => ({ ...ofRun(incident, run, at), failed: true })),
  probed: ({ v, rounds }, { id, after }) =>
    rounds.map(({ cluster, level, began, at, outcome }) => {
      const attributes = { cluster, level, result: outcome.verdict };
      const one = span(id, 'probe', `${v}-${cluster}`, ms(began ?? at), ms(at), attributes);
      return { ...one, parentSpanId: spanId(id, 'prove', after.proof?.killedAt ?? '') };
    }),
  proved: ({ at, outcome: { verdict } }, { id, after }) => {
    const killedAt = after.proof?.killedAt ?? at;
    const one = span(id, 'prove', killedAt, ms(killedAt), ms(at), { result: verdict });
    return [{ ...one, failed: verdict !== 'done' }];
  },
  rechecked: ({ v, at, index, outcome: { verdict } }, { id }) => [
    {
      ...span(id, 're-check', `${v}`, ms(at), ms(at), { index, result: verdict }),
      failed: verdict === 'not-done',
    },
  ],
};

function stepEnded(
  { run: runId, step, at }: Of<'step-ended'>,
  { id, after }: Appended,
  past: readonly IncidentEvent[],
): Span[] {
  // Twins of a stalled job may both report; the first to do so counts.
  if (past.some((one) => one.type === 'step-ended' && one.run === runId && one.step === step)) return [];
  return runOf(after, runId).flatMap((run) => {
    const ended = run.steps
      .filter((state) => state.step.id === step)
      .map(({ step: { action, cluster }, startedAt, attempts, outcome }) => ({
        ...span(id, `step ${action}`, `${runId}-${step}`, ms(startedAt ?? at), ms(at), {
          ...{ action, cluster, attempts, result: outcome?.verdict ?? 'unknown' },
        }),
        parentSpanId: spanId(id, 'run', runId),
        failed: outcome?.verdict !== 'done',
      }));
    return isDone(run) ? [...ended, ofRun(id, run, at)] : ended;
  });
}

const runOf = ({ runs }: Incident, id: string): Run[] => runs.filter((run) => run.id === id);

/** Named after what it is for: contain, plan, undo or roll-back. */
const ofRun = (incident: string, { id, kind, by, at }: Run, until: string): Span => ({
  ...span(incident, 'run', id, ms(at), ms(until), { by: by === 'policy' ? 'policy' : 'people' }),
  name: `run ${kind}`,
});

const asked = (past: readonly IncidentEvent[], at: string): number =>
  since(past, ['alert-received', 'reopened', 'plan-expired', 'decided'], at);

const since = (past: readonly IncidentEvent[], types: readonly IncidentEvent['type'][], at: string): number =>
  ms(past.findLast(({ type }) => types.includes(type))?.at ?? at);

function span(
  incident: string,
  name: string,
  key: string,
  start: number,
  end: number,
  attributes: Span['attributes'],
): Span {
  return {
    traceId: digest(`trace ${incident}`, 16),
    spanId: spanId(incident, name, key),
    parentSpanId: spanId(incident, ROOT, ''),
    name,
    start,
    end: Math.max(start, end),
    attributes,
    failed: false,
  };
}

const spanId = (incident: string, name: string, key: string): string =>
  digest(`span ${incident} ${name} ${key}`, 8);

const digest = (text: string, bytes: number): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * bytes);

const ms = (iso: string): number => Date.parse(iso);
