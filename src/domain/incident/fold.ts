// Folds an incident's events into its state; the only place that knows what an event means.
import { kills } from '../plan/plan.ts';
import { UNAPPROVED } from './alarms.ts';
import {
  aboutNow,
  askAgain,
  becomes,
  cannotProve,
  dropProof,
  finishRun,
  isInVain,
  lookAnew,
  lookedAgain,
  lose,
  noteKill,
  seeObjects,
} from './believe.ts';
import { applyDecision, takeBack } from './deciding.ts';
import type { EventBody, IncidentEvent } from './events.ts';
import { overtake, proveWhatHolds } from './held.ts';
import type { Incident } from './incident.ts';
import { newRun } from './new-run.ts';
import { isNews } from './news.ts';
import { isBleeding, soakingSteps, stateOf } from './runs.ts';
import { isLive, isStopped, isVoid, see, sightingOfLiveness, sightingOfRound } from './sightings.ts';
import { copyOf, initialState } from './state.ts';
import { statusOf } from './status.ts';

type Of<T extends EventBody['type']> = Extract<EventBody, { type: T }> & { v: number; at: string };
type Handlers = { [T in EventBody['type']]: (incident: Incident, event: Of<T>) => void };

/** The state after the whole log of an incident. */
export const fold = (id: string, events: readonly IncidentEvent[]): Incident =>
  follow(initialState(id, events[0]?.at ?? ''), events);

/** The state after these events too, which follow those that made it; `before` stays as it was. */
export const evolve = (before: Incident, events: readonly IncidentEvent[]): Incident =>
  follow(copyOf(before), events);

function follow(incident: Incident, events: readonly IncidentEvent[]): Incident {
  for (const event of events) apply(incident, event);
  incident.status = statusOf(incident);
  return incident;
}

function apply(incident: Incident, event: IncidentEvent): void {
  incident.version = event.v;
  incident.updatedAt = event.at;
  const handler = handlers[event.type] as ((incident: Incident, event: IncidentEvent) => void) | undefined;
  // A newer version, such as of the command line, may write what this one does not know yet.
  handler?.(incident, event);
  if (incident.liveAgain && !isLive(incident)) incident.liveAgain = false;
}

