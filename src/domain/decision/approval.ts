// Who may decide what, and whether this click still decides anything. Pure: refusals are values with a sentence for the person.
import { openReviews, requesters } from '../incident/asked.ts';
import type { Verb } from '../incident/decision.ts';
import { goesOn } from '../incident/going-on.ts';
import type { Incident } from '../incident/incident.ts';
import { blockedIn, rollBackSteps } from '../incident/new-run.ts';
import { mayLeaveOut, otherWays } from '../incident/offers.ts';
import { owesOutside } from '../incident/outside.ts';
import { isContained, isSoaking, openRun, pendingSteps, undoable } from '../incident/runs.ts';
import { isDryRun } from '../plan/goal.ts';
import { isNamed, mentions, named } from '../rules/named.ts';
import type { Policy } from '../rules/policy.ts';
import { joined, type Text, text } from '../text/pieces.ts';
import { bindsTo, UNBOUND } from './binds-to.ts';
import type { Click, Person, Refusal, RefusalCode, Roster } from './click.ts';
import { type Ruling, rulingOn, voter, votesAt, wantsReason } from './needed.ts';
import { counts, isFresh } from './votes.ts';

type Check = (
  incident: Incident,
  click: Click,
  roster: Roster,
  now: number,
  ruling: Ruling,
) => Refusal | undefined;

/** Undefined: the click counts. Otherwise the first reason why not. `now`: Unix milliseconds. */
export function refuse(
  incident: Incident,
  click: Click,
  roster: Roster,
  now: number,
  ruling = rulingOn(incident, click.verb, roster.policy, now),
): Refusal | undefined {
  for (const check of [
    foreign,
    notAllowed,
    closed,
    decided,
    forbidden,
    selfApproval,
    together,
    changed,
    expired,
    nothingToDo,
    votedAlready,
    reasonMissing,
  ]) {
    const refusal = check(incident, click, roster, now, ruling);
    if (refusal) return refusal;
  }
  return undefined;
}

const no = (code: RefusalCode, message: Text): Refusal => ({ code, message });
const foreign: Check = (_incident, { by }, roster) => {
  if (by.teamId !== roster.teamId)
    return no(
      'foreign-user',
      'You belong to another workspace, so this button does nothing for you. Ask somebody of this workspace to press it.',
    );
  if (by.guest || by.bot || by.deactivated)
    return no(
      'foreign-user',
      'Guests and apps cannot decide on incidents. Ask a full member of the team to press it.',
    );
  return undefined;
};

const notAllowed: Check = (_incident, { verb, by }, { policy }, _now, ruling) => {
  const anew = goesOn(verb) ? ruling.asks.flatMap((ask) => ask.from) : [];
  const from = anew.length > 0 ? anew : ruling.from;
  if (isNamed(policy, from, voter(by))) return undefined;
  const why =
    anew.length > 0 && verb !== 'roll-back'
      ? 'What was approved has waited for too long, so it must be approved anew, and you are not on the list for that. Nothing was run.'
      : 'You are not on the list of people who may do this.';
  const can = named(policy, from);
  const who = can.length > 0 ? joined(can, ', ') : 'nobody; the policy names no one';
  return no('not-allowed', text`${why} These can: ${who}.`);
};

const closed: Check = (incident, { verb }) => {
  if (!incident.closed || verb === 'undo' || verb === 'review') return undefined;
  const { as } = incident.closed;
  return no(
    'closed',
    `This incident is already closed (${as}). Nothing was changed. If the token is still alive, report it again with /revoke-sa.`,
  );
};

const decided: Check = (incident, { verb }) => {
  const run = openRun(incident);
  if (run === undefined || verb === 'identify' || verb === 'review') return undefined;
  const who = run.by === 'policy' ? 'the policy' : { person: run.by };
  const names = { contain: 'Containment', plan: 'The plan', undo: 'The undo', 'roll-back': 'The roll-back' };
  const what = names[run.kind];
  if (run.kind === 'contain' && (verb === 'approve' || verb === 'withdraw' || verb === 'break-glass'))
    return undefined;
  return no(
    'already-decided',
    text`${what} was already started by ${who} and is running. Nothing was started twice; the thread shows how it goes.`,
  );
};

const forbidden: Check = (_incident, { verb }, _roster, _now, { never }) => {
  if ((verb !== 'contain' && verb !== 'approve' && verb !== 'break-glass') || !never) return undefined;
  const byHand = never.step.kubectl.map((code) => ({ code }));
  return no(
    'policy-forbids',
    text`The policy never allows "${never.step.title}" (rule "${never.rule}"), whoever approves. Nothing was changed. If it must be done, do it by hand: ${joined(byHand, ' ; ')}`,
  );
};

const selfApproval: Check = (incident, { verb, by }, { policy }, _now, { asks }) => {
  if (verb === 'review') return ownReview(incident, by, policy);
  const asked = requesters(incident);
  if (asks.length === 0 || !asked.includes(by.id)) return undefined;
  const mine = asks.filter(({ from }) => isNamed(policy, from, voter(by)));
  // Excluded from one of its steps is excluded from the whole.
  if (mine.every((ask) => counts(policy, ask, voter(by), asked))) return undefined;
  const others = named(
    policy,
    asks.flatMap(({ from }) => from),
    asked,
  );
  const elsewhere = incident.alsoAsked.find((other) => other.by === by.id);
  const what = elsewhere
    ? `You asked for incident ${elsewhere.incident} about the same ServiceAccount`
    : 'You opened this incident';
  const who = others.length > 0 ? joined(others, ', ') : 'nobody else is configured; add an approver';
  return no('self-approval', text`${what}, so somebody else must approve: ${who}.`);
};

