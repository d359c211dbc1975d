// What the thread says about approvals: who gave one, who is still missing, who was skipped, and who is reminded alone.

import type { Decision, Verb } from '../../domain/decision.ts';
import type { IncidentEvent } from '../../domain/events.ts';
import { planVotes } from '../../domain/going-on.ts';
import type { Incident } from '../../domain/incident.ts';
import { asksFor, mentions } from '../../domain/needed.ts';
import type { Policy } from '../../domain/policy.ts';
import { isBleeding } from '../../domain/runs.ts';
import { namedBy, requesters } from '../../domain/votes.ts';
import { asksText } from './asks-text.ts';
import { clean, counted, moment, people } from './mrkdwn.ts';

const VOTED: Partial<Record<Verb, string>> = {
  contain: 'the quarantine',
  retry: 'that what is left is tried again',
  skip: 'that it goes on without what holds it up',
  'roll-back': 'the roll-back',
};

export function voted(
  { verb, by, reason, awaiting = 0 }: Decision,
  after: Incident,
  policy: Policy,
): string[] {
  const what = VOTED[verb] ?? 'the plan';
  const why = reason ? ` Reason: ${clean(reason, 600)}` : '';
  const more = `${counted(awaiting, 'more approval')} ${awaiting === 1 ? 'is' : 'are'} needed:`;
  const asks = asksText(after, verb, policy);
  return [`${people([by])} approved ${what}.${why} ${more} ${asks.join('; ')}.`];
}

/** Everybody who should have been asked is told that they were not. */
export function glassBroken(
  { by, reason = '' }: Decision,
  before: Incident,
  after: Incident,
  policy: Policy,
): string[] {
  const from = asksFor(before, 'approve', policy).flatMap((ask) => ask.from);
  const given = planVotes(before).map((vote) => vote.by);
  const skipped = mentions(policy, [...new Set(from)], [by, ...given]);
  return [
    `*BREAK-GLASS:* ${people([by])} runs the plan alone, ${counted(after.runs.at(-1)?.steps.length ?? 0, 'step')}. Reason: ${clean(reason, 600)}`,
    `Skipped: ${skipped || 'nobody'}. A review stays open on the card until an approver other than ${people([by])} closes it.`,
  ];
}

export function deadline({ planAt, planExpiry }: Incident, policy: Policy): string {
  const ms = planExpiry ?? policy.approvalExpiry;
  return planAt === undefined ? '' : ` until ${moment(Date.parse(planAt) + ms)}`;
}

/** From the second reminder on each person who may still approve hears it alone. */
export function aloneFor(event: IncidentEvent, after: Incident, policy: Policy): string[] {
  if (event.type !== 'reminded' || event.count < 2) return [];
  const given = planVotes(after).map(({ by }) => by);
  const excluded = [...given, ...requesters(after)];
  const from = asksFor(after, 'approve', policy).flatMap((ask) => ask.from);
  return namedBy(policy, from).users.filter((id) => !excluded.includes(id));
}

/** An incident never ends because nobody came: whoever must act is called, and a fresh plan follows. */
export function planOver(
  why: 'policy-changed' | 'asked' | undefined,
  before: Incident,
  policy: Policy,
): string[] {
  const next = 'The incident stays open. Everything is looked at again, and a fresh plan follows.';
  if (why === 'policy-changed')
    return ['The policy has changed, and approvals under the old one are void.', next];
  if (why === 'asked') return ['The plan had waited longer than an approval counts.', next];
  if (!isBleeding(before)) return ['Nobody approved in time.', next];
  const called = mentions(policy, policy.fallback);
  return [`*Nobody approved in time, and the token still works.* ${called}: somebody must act.`, next];
}