const handlers: Handlers = {
  'alert-received': (incident, { alert, fingerprint, repeats, at, v }) => {
    const news = v === 1 || isNews(incident, alert, fingerprint);
    incident.alerts.push({ alert, at, v, ...(repeats && { repeats }) });
    if (alert.goal) incident.goal = alert.goal;
    if (fingerprint !== undefined) holdToken(incident, fingerprint, at);
    if (!news) return;
    // Whoever reports it has seen it: an old proof is no answer.
    dropProof(incident);
    askAgain(incident);
  },
  'alert-updated': (incident, { update, at }) => {
    incident.updates.push({ update, at });
  },
  identified: (incident, { identity, fingerprint, at }) => {
    if (fingerprint !== undefined) holdToken(incident, fingerprint, at);
    becomes(incident, identity, at);
    delete incident.renamed;
    delete incident.unidentified;
    delete incident.troubles.investigate;
  },
  unidentified: (incident, { reason, near }) => {
    incident.unidentified = { reason, near };
    delete incident.renamed;
    incident.stale = false;
    delete incident.troubles.investigate;
  },
  'auto-contained': (incident, { steps, at, v }) => {
    incident.runs.push(aboutNow(incident, newRun(`contain-${v}`, 'contain', 'policy', at, steps)));
  },
  'auto-contain-skipped': (incident, { reason }) => {
    incident.autoContainSkipped = reason;
  },
  'situation-observed': (incident, { situations, at }) => {
    incident.situations = situations;
    for (const situation of situations) seeObjects(incident, sightingOfLiveness(situation), at);
    if (incident.looks) incident.looks.lastAt = at;
    delete incident.troubles.investigate;
  },
  'plan-proposed': (incident, { plan, expiry, policy, nobody, looks, rechecks, at, v }) => {
    if (nobody !== undefined)
      incident.alarms.push({ why: 'nobody-can-approve', since: at, v, words: nobody });
    incident.plan = plan;
    incident.planAt = at;
    if (expiry !== undefined) incident.planExpiry = expiry;
    if (policy !== undefined) incident.planPolicy = policy;
    if (looks !== undefined) incident.ladder = looks;
    if (rechecks !== undefined) incident.closedLadder = rechecks;
    incident.stale = false;
    overtake(incident, at);
    // A token that was stopped before we came is proven like any other.
    const some = incident.identity && incident.identity.kind !== 'every-token';
    if (!incident.proof && incident.goal.do !== 'restart' && some && isStopped(incident) && !isVoid(incident))
      incident.proof = { killedAt: at, rounds: [] };
    proveWhatHolds(incident, at);
  },
  reminded: (incident, { count }) => {
    incident.reminders = count;
  },
  'plan-expired': (incident, { why, at, v }) => {
    if (why === undefined && isBleeding(incident))
      incident.alarms.push({ why: 'approval-expired', since: at, v, words: UNAPPROVED });
    incident.unanswered = why === undefined ? incident.unanswered + 1 : 0;
    askAgain(incident);
  },
  decided: (incident, { decision, at, v }) => {
    incident.unanswered = 0;
    incident.decisions.push({ decision, at, v });
    applyDecision(incident, decision, at, v);
    if (decision.verb === 'outside')
      incident.outside = { by: decision.by, at, reason: decision.reason ?? '' };
    if (decision.verb === 'cancel-soak') incident.soakCancelled = true;
    if (decision.verb === 'leave-out')
      incident.leftOut.push({ clusters: decision.clusters ?? [], by: decision.by, at });
    if (decision.verb === 'choose' && decision.strategy) {
      incident.goal = { ...incident.goal, do: 'rotate', strategy: decision.strategy };
      askAgain(incident);
    }
    if (decision.verb !== 'identify') return;
    if (decision.at) incident.given = decision.at;
    if (decision.fingerprint !== undefined) {
      holdToken(incident, decision.fingerprint, at);
      delete incident.given;
    }
    incident.renamed = true;
    dropProof(incident);
    askAgain(incident);
  },
  'card-asked': (incident) => {
    incident.unanswered = 0;
  },
  'decision-refused': (incident, { verb, by }) => takeBack(incident, verb, by),
  'also-asked-for': (incident, { incident: other, by }) => {
    incident.alsoAsked.push(...by.map((person) => ({ by: person, incident: other })));
  },
  soaked: (incident, { at, v }) => {
    const approval = incident.runs.findLast(({ kind }) => kind === 'plan');
    const run = newRun(`soaked-${v}`, 'plan', approval?.by ?? 'policy', at, soakingSteps(incident));
    // It stands on the approval of the plan that it is the end of.
    const { votes = [], breakGlass, approvedAt = approval?.at ?? at } = approval ?? {};
    incident.runs.push(aboutNow(incident, { ...run, votes, approvedAt, ...(breakGlass && { breakGlass }) }));
    delete incident.troubles.soak;
  },
  'step-started': (incident, { run, step, attempt, at }) => {
    const state = stateOf(incident, run, step);
    if (state) Object.assign(state, { attempts: attempt, startedAt: state.startedAt ?? at });
  },
  'step-noted': (incident, { run, step, note }) => {
    const state = stateOf(incident, run, step);
    if (state) state.memory = { ...state.memory, ...note };
  },
  'step-progressed': (incident, { run, step, done, total, line, at }) => {
    const state = stateOf(incident, run, step);
    if (state === undefined) return;
    const { from, since } = state.progress ?? { from: done, since: at };
    state.progress = { done, total, line, at, from, since };
    delete incident.troubles.run;
  },
  'step-ended': (incident, { run, step, outcome, at }) => {
    const state = stateOf(incident, run, step);
    // Twins of a stalled job may both report; the first to do so counts.
    if (state === undefined || state.outcome) return;
    Object.assign(state, { outcome, endedAt: at });
    delete incident.troubles.run;
    if (kills(state.step)) noteKill(incident, run, state.step, at);
    finishRun(incident, run, at);
    proveWhatHolds(incident, at);
  },
  paused: (incident, { pause }) => {
    incident.paused = pause;
  },
  resumed: (incident) => {
    delete incident.paused;
  },
  'run-stopped': (incident, { run, reason, refused }) => {
    const found = incident.runs.find(({ id }) => id === run);
    if (found) Object.assign(found, { stopped: reason, ...(refused && { refused }) });
    askAgain(incident);
  },
  probed: (incident, { rounds, at }) => {
    incident.proof?.rounds.push(...rounds);
    for (const round of rounds) see(incident, sightingOfRound(round), at);
    delete incident.troubles.prove;
    if (rounds.some((round) => isInVain(incident, round, at))) cannotProve(incident, at);
  },
  proved: (incident, { outcome, at }) => {
    if (incident.proof) Object.assign(incident.proof, { outcome, provedAt: at });
    lookAnew(incident, at);
  },
  rechecked: (incident, event) => lookedAgain(incident, event),
  reopened: (incident, { reason, clusters = incident.identity?.clusters ?? [], at, v }) => {
    incident.alarms.push({ why: 'token-still-accepted', since: at, v, words: reason });
    incident.reopened = { reason, at };
    for (const cluster of clusters) lose(incident, cluster, reason, at);
    incident.liveAgain = true;
    dropProof(incident);
    lookAnew(incident, at);
    askAgain(incident);
  },
  closed: (incident, { as, reason, at }) => {
    incident.closed = { as, reason, at };
    lookAnew(incident, at);
  },
  'token-forgotten': (incident) => {
    incident.tokenHeld = false;
    delete incident.troubles['forget-token'];
  },
  escalated: (incident, { call, failed, at }) => {
    incident.escalated.push({ call, at, ...(failed === undefined ? {} : { failed }) });
    delete incident.troubles.escalate;
  },
  collected: (incident, { collected }) => {
    incident.collected.push(collected);
  },
  trouble: (incident, { work, message, retryAfterMs, at }) => {
    const count = (incident.troubles[work]?.count ?? 0) + 1;
    incident.troubles[work] = { message, count, at, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  },
};

function holdToken(incident: Incident, fingerprint: string, at: string): void {
  incident.tokenHeld = true;
  incident.tokenHeldSince = at;
  incident.fingerprint = fingerprint;
}
