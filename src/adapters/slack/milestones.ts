// What is worth a reply in the thread: few events are, so that the thread stays calm and each reply counts.
import type { KnownBlock } from '@slack/types';
import type { Why } from '../../domain/escalation.ts';
import type { EventBody, IncidentEvent } from '../../domain/events.ts';
import { fold } from '../../domain/fold.ts';
import { adviceAfter } from '../../domain/hardening.ts';
import type { Incident, Run, WorkKind } from '../../domain/incident.ts';
import { mentions } from '../../domain/needed.ts';
import { acceptedOffline } from '../../domain/offline.ts';
import type { Policy } from '../../domain/policy.ts';
import { hasQuarantine, isContained, pendingSteps, stateOf, takesBack } from '../../domain/runs.ts';
import { isLive } from '../../domain/sightings.ts';
import { asksText } from './asks-text.ts';
import { stillQuarantined, VERBS } from './card.ts';
import { clean, code, counted, moment, people, section, some, span, within } from './mrkdwn.ts';
import { passedQuarter, progressLine } from './progress-text.ts';
import { isFullProof, opening, proofLines, proofTimes, proofWords } from './proof-text.ts';
import { aloneFor, deadline, glassBroken, planOver, voted } from './vote-text.ts';

export interface Milestone {
  /** Version of the event that it tells of; at most one for each. */
  v: number;
  text: string;
  blocks?: KnownBlock[];
  /** Slack user ids who are told by a direct message too. */
  alone?: string[];
}

/** The state before and after one event, so that only what it changed is told. */
interface Moment {
  before: Incident;
  after: Incident;
  at: string;
  policy: Policy;
}

type Of<T extends EventBody['type']> = Extract<IncidentEvent, { type: T }>;
type Teller<T extends EventBody['type']> = (event: Of<T>, moment: Moment) => string[];

/** `events` is the whole log of the incident. */
export function milestones(
  id: string,
  events: readonly IncidentEvent[],
  cursor: number,
  policy: Policy,
): Milestone[] {
  return events.flatMap((event, index) => {
    const tell = tellers[event.type] as Teller<EventBody['type']> | undefined;
    if (event.v <= cursor || index === 0) return [];
    const before = fold(id, events.slice(0, index));
    const after = fold(id, events.slice(0, index + 1));
    const moment = { before, after, at: event.at, policy };
    const lines = [...(tell?.(event, moment) ?? []), ...recovered(before, after)];
    if (lines.length === 0) return [];
    const blocks = event.type === 'proved' ? [section(`proof-${event.v}`, lines)] : undefined;
    const alone = aloneFor(event, after, policy);
    return [
      {
        v: event.v,
        text: within(lines, 3000),
        ...(blocks ? { blocks } : {}),
        ...(alone.length > 0 ? { alone } : {}),
      },
    ];
  });
}

const WORK: Record<WorkKind, string> = {
  investigate: 'The investigation',
  run: 'The plan',
  prove: 'The proof',
  recheck: 'The later look',
  expire: 'The expiry',
  remind: 'The reminder',
  close: 'Closing',
  soak: 'The waiting time before the deletion',
  'forget-token': 'Destroying the sealed token',
  escalate: 'The call outside Slack',
  report: 'Reporting',
};

function recovered(before: Incident, after: Incident): string[] {
  return (Object.keys(before.troubles) as WorkKind[])
    .filter((work) => work !== 'report' && after.troubles[work] === undefined)
    .map((work) => `The trouble is over. ${WORK[work]} goes on.`);
}

