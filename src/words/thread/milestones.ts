// What is worth a reply in the thread: few events are, so that the thread stays calm and each reply counts.
import { adviceAfter } from '../../domain/afterwards/hardening.ts';
import type { EventBody, IncidentEvent } from '../../domain/incident/events.ts';
import { evolve, fold } from '../../domain/incident/fold.ts';
import type { Incident, Run, Why, WorkKind } from '../../domain/incident/incident.ts';
import { hasQuarantine, isContained, pendingSteps, stateOf, takesBack } from '../../domain/incident/runs.ts';
import { isLive, unasked } from '../../domain/incident/sightings.ts';
import { mentions } from '../../domain/rules/named.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { CHAT, joined, people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { stillQuarantined } from '../card/now.ts';
import { counted, some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { code, plain } from '../pieces/plain.ts';
import { span } from '../pieces/span.ts';
import { VERBS } from '../pieces/verbs.ts';
import { asksText } from '../standing/asks.ts';
import { passedQuarter, progressLine } from '../standing/progress.ts';
import { opening } from '../standing/proof.ts';
import { aloneFor, deadline, glassBroken, planOver, voted } from './approvals.ts';
import { proved } from './proved.ts';

export interface Milestone {
  /** Version of the event that it tells of; at most one for each. */
  v: number;
  lines: Text[];
  /** Evidence, which is to be seen at a glance. */
  proof: boolean;
  /** Ids of people who are told in private too. */
  alone: string[];
}

/** The state before and after one event, so that only what it changed is told. */
interface Moment {
  before: Incident;
  after: Incident;
  at: string;
  policy: Policy;
}

type Of<T extends EventBody['type']> = Extract<IncidentEvent, { type: T }>;
type Teller<T extends EventBody['type']> = (event: Of<T>, moment: Moment) => Text[];

/** `events` is the whole log of the incident. */
export function milestones(
  id: string,
  events: readonly IncidentEvent[],
  cursor: number,
  policy: Policy,
): Milestone[] {
  // The first opened it, which the card tells.
  const told = events.filter((event, index) => index === 0 || event.v <= cursor);
  const news = events.slice(told.length);
  let after = fold(id, news.length > 0 ? told : []);
  return news.flatMap((event) => {
    const tell = tellers[event.type] as Teller<EventBody['type']> | undefined;
    const before = after;
    after = evolve(before, [event]);
    const moment = { before, after, at: event.at, policy };
    const lines = [...(tell?.(event, moment) ?? []), ...recovered(before, after)];
    if (lines.length === 0) return [];
    return [{ v: event.v, lines, proof: event.type === 'proved', alone: aloneFor(event, after, policy) }];
  });
}

const WORK: Record<WorkKind, Text> = {
  investigate: 'The investigation',
  run: 'The plan',
  prove: 'The proof',
  recheck: 'The later look',
  expire: 'The expiry',
  remind: 'The reminder',
  close: 'Closing',
  soak: 'The waiting time before the deletion',
  'forget-token': 'Destroying the sealed token',
  escalate: text`The call outside ${CHAT}`,
  report: 'Reporting',
};

function recovered(before: Incident, after: Incident): Text[] {
  return (Object.keys(before.troubles) as WorkKind[])
    .filter((work) => work !== 'report' && after.troubles[work] === undefined)
    .map((work) => text`The trouble is over. ${WORK[work]} goes on.`);
}

const tellers: { [T in EventBody['type']]?: Teller<T> } = {
  'alert-received': ({ alert }) => {
    const by = alert.reporter ? people([alert.reporter]) : plain(alert.source, 60);
    const where = alert.where ? text` Where: ${plain(alert.where.text)}` : '';
    return [text`Reported again by ${by}.${where}${alert.reason ? text` ${plain(alert.reason)}` : ''}`];
  },
  'alert-updated': ({ update }) => [plain(update.note, 600)],
  identified: (_event, { before, after }) => {
    const missing = unasked(after);
    if (!before.closed || after.closed || missing.length === 0) return [];
    return [
      text`${strong`Open again:`} ${plain(missing.join(', '))} could not be asked this time, and may accept the token. It closes again once that was asked, or an approver leaves it out.`,
    ];
  },
  unidentified: ({ reason, near }) => [
    text`${strong`A person is needed:`} the token could not be identified. ${plain(reason, 600)}`,
    ...(near.length > 0
      ? [
          text`Near: ${joined(
            some(
              near.map((name) => code(name, 120)),
              5,
            ),
            ', ',
          )}`,
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
            ...plan.notes.slice(0, 3).map((note) => plain(note, 600)),
          ];
    const final = pending.filter(({ reversible }) => !reversible).length;
    return [
      text`${before.runs.some(({ by }) => by !== 'policy') || before.decisions.length > 0 ? 'A new plan' : 'The plan'} is on the card: ${counted(pending.length, 'step')}, ${undoWords(final, pending.length)}.`,
      ...asksText(after, 'approve', policy).map((words) => text`To be approved by ${words}.`),
    ];
  },
  reminded: (_event, { after, policy }) => [
    text`Waiting for approval${deadline(after, policy)}: ${joined(asksText(after, 'approve', policy), '; ')}.`,
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
      text`${people([decision.by])} ${VERBS[decision.verb]}${decision.together ? ', together with others' : ''}.${decision.reason ? text` Reason: ${plain(decision.reason, 600)}` : ''}${steps}${left}`,
    ];
  },
  'decision-refused': ({ verb, by, reason }) => [
    text`${strong`Refused by the worker:`} ${by ? people([by]) : 'nobody'} ${VERBS[verb]}, but ${plain(reason, 400)}. It was taken back.`,
  ],
  'also-asked-for': ({ by, incident }) => [
    text`${people(by)} asked for incident ${code(incident)} about the same ServiceAccount. Where a rule leaves out who asked, their approval does not count here either.`,
  ],
  'step-progressed': ({ run, step }, { before, after }) => {
    const state = stateOf(after, run, step);
    const was = stateOf(before, run, step)?.progress;
    if (!state?.progress || !passedQuarter(was, state.progress)) return [];
    return [text`${plain(state.step.title)}: ${progressLine(state.progress)}`];
  },
  'step-ended': stepEnded,
  'run-stopped': ({ reason }) => [
    text`${strong`Stopped:`} ${plain(reason, 600)} A person is needed; the card shows what is left.`,
  ],
  proved: (_event, { after }) => proved(after),
  rechecked: ({ index, outcome }, { before, after, at }) => {
    const later = after.proof?.provedAt
      ? text`, ${span(Date.parse(at) - Date.parse(after.proof.provedAt))} after the proof`
      : '';
    // Of a leak that nothing has stopped yet, that is no news.
    const works = isLive(before) ? 'still works' : [strong`works again`];
    const dead = isLive(before) ? 'works no more' : 'still dead';
    const words = { done: dead, 'not-done': works, unknown: 'not known' }[outcome.verdict];
    return [text`Looked again (${index + 1}${later}): ${words}. ${plain(outcome.detail, 600)}`];
  },
  reopened: ({ reason }) => [text`${strong`LEAK LIVE AGAIN:`} ${plain(reason, 600)}`],
  collected: ({ collected: { by, anchor, namespace, serviceAccount, until } }) => [
    text`A new token of ${code(`${namespace}/${serviceAccount}`)} was collected by ${plain(by)}, until ${moment(until)}. It dies with Secret ${code(anchor)}.`,
  ],
  closed: ({ as, reason }, { before, after }) => {
    // A person's decision was told already, with its reason.
    if (as === 'declined' || as === 'false-alarm') return [];
    return [
      text`Closed as ${as}${reason === before.proof?.outcome?.detail ? '.' : text`: ${plain(reason, 600)}`}`,
      ...hardened(after),
    ];
  },
  trouble: ({ work, message }, { before }) =>
    work === 'report' || before.troubles[work]
      ? []
      : [
          text`${strong`Trouble:`} ${plain(message, 600)} ${WORK[work]} is tried again ${work === 'escalate' ? 'for a day' : 'until it works'}.`,
        ],
  escalated: ({ why, failed }, { policy }) =>
    failed === undefined
      ? [text`Called the escalation webhook: ${CALLED[why]}.`]
      : [
          text`${strong`Nobody outside ${CHAT} could be called in a day`} (${CALLED[why]}): ${plain(failed, 600)} ${mentions(policy, policy.fallback)}: it is up to you.`,
        ],
};

const CALLED: Record<Why, string> = {
  'approval-expired': 'nobody approved in time, and the token still works',
  'token-still-accepted': 'the token is still accepted',
  'nobody-can-approve': 'nobody can approve the plan',
  'review-open': 'the review of a broken glass is still open',
};

function hardened(incident: Incident): Text[] {
  const advice = adviceAfter(incident).flatMap(({ why, kubectl }) => [
    text`• ${plain(why, 400)}`,
    ...kubectl.map((line) => [code(line, 300)]),
  ]);
  return advice.length === 0 ? [] : [[strong`So that it does not happen again`], ...advice];
}

function undoWords(final: number, all: number): string {
  if (final === 0) return all === 1 ? 'which can be undone' : 'all can be undone';
  if (final === all) return all === 1 ? 'which cannot be undone' : 'none can be undone';
  return `${final} of them cannot be undone`;
}

function stepEnded(
  { run: runId, step: stepId, outcome }: Of<'step-ended'>,
  { before, after, at }: Moment,
): Text[] {
  const run = after.runs.find(({ id }) => id === runId);
  const step = run?.steps.find((state) => state.step.id === stepId)?.step;
  if (!run || !step) return [];
  const told = outcomeBefore(before, runId, stepId);
  if (told?.verdict === outcome.verdict && told.detail === outcome.detail) return [];
  const title = `${plain(step.title)}. ${plain(outcome.detail, 600)}`;
  if (outcome.verdict === 'not-done') return [`Failed: ${title}`];
  if (outcome.verdict === 'unknown') return [`Not known whether done: ${title}`];
  if (takesBack(run))
    return [text`Undone: ${title}${after.liveAgain ? text` ${strong`The leaked token works again.`}` : ''}`];
  if (!isContained(before) && isContained(after)) return [contained(run, after, at), title];
  return [`Done: ${title}`];
}

const outcomeBefore = (incident: Incident, run: string, step: string) =>
  incident.runs.find(({ id }) => id === run)?.steps.find((state) => state.step.id === step)?.outcome;

const contained = (run: Run, incident: Incident, at: string): Text =>
  text`${strong`Contained`} ${run.by === 'policy' ? 'by policy' : text`by ${people([run.by])}`}, ${span(Date.parse(at) - Date.parse(incident.openedAt))} after the ${opening(incident)}.`;
