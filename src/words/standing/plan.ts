// The plan as a person must see it before approving: every step, what it breaks, whether it can be undone, how far it is.
import { bindsTo } from '../../domain/decision/binds-to.ts';
import { neededFor, votesAt } from '../../domain/decision/needed.ts';
import type { Vote } from '../../domain/incident/decision.ts';
import type { Incident, Run } from '../../domain/incident/incident.ts';
import { offers } from '../../domain/incident/offers.ts';
import {
  backTitle,
  isSoaking,
  openRun,
  pendingSteps,
  sameStep,
  stepsInEffect,
  takesBack,
} from '../../domain/incident/runs.ts';
import type { Step } from '../../domain/plan/plan.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { isEmpty, joined, people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { plain } from '../pieces/plain.ts';
import { asksText, type Groups } from './asks.ts';
import { progressLine } from './progress.ts';

const IN_FULL = 8;
const MAX_STEPS = 24;

export interface Approving {
  policy: Policy;
  /** Members of the user groups that the policy names, as far as the chat says. */
  groups?: Groups;
}

/** Groups of lines, each of which becomes one section. */
export function planGroups(incident: Incident, approving: Approving): Text[][] {
  const { plan, closed } = incident;
  const run = openRun(incident);
  if (run && takesBack(run)) return [[[strong`Being taken back`]], ...backGroups(run)];
  if (!plan) return runGroups(incident);
  // What nobody will do any more is no plan, but for a dry run, of which it is the answer.
  if (closed && closed.as !== 'dry-run' && stepsInEffect(incident).length === 0) return [];
  if (plan.steps.length === 0 && plan.notes.length === 0) return [];
  const several = new Set(plan.steps.map(({ cluster }) => cluster)).size > 1;
  const steps = plan.steps.map((step, index) => stepText(incident, step, index, several));
  const brief = some(
    steps.slice(IN_FULL).map(([title = '']) => title),
    MAX_STEPS - IN_FULL,
  );
  const [first = [], ...others] = steps.slice(0, IN_FULL);
  const heading =
    plan.steps.length > 0 ? [strong`Plan`] : text`${strong`Plan:`} nothing that can be done from here.`;
  const notes = some(
    (isRunning(incident) || isSoaking(incident) ? [] : plan.notes).map(
      (note) => text`${strong`Note:`} ${plain(note, 900)}`,
    ),
    6,
  );
  return [[heading, ...first], ...others, brief, notes, approvalLines(incident, approving)].filter(
    (group) => group.length > 0,
  );
}

/** What helps to decide is in the way while what was decided is being done. */
const isRunning = (incident: Incident): boolean => openRun(incident)?.kind === 'plan';

/** Without a plan, because everything is looked at again, what is being done still shows. */
function runGroups(incident: Incident): Text[][] {
  const run = openRun(incident);
  if (!run) return [];
  return [
    [[strong`Under way`]],
    ...run.steps.slice(0, IN_FULL).map(({ step }, index) => stepText(incident, step, index, false)),
  ];
}

const backGroups = ({ steps }: Run): Text[][] =>
  steps.slice(0, IN_FULL).map(({ step, startedAt, outcome, progress: far }, index) => {
    const how = outcome?.verdict === 'done' ? ': done' : startedAt && !outcome ? ': under way' : '';
    const title = text`${index + 1}. ${strong`${plain(backTitle(step), 250)}`}${how}`;
    return far && !outcome ? [title, progressLine(far)] : [title];
  });

function stepText(incident: Incident, step: Step, index: number, withCluster: boolean): Text[] {
  const on = withCluster ? ` (${plain(step.cluster, 60)})` : '';
  const title = text`${index + 1}. ${strong`${plain(step.title, 250)}`}${on}${progress(incident, step)}`;
  if (stepsInEffect(incident).some((other) => sameStep(other, step))) return [title];
  const state = lastTry(incident, step);
  const far = state?.progress && !state.outcome ? [progressLine(state.progress)] : [];
  if (isRunning(incident)) return [title, ...far];
  const waits = step.soak ? 'Waits after the proof, unless somebody keeps it. ' : '';
  const undo = text`${waits}${step.reversible ? 'Can be undone.' : strong`Cannot be undone.`}`;
  return [title, ...far, text`${undo} Breaks: ${plain(step.breaks, 400)}`];
}

const lastTry = (incident: Incident, step: Step) =>
  incident.runs
    .filter((run) => !takesBack(run))
    .flatMap(({ steps }) => steps)
    .findLast((each) => sameStep(each.step, step));

function progress(incident: Incident, step: Step): string {
  if (stepsInEffect(incident).some((other) => sameStep(other, step))) return ': done';
  const state = lastTry(incident, step);
  if (!state?.startedAt) return '';
  if (!state.outcome) return ': under way';
  // Done and not in effect: somebody undid it.
  if (state.outcome.verdict === 'done') return '';
  const how = state.outcome.verdict === 'not-done' ? 'failed' : 'not known whether done';
  return `: ${how}, ${plain(state.outcome.detail)}`;
}

function approvalLines(incident: Incident, { policy, groups }: Approving): Text[] {
  if (incident.closed || openRun(incident)) return [];
  const given = votesText(incident);
  if (pendingSteps(incident).length === 0) return isEmpty(given) ? [] : [given];
  const needed = neededFor(incident, 'approve', policy);
  const expiry = incident.planExpiry ?? (needed.kind === 'approve' ? needed.expiry : policy.approvalExpiry);
  const later = incident.unanswered > 0 ? ' Who presses later has it made anew first.' : '';
  const until = incident.planAt ? [text`Until ${moment(Date.parse(incident.planAt) + expiry)}.${later}`] : [];
  const quick = offers(incident).includes('contain')
    ? asksText(incident, 'contain', policy, groups).map(
        (words) => text`${strong`May quarantine at once:`} ${words}.`,
      )
    : [];
  const approve = asksText(incident, 'approve', policy, groups).map(
    (words) => text`${strong`Must be approved by:`} ${words}.`,
  );
  const last = joined([...(isEmpty(given) ? [] : [given]), ...until], ' ');
  return [...quick, ...approve, ...(isEmpty(last) ? [] : [last])];
}

const FOR: [Vote['verb'], string][] = [
  ['contain', 'For the quarantine'],
  ['approve', 'Approved so far by'],
  ['retry', 'For trying again'],
  ['skip', 'For going on without it'],
  ['roll-back', 'For rolling back'],
];

/** Who has said yes to what is on the card. */
function votesText(incident: Incident): Text {
  const lines = FOR.flatMap(([verb, words]) => {
    const given = votesAt(incident, verb, bindsTo(incident, verb)).map(({ by }) => by);
    return given.length > 0 ? [text`${strong`${words}:`} ${people(given)}.`] : [];
  });
  return joined(lines, ' ');
}
