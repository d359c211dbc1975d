// Names everything that is owed to an incident, and when: the one list that timers, the queue and the sweeper follow.
import { openCalls } from '../incident/alarms.ts';
import type { Incident } from '../incident/incident.ts';
import { owesOutside } from '../incident/outside.ts';
import { isSoaking, openRun, stoppedRun, unplanned } from '../incident/runs.ts';
import { isStopped, unasked } from '../incident/sightings.ts';
import { isDryRun } from '../plan/goal.ts';
import { offlineUntil } from '../token/offline.ts';
import { HOUR, holdsUp, ms, prove, recheck } from './looks.ts';
import type { Due, Reported, Rule, Timing } from './timing.ts';

/** All work owed, now or later. Pure: the same state gives the same list. */
export function due(incident: Incident, timing: Timing, reported: Reported): Due[] {
  const owed = rules.flatMap((rule) => rule(incident, timing) ?? []);
  const reports = reported.reporters
    .filter((name) => (reported.cursors[name] ?? 0) < incident.version)
    .map(
      (): Due => ({ kind: 'report', occasion: String(incident.version), at: Date.parse(incident.updatedAt) }),
    );
  return [...owed.map((work) => afterTrouble(work, incident)), ...reports];
}

const LONGEST_ASKED_WAIT = 10 * 60_000;

/**
 * Failed work is owed again later and later: 1, 2, 4 … 60 seconds after it last failed, and not before it was asked back.
 * What no kill waits for goes on to a minute more each time, up to an hour: a cluster may stay away for days.
 */
function afterTrouble(work: ReturnType<Rule> & object, { troubles, identity }: Incident): Due {
  const trouble = troubles[work.kind];
  const occasion = [work.occasion, trouble?.count].filter((part) => part !== undefined).join('-') || '0';
  if (trouble === undefined) return { ...work, occasion };
  const hurried = work.kind === 'run' || (work.kind === 'investigate' && identity === undefined);
  const more = hurried ? 1 : Math.min(60, Math.max(1, trouble.count - 6));
  const patient = more * Math.min(60_000, 1000 * 2 ** Math.min(trouble.count - 1, 6));
  const wait = Math.max(patient, Math.min(trouble.retryAfterMs ?? 0, LONGEST_ASKED_WAIT));
  return { ...work, occasion, at: Math.max(work.at, Date.parse(trouble.at) + wait) };
}

/** Not the containment that an investigation does itself: a new name would start a second one beside it. */
const ordered = ({ runs }: Incident): number => runs.filter(({ by }) => by !== 'policy').length;

const investigate: Rule = (incident) =>
  incident.stale && !incident.closed && !holdsUp(incident)
    ? {
        kind: 'investigate',
        occasion: incident.alerts.length + incident.decisions.length + ordered(incident),
        at: ms(incident.openedAt),
      }
    : undefined;

/** One name for all steps: a name for each would start a second job beside the one that goes on with the next step. */
const run: Rule = (incident) => {
  const open = incident.paused ? undefined : openRun(incident);
  return open && { kind: 'run', occasion: open.id, at: ms(open.at) };
};

/** A decided or proven incident closes once nothing of it can be used any more, anywhere. */
const close: Rule = (incident) => {
  if (incident.status !== 'verifying' && incident.status !== 'needs-human') return undefined;
  if (incident.unidentified) return undefined;
  const over = overWithoutProof(incident);
  if (over !== undefined) return { kind: 'close', occasion: `over-${ms(over)}`, at: ms(over) };
  // A person has not said yet what becomes of a roll-out that stopped.
  if (stoppedRun(incident) || isSoaking(incident) || owesOutside(incident)) return undefined;
  if (incident.proof?.outcome?.verdict !== 'done' || incident.proof.provedAt === undefined) return undefined;
  // What was proven then must be what was seen last, and on every cluster that may accept it.
  if (!isStopped(incident) || unasked(incident).length > 0) return undefined;
  if (unplanned(incident).length > 0) return undefined;
  const offline = offlineUntil(incident);
  if (offline === Number.POSITIVE_INFINITY) return undefined;
  const at = Math.max(ms(incident.proof.provedAt), (offline ?? 0) * 1000);
  return { kind: 'close', occasion: `${ms(incident.proof.killedAt)}`, at };
};