const tellers: { [T in EventBody['type']]?: Teller<T> } = {
  'alert-received': ({ alert }) => {
    const by = alert.reporter ? people([alert.reporter]) : clean(alert.source, 60);
    const where = alert.where ? ` Where: ${clean(alert.where.text)}` : '';
    return [`Reported again by ${by}.${where}${alert.reason ? ` ${clean(alert.reason)}` : ''}`];
  },
  'alert-updated': ({ update }) => [clean(update.note, 600)],
  unidentified: ({ reason, near }) => [
    `*A person is needed:* the token could not be identified. ${clean(reason, 600)}`,
    ...(near.length > 0
      ? [
          `Near: ${some(
            near.map((name) => code(name, 120)),
            5,
          ).join(', ')}`,
        ]
      : []),
    'Press “Identify token…” on the card.',
  ],
  'plan-proposed': ({ plan }, { before, after, policy }) => {
    const pending = pendingSteps(after);
    if (pending.length === 0)
      return before.runs.length > 0
        ? []
        : [
            'There is nothing to run. The card says why.',
            ...plan.notes.slice(0, 3).map((note) => clean(note, 600)),
          ];
    const final = pending.filter(({ reversible }) => !reversible).length;
    return [
      `${before.runs.some(({ by }) => by !== 'policy') || before.decisions.length > 0 ? 'A new plan' : 'The plan'} is on the card: ${counted(pending.length, 'step')}, ${undoWords(final, pending.length)}.`,
      ...asksText(after, 'approve', policy).map((words) => `To be approved by ${words}.`),
    ];
  },
  reminded: (_event, { after, policy }) => [
    `Waiting for approval${deadline(after, policy)}: ${asksText(after, 'approve', policy).join('; ')}.`,
  ],
  'plan-expired': ({ why }, { before, policy }) => planOver(why, before, policy),
  decided: ({ decision }, { before, after, policy }) => {
    if (decision.awaiting !== undefined) return voted(decision, after, policy);
    if (decision.verb === 'break-glass') return glassBroken(decision, before, after, policy);
    const run = after.runs.at(-1);
    const when = after.paused ? 'when it is resumed: Tourniquet is paused' : '';
    const steps =
      decision.verb === 'approve' && run
        ? ` ${counted(run.steps.length, 'step')} will run${when && ` ${when}`}.`
        : '';
    const left = decision.verb === 'not-a-leak' && hasQuarantine(after) ? ` ${stillQuarantined(after)}` : '';
    return [
      `${people([decision.by])} ${VERBS[decision.verb]}${decision.together ? ', together with others' : ''}.${decision.reason ? ` Reason: ${clean(decision.reason, 600)}` : ''}${steps}${left}`,
    ];
  },
  'decision-refused': ({ verb, by, reason }) => [
    `*Refused by the worker:* ${by ? people([by]) : 'nobody'} ${VERBS[verb]}, but ${clean(reason, 400)}. It was taken back.`,
  ],
  'also-asked-for': ({ by, incident }) => [
    `${people(by)} asked for incident ${code(incident)} about the same ServiceAccount. Where a rule leaves out who asked, their approval does not count here either.`,
  ],
  'step-progressed': ({ run, step }, { before, after }) => {
    const state = stateOf(after, run, step);
    const was = stateOf(before, run, step)?.progress;
    if (!state?.progress || !passedQuarter(was, state.progress)) return [];
    return [`${clean(state.step.title)}: ${progressLine(state.progress)}`];
  },
  'step-ended': stepEnded,
  'run-stopped': ({ reason }) => [
    `*Stopped:* ${clean(reason, 600)} A person is needed; the card shows what is left.`,
  ],
  proved: (_event, { after }) => proved(after),
  rechecked: ({ index, outcome }, { before, after, at }) => {
    const later = after.proof?.provedAt
      ? `, ${span(Date.parse(at) - Date.parse(after.proof.provedAt))} after the proof`
      : '';
    // Of a leak that nothing has stopped yet, that is no news.
    const works = isLive(before) ? 'still works' : '*works again*';
    const dead = isLive(before) ? 'works no more' : 'still dead';
    const words = { done: dead, 'not-done': works, unknown: 'not known' }[outcome.verdict];
    return [`Looked again (${index + 1}${later}): ${words}. ${clean(outcome.detail, 600)}`];
  },
  reopened: ({ reason }) => [`*LEAK LIVE AGAIN:* ${clean(reason, 600)}`],
  collected: ({ collected: { by, anchor, namespace, serviceAccount, until } }) => [
    `A new token of ${code(`${namespace}/${serviceAccount}`)} was collected by ${clean(by)}, until ${moment(Date.parse(until))}. It dies with Secret ${code(anchor)}.`,
  ],
  closed: ({ as, reason }, { before, after }) => {
    // A person's decision was told already, with its reason.
    if (as === 'declined' || as === 'false-alarm') return [];
    return [
      `Closed as ${as}${reason === before.proof?.outcome?.detail ? '.' : `: ${clean(reason, 600)}`}`,
      ...hardened(after),
    ];
  },
  trouble: ({ work, message }, { before }) =>
    work === 'report' || before.troubles[work]
      ? []
      : [
          `*Trouble:* ${clean(message, 600)} ${WORK[work]} is tried again ${work === 'escalate' ? 'for a day' : 'until it works'}.`,
        ],
  escalated: ({ why, failed }, { policy }) =>
    failed === undefined
      ? [`Called the escalation webhook: ${CALLED[why]}.`]
      : [
          `*Nobody outside Slack could be called in a day* (${CALLED[why]}): ${clean(failed, 600)} ${mentions(policy, policy.fallback)}: it is up to you.`,
        ],
};

