// One incident as a report that people read: what happened when, who decided under which rule, how fast, and what is still open.

import { adviceAfter } from '../../domain/afterwards/hardening.ts';
import type { Decision } from '../../domain/incident/decision.ts';
import type { EventBody, IncidentEvent } from '../../domain/incident/events.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { openRun, pendingSteps, stepsInEffect } from '../../domain/incident/runs.ts';
import { scrub } from '../../domain/token/leak-material.ts';

export interface ReportInput {
  incident: Incident;
  events: readonly IncidentEvent[];
  /** Keyed hash that ends the log. */
  head: string;
}

/** Markdown. Whatever came from outside is one line, without a token and without a table's bars. */
export function renderReport({ incident, events, head }: ReportInput): string {
  const parts: [string, string[]][] = [
    [`# Incident ${incident.id}`, summary(incident)],
    ['## Timeline', table(['When (UTC)', 'What'], events.flatMap(timelineRow))],
    ['## Decisions', decisions(incident)],
    ['## What was done', steps(incident)],
    ...forGit(incident),
    ['## Evidence', evidence(incident)],
    ['## Still open', followUps(incident)],
    ['## So that it does not happen again', advice(incident)],
    [
      '## The log',
      [
        `${events.length} entries. Head: \`${head}\`. Check it with: \`tourniquet audit verify ${incident.id} --head ${head.slice(0, 16)}\``,
      ],
    ],
  ];
  return `${parts.map(([title, lines]) => [title, '', ...lines].join('\n')).join('\n\n')}\n`;
}

const clean = (text: string, max = 600): string =>
  scrub(text).replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim().slice(0, max);
const utc = (iso: string): string => iso.replace('T', ' ').replace(/\.\d+Z$/, '');
const nothing = (lines: string[]): string[] => (lines.length > 0 ? lines : ['Nothing.']);

function table(heads: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return rows.length === 0 ? ['Nothing.'] : [line(heads), line(heads.map(() => '---')), ...rows.map(line)];
}

function seconds(from: string, to: string | undefined): string {
  return to === undefined ? 'not yet' : `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`;
}

export function summary(incident: Incident): string[] {
  const { identity, openedAt, closed, alerts, proof, reviews } = incident;
  const kill = incident.runs
    .flatMap(({ kind, steps: done }) => (kind === 'contain' || kind === 'plan' ? done : []))
    .find(({ outcome }) => outcome?.verdict === 'done')?.endedAt;
  const proven = proof?.outcome?.verdict === 'done' ? proof.provedAt : undefined;
  const token = identity
    ? `${identity.kind} token of ServiceAccount \`${identity.namespace}/${identity.serviceAccount.name}\` on ${identity.clusters.join(', ')}`
    : 'not identified';
  const first = alerts[0]?.alert;
  return [
    `- Token: ${token}`,
    `- Reported: ${utc(openedAt)} by ${first?.reporter ?? clean(first?.source ?? 'unknown', 60)}${first?.where ? `, found in ${clean(first.where.text)}` : ''}`,
    `- Status: ${incident.status}${closed ? `, closed ${utc(closed.at)}: ${clean(closed.reason)}` : ''}`,
    `- Time to kill: ${seconds(openedAt, kill)}`,
    `- Time to proof: ${seconds(openedAt, proven)}`,
    `- Break-glass: ${reviews.length === 0 ? 'no' : reviews.map(({ by }) => by).join(', ')}`,
  ];
}

const told: { [T in EventBody['type']]?: (event: Extract<IncidentEvent, { type: T }>) => string } = {
  'alert-received': ({ alert, repeats }) =>
    `Alert from ${alert.reporter ?? alert.source}${repeats ? `, the same having been said ${repeats} times since the one before` : ''}`,
  identified: ({ identity }) => `Identified, by ${identity.authenticity}`,
  unidentified: ({ reason }) => `Not identified: ${reason}`,
  'auto-contained': ({ rule, policy }) =>
    `Contained by the policy${policy ? ` ${policy}` : ''}, rule "${rule}"`,
  'auto-contain-skipped': ({ reason }) => `Not contained automatically: ${reason}`,
  'plan-proposed': ({ plan, policy }) =>
    `Plan of ${plan.steps.length} steps, hash ${plan.hash}${policy ? `, under policy ${policy}` : ''}`,
  'plan-expired': ({ why }) =>
    why === 'policy-changed'
      ? 'The policy changed, so the plan is made anew'
      : why === 'asked'
        ? 'Somebody pressed a button of a plan that had waited too long, so it is made anew'
        : 'Nobody approved in time',
  reminded: ({ count }) => `Reminder ${count}`,
  decided: ({ decision }) => `${decision.by}: ${verb(decision)}`,
  'card-asked': ({ by }) => `${by} opened its card`,
  'decision-refused': ({ verb, by, reason }) =>
    `Refused by the worker: ${verb} by ${by || 'nobody'}; ${reason}`,
  'also-asked-for': ({ by, incident }) =>
    `${by.join(', ')} asked for incident ${incident} about the same ServiceAccount`,
  paused: ({ pause }) => `Paused by ${pause.by || 'a damaged switch'}: ${pause.reason}`,
  resumed: ({ by }) => `Resumed by ${by || 'somebody'}`,
  'step-started': ({ step, attempt }) => `Step ${step} begins${attempt > 1 ? `, attempt ${attempt}` : ''}`,
  'step-ended': ({ step, outcome }) => `Step ${step}: ${outcome.verdict}. ${outcome.detail}`,
  'run-stopped': ({ reason }) => `Stopped: ${reason}`,
  proved: ({ outcome }) => `Proof: ${outcome.verdict}. ${outcome.detail}`,
  rechecked: ({ outcome }) => `Looked again: ${outcome.verdict}. ${outcome.detail}`,
  reopened: ({ reason }) => `Live again: ${reason}`,
  closed: ({ as, reason }) => `Closed as ${as}: ${reason}`,
  'token-forgotten': ({ reason }) => `The sealed token was destroyed: ${reason}`,
  escalated: ({ why, failed }) =>
    failed === undefined
      ? `Called the webhook: ${why}`
      : `The webhook could not be called (${why}): ${failed}`,
  collected: ({ collected: { by, cluster, namespace, serviceAccount, anchor, until } }) =>
    `${by} collected a token of ${cluster}/${namespace}/${serviceAccount}, bound to Secret ${anchor}, until ${until}`,
  trouble: ({ work, message }) => `Trouble with ${work}: ${message}`,
};