/** When a dry run was shown, or everything of a restart was done. */
export function overWithoutProof({ goal, plan, planAt, runs, status }: Incident): string | undefined {
  if (status !== 'verifying' || plan === undefined) return undefined;
  if (isDryRun(goal)) return planAt;
  return goal.do === 'restart' ? runs.at(-1)?.steps.at(-1)?.endedAt : undefined;
}

const soak: Rule = (incident, timing) => {
  const { proof } = incident;
  if (!isSoaking(incident) || proof?.outcome?.verdict !== 'done' || proof.provedAt === undefined)
    return undefined;
  if (!isStopped(incident)) return undefined;
  return { kind: 'soak', occasion: `${ms(proof.killedAt)}`, at: ms(proof.provedAt) + timing.soak };
};

/** Until when the plan may be approved, Unix milliseconds; undefined where none waits. */
export function approvableUntil(
  { status, planAt, planExpiry }: Incident,
  { approvalExpiry }: Pick<Timing, 'approvalExpiry'>,
): number | undefined {
  if (status !== 'awaiting-approval' || planAt === undefined) return undefined;
  return ms(planAt) + (planExpiry ?? approvalExpiry);
}

const LONGEST_UNANSWERED = 6 * HOUR;

/** While nobody does anything, each plan waits twice as long as the one before; who presses a late one has it made anew. */
const expire: Rule = (incident, timing) => {
  const until = approvableUntil(incident, timing);
  if (until === undefined || incident.planAt === undefined) return undefined;
  const planAt = ms(incident.planAt);
  const own = until - planAt;
  const wait = Math.min(own * 2 ** Math.min(incident.unanswered, 20), Math.max(own, LONGEST_UNANSWERED));
  return { kind: 'expire', occasion: `${planAt}`, at: planAt + wait };
};

/** Parts of the time that a plan waits, after which people are reminded: in the thread, then each by a direct message. */
const REMIND_AT = [0.5, 0.9] as const;

const remind: Rule = (incident, { approvalExpiry }) => {
  const { planAt, planExpiry = approvalExpiry, reminders, unanswered } = incident;
  // Later ones call people by expiring.
  const part = unanswered === 0 ? REMIND_AT[reminders] : undefined;
  if (incident.status !== 'awaiting-approval' || planAt === undefined || part === undefined) return undefined;
  return { kind: 'remind', occasion: `${ms(planAt)}-${reminders}`, at: ms(planAt) + part * planExpiry };
};

/** The token is destroyed after the last re-check, at once on decline or false alarm, and never kept longer than agreed. */
const forgetToken: Rule = (incident, { keepTokenFor, recheckAfter }) => {
  if (!incident.tokenHeld || incident.tokenHeldSince === undefined) return undefined;
  // The moment names the occasion: a queue that holds this work for a later one must not swallow it.
  const forget = (at: number) => ({ kind: 'forget-token' as const, occasion: at, at });
  const { closed } = incident;
  if (closed && closed.as !== 'resolved') return forget(ms(closed.at));
  const lastRecheck = incident.rechecks.at(-1);
  const finished = closed !== undefined && incident.rechecks.length >= recheckAfter.length;
  if (finished) return forget(ms(lastRecheck?.at ?? closed.at));
  return forget(ms(incident.tokenHeldSince) + keepTokenFor);
};

/** One after the other: each is an event of its own. */
const escalate: Rule = (incident, { escalation }) => {
  const [call] = escalation ? openCalls(incident, escalation) : [];
  return call && { kind: 'escalate', occasion: call.id, at: call.at };
};

const rules: readonly Rule[] = [
  run,
  investigate,
  prove,
  soak,
  close,
  recheck,
  remind,
  expire,
  forgetToken,
  escalate,
];
