// Who may decide what, and whether this click still decides anything. Pure: refusals are values with a sentence for the person.

import type { Coordinates } from './alert.ts';
import { approachOf, isDryRun, type Strategy, strategiesFor } from './goal.ts';
import type { Incident, Verb } from './incident.ts';
import { blockedIn, rollBackSteps } from './new-run.ts';
import { isContained, isSoaking, openRun, pendingSteps, stoppedRun, undoable } from './runs.ts';

export interface Person {
  /** Slack user id. */
  id: string;
  teamId: string;
  guest: boolean;
  bot: boolean;
  deactivated: boolean;
}

export interface Click {
  verb: Verb;
  by: Person;
  /** The plan's hash, or the containment's for `contain` and `undo`, as the button carried it. */
  hash?: string;
  reason?: string;
  /** choose. */
  strategy?: Strategy;
  /** identify: what the form said. */
  at?: Coordinates;
}

export type RefusalCode =
  | 'foreign-user'
  | 'not-allowed'
  | 'self-approval'
  | 'already-decided'
  | 'plan-changed'
  | 'nothing-to-do'
  | 'closed'
  | 'reason-missing'
  | 'unknown-incident';

export interface Refusal {
  code: RefusalCode;
  /** Slack mrkdwn: why, and who can or what to do. */
  message: string;
}

export interface Roster {
  responders: string[];
  approvers: string[];
  /** The workspace that people must belong to. */
  teamId: string;
}

type Check = (incident: Incident, click: Click, roster: Roster) => Refusal | undefined;

/** Undefined: the click counts. Otherwise the first reason why not. */
export function refuse(incident: Incident, click: Click, roster: Roster): Refusal | undefined {
  for (const check of [
    foreign,
    notAllowed,
    closed,
    decided,
    selfApproval,
    changed,
    nothingToDo,
    reasonMissing,
  ]) {
    const refusal = check(incident, click, roster);
    if (refusal) return refusal;
  }
  return undefined;
}

const no = (code: RefusalCode, message: string): Refusal => ({ code, message });
const mentions = (ids: string[]): string => ids.map((id) => `<@${id}>`).join(', ');

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

const FOR_APPROVERS: readonly Verb[] = ['approve', 'decline', 'not-a-leak', 'undo', 'skip', 'roll-back'];

const notAllowed: Check = (_incident, { verb, by }, { responders, approvers }) => {
  const allowed = FOR_APPROVERS.includes(verb) ? approvers : [...responders, ...approvers];
  if (allowed.includes(by.id)) return undefined;
  return no(
    'not-allowed',
    `You are not on the list of people who may do this. These can: ${mentions([...new Set(allowed)])}.`,
  );
};

const closed: Check = (incident, { verb }) => {
  if (!incident.closed || verb === 'undo') return undefined;
  const { as } = incident.closed;
  return no(
    'closed',
    `This incident is already closed (${as}). Nothing was changed. If the token is still alive, report it again with /revoke-sa.`,
  );
};

const decided: Check = (incident, { verb }) => {
  const run = openRun(incident);
  if (run === undefined || verb === 'identify') return undefined;
  const who = run.by === 'policy' ? 'the policy' : `<@${run.by}>`;
  const names = { contain: 'Containment', plan: 'The plan', undo: 'The undo', 'roll-back': 'The roll-back' };
  const what = names[run.kind];
  if (run.kind === 'contain' && verb === 'approve') return undefined;
  return no(
    'already-decided',
    `${what} was already started by ${who} and is running. Nothing was started twice; the thread shows how it goes.`,
  );
};

const selfApproval: Check = (incident, { verb, by }, { approvers }) => {
  if (verb !== 'approve' || !requesters(incident).includes(by.id)) return undefined;
  const others = approvers.filter((id) => id !== by.id);
  return no(
    'self-approval',
    `You opened this incident, so somebody else must approve: ${mentions(others) || 'nobody else is configured; add an approver'}.`,
  );
};