function timelineRow(event: IncidentEvent): string[][] {
  const tell = told[event.type] as ((event: IncidentEvent) => string) | undefined;
  return tell ? [[utc(event.at), clean(tell(event))]] : [];
}

const verb = ({ verb: word, awaiting, together }: Decision): string =>
  `${word}${together ? ', together with others' : ''}${awaiting === undefined ? '' : `, ${awaiting} more needed`}`;

function decisions({ decisions: made }: Incident): string[] {
  const rows = made.map(({ decision, at }) => [
    utc(at),
    decision.by,
    verb(decision),
    decision.hash ?? '',
    [decision.policy, ...(decision.rules ?? []).map((rule) => `"${rule}"`)].filter(Boolean).join(' '),
    clean(decision.reason ?? ''),
  ]);
  return table(['When (UTC)', 'Who', 'What', 'On which plan', 'Policy and rules', 'Why'], rows);
}

export function steps({ runs }: Incident): string[] {
  return nothing(
    runs.flatMap(({ id, by, votes, breakGlass, steps: done }) => [
      `Run \`${id}\`, ${breakGlass ? `break-glass by ${breakGlass.id}` : `on the word of ${votes.map((vote) => vote.by).join(', ') || by}`}:`,
      '',
      ...done.flatMap(({ step, outcome }) => [
        `- ${clean(step.title)}: ${outcome ? `${outcome.verdict}. ${clean(outcome.detail)}` : 'not done yet'}`,
        ...step.kubectl.map((line) => `  - by hand: \`${clean(line)}\``),
      ]),
      '',
    ]),
  );
}

/** Of the plan as it is and of what was run, each once. */
function forGit({ plan, runs }: Incident): [string, string[]][] {
  const all = [...(plan?.steps ?? []), ...runs.flatMap((run) => run.steps.map(({ step }) => step))];
  const patches = [...new Set(all.flatMap((step) => step.forGit ?? []))];
  const blocks = patches.flatMap((patch) => ['```yaml', scrub(patch).trimEnd(), '```', '']);
  return patches.length > 0 ? [['## For Git', blocks]] : [];
}

function evidence({ proof }: Incident): string[] {
  const rows = (proof?.rounds ?? []).flatMap(({ cluster, level, at, answers }) =>
    answers.map(({ server, answer, seen, control }) => [
      utc(at),
      cluster,
      level,
      server,
      `${answer} (${clean(seen, 60)})`,
      control,
    ]),
  );
  const verdict = proof?.outcome ? [`${proof.outcome.verdict}: ${clean(proof.outcome.detail)}`, ''] : [];
  return [...verdict, ...table(['When (UTC)', 'Cluster', 'Level', 'Server', 'Answer', 'Control'], rows)];
}

export function followUps(incident: Incident): string[] {
  const { reviews, plan, situations, closed } = incident;
  const waiting = closed || openRun(incident) ? [] : pendingSteps(incident);
  const reversible = stepsInEffect(incident).filter((step) => step.reversible);
  return nothing([
    ...reviews
      .filter((review) => !review.closed)
      .map(({ by }) => `- The break-glass of ${by} was not reviewed yet.`),
    ...waiting.map(({ title }) => `- Waits for approval: ${clean(title)}`),
    ...reversible.map(({ title }) => `- Done, not undone by Tourniquet since, and can be: ${clean(title)}`),
    ...(plan?.notes ?? []).map((note) => `- ${clean(note)}`),
    ...situations.flatMap(({ cluster, warnings }) =>
      warnings.map((warning) => `- ${cluster}: ${clean(warning)}`),
    ),
  ]);
}

function advice(incident: Incident): string[] {
  return nothing(
    adviceAfter(incident).flatMap(({ why, kubectl }) => [
      `- ${clean(why)}`,
      ...kubectl.map((line) => `  - by hand: \`${clean(line)}\``),
    ]),
  );
}