const CALLED: Record<Why, string> = {
  'approval-expired': 'nobody approved in time, and the token still works',
  'token-still-accepted': 'the token is still accepted',
  'nobody-can-approve': 'nobody can approve the plan',
  'review-open': 'the review of a broken glass is still open',
};

function hardened(incident: Incident): string[] {
  const advice = adviceAfter(incident).flatMap(({ why, kubectl }) => [
    `• ${clean(why, 400)}`,
    ...kubectl.map((line) => code(line, 300)),
  ]);
  return advice.length === 0 ? [] : ['*So that it does not happen again*', ...advice];
}

function undoWords(final: number, all: number): string {
  if (final === 0) return all === 1 ? 'which can be undone' : 'all can be undone';
  if (final === all) return all === 1 ? 'which cannot be undone' : 'none can be undone';
  return `${final} of them cannot be undone`;
}

function stepEnded(
  { run: runId, step: stepId, outcome }: Of<'step-ended'>,
  { before, after, at }: Moment,
): string[] {
  const run = after.runs.find(({ id }) => id === runId);
  const step = run?.steps.find((state) => state.step.id === stepId)?.step;
  if (!run || !step) return [];
  const told = outcomeBefore(before, runId, stepId);
  if (told?.verdict === outcome.verdict && told.detail === outcome.detail) return [];
  const title = `${clean(step.title)}. ${clean(outcome.detail, 600)}`;
  if (outcome.verdict === 'not-done') return [`Failed: ${title}`];
  if (outcome.verdict === 'unknown') return [`Not known whether done: ${title}`];
  if (takesBack(run)) return [`Undone: ${title}${after.liveAgain ? ' *The leaked token works again.*' : ''}`];
  if (!isContained(before) && isContained(after)) return [contained(run, after, at), title];
  return [`Done: ${title}`];
}

const outcomeBefore = (incident: Incident, run: string, step: string) =>
  incident.runs.find(({ id }) => id === run)?.steps.find((state) => state.step.id === step)?.outcome;

const contained = (run: Run, incident: Incident, at: string): string =>
  `*Contained* ${run.by === 'policy' ? 'by policy' : `by ${people([run.by])}`}, ${span(Date.parse(at) - Date.parse(incident.openedAt))} after the ${opening(incident)}.`;

/** The product: what each server answered, at which level, and how long it took. */
function proved(incident: Incident): string[] {
  const { proof } = incident;
  if (!proof?.outcome) return [];
  const words = proofWords(proof.rounds);
  const title = {
    done: isFullProof(proof.rounds) ? `*Proof: ${words}.*` : `*Evidence: ${clean(words)}.*`,
    'not-done': '*The token still works.*',
    unknown: '*Not proven.*',
  }[proof.outcome.verdict];
  const times = proofTimes(incident);
  return [
    isFullProof(proof.rounds) ? title : `${title} ${clean(proof.outcome.detail, 600)}`,
    ...proofLines(proof.rounds, 12),
    ...(times ? [times] : []),
    ...(acceptedOffline(incident, Date.parse(incident.updatedAt))
      ? ['It may still be accepted offline, as the card says.']
      : []),
  ];
}
