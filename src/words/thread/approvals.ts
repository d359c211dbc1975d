// What the thread says about approvals: who gave one, who is still missing, who was skipped, and who is reminded alone.

import { asksFor } from '../../domain/decision/needed.ts';
import { requesters } from '../../domain/incident/asked.ts';
import type { Decision, Verb } from '../../domain/incident/decision.ts';
import type { IncidentEvent } from '../../domain/incident/events.ts';
import { planVotes } from '../../domain/incident/going-on.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { isBleeding } from '../../domain/incident/runs.ts';
import { mentions, named, namedBy } from '../../domain/rules/named.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { joined, people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { counted } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { plain } from '../pieces/plain.ts';
import { asksText } from '../standing/asks.ts';

const VOTED: Partial<Record<Verb, string>> = {
  contain: 'the quarantine',
  retry: 'that what is left is tried again',
  skip: 'that it goes on without what holds it up',
  'roll-back': 'the roll-back',
};

export function voted({ verb, by, reason, awaiting = 0 }: Decision, after: Incident, policy: Policy): Text[] {
  const what = VOTED[verb] ?? 'the plan';
  const why = reason ? text` Reason: ${plain(reason, 600)}` : '';
  const more = text`${counted(awaiting, 'more approval')} ${awaiting === 1 ? 'is' : 'are'} needed:`;
  const asks = asksText(after, verb, policy);
  return [text`${people([by])} approved ${what}.${why} ${more} ${joined(asks, '; ')}.`];
}

/** Everybody who should have been asked is told that they were not. */
export function glassBroken(
  { by, reason = '' }: Decision,
  before: Incident,
  after: Incident,
  policy: Policy,
): Text[] {
  const from = asksFor(before, 'approve', policy).flatMap((ask) => ask.from);
  const given = planVotes(before).map((vote) => vote.by);
  const skipped = named(policy, [...new Set(from)], [by, ...given]);
  return [
    text`${strong`BREAK-GLASS:`} ${people([by])} runs the plan alone, ${counted(after.runs.at(-1)?.steps.length ?? 0, 'step')}. Reason: ${plain(reason, 600)}`,
    text`Skipped: ${skipped.length > 0 ? joined(skipped, ', ') : 'nobody'}. A review stays open on the card until an approver other than ${people([by])} closes it.`,
  ];
}

export function deadline({ planAt, planExpiry }: Incident, policy: Policy): Text {
  const ms = planExpiry ?? policy.approvalExpiry;
  return planAt === undefined ? '' : text` until ${moment(Date.parse(planAt) + ms)}`;
}

/** From the second reminder on each person who may still approve hears it alone: ids of people. */
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
): Text[] {
  const next = 'The incident stays open. Everything is looked at again, and a fresh plan follows.';
  if (why === 'policy-changed')
    return ['The policy has changed, and approvals under the old one are void.', next];
  if (why === 'asked') return ['The plan had waited longer than an approval counts.', next];
  if (!isBleeding(before)) return ['Nobody approved in time.', next];
  const called = mentions(policy, policy.fallback);
  return [
    text`${strong`Nobody approved in time, and the token still works.`} ${called}: somebody must act.`,
    next,
  ];
}