const together: Check = (_incident, { verb, together: many }, _roster, _now, { asks }) => {
  const alone = many && !goesOn(verb) && asks.find(({ group }) => !group);
  if (!alone) return undefined;
  return no(
    'policy-forbids',
    `The rule "${alone.rule}" wants this one approved by itself, not with others. Nothing was changed. Open its card and press there.`,
  );
};

function ownReview(incident: Incident, by: Person, policy: Policy): Refusal | undefined {
  const open = openReviews(incident);
  if (open.length === 0 || open.some((review) => review.by !== by.id)) return undefined;
  return no(
    'self-approval',
    text`You broke the glass yourself, so somebody else must review it: ${mentions(policy, ['approvers'], [by.id])}.`,
  );
}

const votedAlready: Check = (incident, { verb, by, hash }, { policy }, now, { asks, missing }) => {
  const votes = votesAt(incident, verb, hash).filter((vote) => asks.every((ask) => isFresh(ask, vote, now)));
  if (!votes.some((vote) => vote.by === by.id)) return undefined;
  const more = missing(votes);
  // A vote that was enough all along, because the policy asks for less now, may be given again.
  if (more === 0) return undefined;
  const from = asks.flatMap((ask) => ask.from);
  const others = named(policy, from, [...votes.map((vote) => vote.by), ...requesters(incident)]);
  const who =
    others.length > 0 ? joined(others, ', ') : 'nobody who is left may; ask for an approver in the policy';
  return no(
    'already-voted',
    text`You have approved this already; nothing was counted twice. ${more} more of these must: ${who}.`,
  );
};

const changed: Check = (incident, { verb, hash }) => {
  if (UNBOUND.includes(verb)) return undefined;
  const expected = bindsTo(incident, verb);
  // Without a plan or a run that stopped there is nothing that a missing hash could fit.
  if (hash === expected && expected !== undefined) return undefined;
  return no(
    'plan-changed',
    'The cluster or the plan has changed since this button was shown, so your click did nothing. The card now shows the current plan: read it and press again.',
  );
};

/** Before the worker has noticed: a plan that nobody approved in time is made anew. */
const expired: Check = ({ planAt, planExpiry }, { verb }, { policy }, now) => {
  if ((verb !== 'approve' && verb !== 'break-glass') || planAt === undefined) return undefined;
  if (now <= Date.parse(planAt) + (planExpiry ?? policy.approvalExpiry)) return undefined;
  return no(
    'plan-expired',
    'This plan has waited longer than an approval counts, so your click did nothing yet. Everything is being looked at again: a fresh plan is on the card in a moment. Read it and press again.',
  );
};

const nothingToDo: Check = (incident, { verb, by }) => {
  if (isDryRun(incident.goal))
    return no(
      'nothing-to-do',
      'This is a dry run: it only shows the plan. Nothing was changed. To have it done, ask again without --dry-run.',
    );
  const nothingLeft =
    pendingSteps(incident).length === 0 && 'Every step of the plan is already done. Nothing was changed.';
  const refusals: Partial<Record<Verb, string | false>> = {
    contain: nothingToContain(incident),
    'leave-out':
      !mayLeaveOut(incident) &&
      'There is no cluster to leave out: each was asked, or something else comes first. Nothing was changed.',
    approve: nothingLeft,
    'break-glass': nothingLeft,
    withdraw:
      !incident.votes.some((vote) => vote.by === by.id) &&
      'There is no approval of yours to take back. Nothing was changed.',
    review: openReviews(incident).length === 0 && 'No review is open. Nothing was changed.',
    skip:
      blockedIn(incident).length === 0 &&
      'The run does not wait for anything that could be skipped. Nothing was changed. Retry does what is left.',
    'roll-back':
      rollBackSteps(incident).length === 0 &&
      'There is nothing to roll back: nothing was changed yet, or something was done that cannot be undone. Nothing was changed.',
    outside:
      !owesOutside(incident) && 'Nothing is open about users outside the cluster. Nothing was changed.',
    choose:
      otherWays(incident).length === 0 && 'There is no other way of rotating this. Nothing was changed.',
    'cancel-soak':
      !isSoaking(incident) && 'Nothing is going to be deleted by itself here. Nothing was changed.',
    undo:
      undoable(incident).length === 0 &&
      'There is no quarantine to undo: it was already undone, or a later step cannot be undone. Nothing was changed.',
  };
  const message = refusals[verb];
  return message ? no('nothing-to-do', message) : undefined;
};

function nothingToContain(incident: Incident): string | false {
  if (pendingSteps(incident).some(({ phase }) => phase === 'contain')) return false;
  if (isContained(incident)) return 'The token is already quarantined. Nothing was changed.';
  return 'There is nothing here that could be quarantined. Nothing was changed. The card says how the token stands.';
}

const reasonMissing: Check = (_incident, { verb, reason }, _roster, _now, { asks }) =>
  wantsReason(verb, asks) && !reason?.trim()
    ? no('reason-missing', 'Write one sentence why, for those who read this later. Nothing was changed.')
    : undefined;