/** People who asked for this: they may contain, but not approve destruction. */
export function requesters(incident: Incident): string[] {
  const reporters = incident.alerts.flatMap(({ alert }) => alert.reporter ?? []);
  const identifiers = incident.decisions.filter(({ decision }) => decision.verb === 'identify');
  return [...new Set([...reporters, ...identifiers.map(({ decision }) => decision.by)])];
}

/** What a button must carry to still mean what it meant when it was drawn. */
export function bindsTo(incident: Incident, verb: Verb): string | undefined {
  if (ABOUT_STOPPED.includes(verb)) return stoppedRun(incident)?.id;
  return verb === 'contain' || verb === 'undo' ? incident.plan?.containHash : incident.plan?.hash;
}

const ABOUT_STOPPED: readonly Verb[] = ['retry', 'skip', 'roll-back'];
const UNBOUND: readonly Verb[] = ['not-a-leak', 'undo', 'identify', 'choose'];

const changed: Check = (incident, { verb, hash }) => {
  if (UNBOUND.includes(verb)) return undefined;
  const expected = bindsTo(incident, verb);
  // Without a run that stopped there is nothing that a missing hash could fit.
  if (hash === expected && (expected !== undefined || !ABOUT_STOPPED.includes(verb))) return undefined;
  return no(
    'plan-changed',
    'The cluster or the plan has changed since this button was shown, so your click did nothing. The card now shows the current plan: read it and press again.',
  );
};

const nothingToDo: Check = (incident, { verb }) => {
  if (isDryRun(incident.goal))
    return no(
      'nothing-to-do',
      'This is a dry run: it only shows the plan. Nothing was changed. To have it done, ask again without --dry-run.',
    );
  const refusals: Partial<Record<Verb, string | false>> = {
    contain: isContained(incident) && 'The token is already quarantined. Nothing was changed.',
    approve:
      pendingSteps(incident).length === 0 && 'Every step of the plan is already done. Nothing was changed.',
    skip:
      blockedIn(incident).length === 0 &&
      'The run does not wait for anything that could be skipped. Nothing was changed. Retry does what is left.',
    'roll-back':
      rollBackSteps(incident).length === 0 &&
      'There is nothing to roll back: nothing was changed yet, or something was done that cannot be undone. Nothing was changed.',
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

const NEEDS_REASON: readonly Verb[] = ['decline', 'not-a-leak', 'undo', 'roll-back'];

const reasonMissing: Check = (_incident, { verb, reason }) =>
  NEEDS_REASON.includes(verb) && !reason?.trim()
    ? no('reason-missing', 'Write one sentence why, for those who read this later. Nothing was changed.')
    : undefined;

/** Strategies that fit besides the planned one. */
export function otherWays({ goal, identity, situations }: Incident): Strategy[] {
  if (goal.do !== 'rotate' || identity === undefined) return [];
  const planned = approachOf(goal, identity, situations);
  return strategiesFor(identity, situations).filter((strategy) => strategy !== planned);
}

/** What the card offers now, most urgent first. */
export function offers(incident: Incident): Verb[] {
  if (isDryRun(incident.goal)) return [];
  const running = openRun(incident) !== undefined;
  const leaked = incident.goal.do === 'revoke' || incident.fingerprint !== undefined;
  const offered: Verb[] = [];
  const pending = pendingSteps(incident);
  if (!incident.closed && !running) {
    if (pending.some((step) => step.phase === 'contain')) offered.push('contain');
    if (stoppedRun(incident)) offered.push('retry');
    if (blockedIn(incident).length > 0) offered.push('skip');
    if (rollBackSteps(incident).length > 0) offered.push('roll-back');
    if (pending.length > 0) offered.push('approve', 'decline');
    if (pending.length > 0 && otherWays(incident).length > 0) offered.push('choose');
    if (incident.unidentified || (leaked && incident.identity?.kind === 'every-token'))
      offered.push('identify');
    if (leaked && (incident.identity || incident.unidentified)) offered.push('not-a-leak');
  }
  if (!running && isSoaking(incident)) offered.push('cancel-soak');
  if (!running && undoable(incident).length > 0 && !incident.liveAgain) offered.push('undo');
  return offered;
}
