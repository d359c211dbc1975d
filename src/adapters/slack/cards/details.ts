// The Details modal: all that does not fit on the card, with the commands that a person would type instead.
import type { KnownBlock, ModalView } from '@slack/types';
import type { Incident } from '../../../domain/incident/incident.ts';
import { copyTodo, reachOf } from '../../../domain/plan/copy-text.ts';
import type { Plan } from '../../../domain/plan/plan.ts';
import type { WorkloadFact } from '../../../domain/situation/situation.ts';
import { counted, some } from '../../../words/pieces/counted.ts';
import { proofLines, proofTimes } from '../../../words/standing/proof.ts';
import { clean, code, moment, mrkdwn, people, preformatted } from '../mrkdwn/mrkdwn.ts';
import { SECTION_MAX, section } from '../mrkdwn/sections.ts';
import { headline } from './headline.ts';

const MAX_SECTIONS = 80;

export function detailsView(incident: Incident, now: number): ModalView {
  const groups = [
    [`*${clean(headline(incident, now))}*`, `Incident ${code(incident.id)}, log entry ${incident.version}`],
    ...planGroups(incident),
    proofGroup(incident),
    ...incident.situations.flatMap((situation) => situationGroups(situation)),
    ...chunks(timeline(incident), 12),
  ].filter((lines) => lines.length > 0);
  return {
    type: 'modal',
    title: { type: 'plain_text', text: 'Incident details' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: groups.slice(0, MAX_SECTIONS).map((lines, index): KnownBlock => section(`d${index}`, lines)),
  };
}

export const detailsLoading = (): ModalView => ({
  type: 'modal',
  title: { type: 'plain_text', text: 'Incident details' },
  close: { type: 'plain_text', text: 'Close' },
  blocks: [section('loading', ['Reading the log…'])],
});

type Situation = Incident['situations'][number];

function situationGroups(situation: Situation): string[][] {
  const { cluster, servers, radius, workloads, pods, tokenSecrets, warnings, unread, copies } = situation;
  const addresses = servers.map(
    ({ address, minor }) => `${code(address)} (${minor === null ? 'version unknown' : `1.${minor}`})`,
  );
  return [
    [
      `*Cluster ${clean(cluster)}*, seen ${moment(Date.parse(situation.observedAt))}`,
      `API servers: ${some(addresses, 10, '').join(', ') || 'none known'}`,
    ],
    [`*What a thief can do: ${radius.tier}*`, ...radius.lines.map((line) => `• ${clean(line)}`)],
    titled('Bindings', radius.bindings),
    titled('Workloads', workloads.map(workloadLine)),
    titled(
      'Pods',
      pods.map(
        ({ name, owner, deletionTimestamp }) =>
          `${name} of ${owner}${deletionTimestamp ? ', terminating' : ''}`,
      ),
    ),
    titled('Token Secrets', tokenSecrets.map(secretLine)),
    copiesGroup(copies),
    titled('Watch out', warnings),
    titled('Could not be read', unread),
  ].filter((lines) => lines.length > 0);
}

function copiesGroup(copies: Situation['copies']): string[] {
  if (copies === undefined) return [];
  const lines = [...copies.found.map(copyTodo), ...copies.gaps.map((gap) => `Not looked at: ${gap}`)];
  return [
    `*Copies in other Secrets:* ${clean(reachOf(copies), 400)}`,
    ...lines.map((line) => `• ${clean(line, 500)}`),
  ];
}

const titled = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`*${title}* (${items.length})`, ...items.map((item) => `• ${clean(item)}`)];

function secretLine({
  name,
  createdAt,
  lastUsed,
  invalidSince,
  managers,
}: Situation['tokenSecrets'][number]): string {
  const facts = [
    createdAt && `created ${createdAt}`,
    lastUsed && `last used ${lastUsed}`,
    invalidSince && `invalid since ${invalidSince}`,
    managers.length > 0 && `written by ${managers.join(', ')}`,
  ].filter(Boolean);
  return `${name}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

function workloadLine({ kind, name, replicas, ready, managedBy, ...rest }: WorkloadFact): string {
  const words = [
    replicas === null ? undefined : `${ready} of ${replicas} ready`,
    rest.paused && 'paused',
    rest.suspended && 'suspended',
    rest.strategy === 'OnDelete' && 'replaces Pods only when they are deleted',
    rest.ownedBy && `owned by ${rest.ownedBy}`,
    managedBy.length > 0 && `managed by ${managedBy.join(', ')}`,
  ].filter((word) => typeof word === 'string');
  return `${kind}/${name}${words.length > 0 ? `: ${words.join(', ')}` : ''}`;
}

function planGroups({ id, plan }: Incident): string[][] {
  if (!plan) return [];
  const steps = plan.steps
    .slice(0, 30)
    .map((step, index) => [
      `*${index + 1}. ${clean(step.title)}* (${step.reversible ? 'can' : 'cannot'} be undone)`,
      `Breaks: ${clean(step.breaks, 400)}`,
      'By hand:',
      ...step.kubectl.map((command) => code(command, 700)),
    ]);
  return [
    ...steps,
    ...patchGroups(id, plan),
    ...chunks(
      plan.notes.map((note) => `Note: ${clean(note, 900)}`),
      3,
    ),
  ];
}

const MAX_PATCHES = 12;

/** Each to be copied as it stands; what does not fit is in the report. */
function patchGroups(id: string, { steps }: Pick<Plan, 'steps'>): string[][] {
  const patches = steps.flatMap(({ forGit = [] }) => forGit);
  const shown = patches
    .slice(0, MAX_PATCHES)
    .flatMap((patch) => preformatted(patch, SECTION_MAX - 200) ?? []);
  const missing = patches.length - shown.length;
  const more = `${counted(missing, 'patch', 'patches')} for Git did not fit here. See ${code(`tourniquet audit report ${id}`)}.`;
  return [...shown.map((patch) => ['*For Git:*', patch]), ...(missing > 0 ? [[more]] : [])];
}

function proofGroup(incident: Incident): string[] {
  if (!incident.proof) return [];
  const times = proofTimes(incident);
  return ['*Proof*', ...[...(times ? [times] : []), ...proofLines(incident.proof.rounds, 20)].map(mrkdwn)];
}

/** Rebuilt from the state, so that Details need no second read of the log. */
function timeline(incident: Incident): string[] {
  const entries: [string, string][] = [
    ...incident.alerts.map(({ alert, at, repeats = 0 }): [string, string] => [
      at,
      `${alert.reporter ? `reported by ${people([alert.reporter])}` : `alert from ${code(alert.source, 60)}`}${repeats > 0 ? `; ${counted(repeats, 'repeat')} before it` : ''}`,
    ]),
    ...incident.updates.map(({ update, at }): [string, string] => [at, clean(update.note)]),
    ...incident.decisions.map(({ decision, at }): [string, string] => [
      at,
      `${people([decision.by])}: ${decision.verb}${decision.reason ? `, ${clean(decision.reason)}` : ''}`,
    ]),
    ...incident.runs.flatMap(({ steps }) => steps.flatMap(stepEntries)),
    ...incident.rechecks.map(({ at, outcome }): [string, string] => [
      at,
      `looked again: ${clean(outcome.detail)}`,
    ]),
    ...(incident.closed ? [[incident.closed.at, `closed as ${incident.closed.as}`] as [string, string]] : []),
  ];
  const sorted = entries.toSorted(([a], [b]) => a.localeCompare(b));
  const left = sorted.length > 120 ? [`… ${counted(sorted.length - 120, 'earlier entry')} left out`] : [];
  return entries.length === 0
    ? []
    : [
        '*Timeline*',
        ...left,
        ...sorted.slice(-120).map(([at, what]) => `${moment(Date.parse(at))}: ${what}`),
      ];
}

type StepState = Incident['runs'][number]['steps'][number];

function stepEntries({ step, startedAt, endedAt, outcome }: StepState): [string, string][] {
  const title = clean(step.title);
  return [
    ...(startedAt ? [[startedAt, `started: ${title}`] as [string, string]] : []),
    ...(endedAt && outcome
      ? [[endedAt, `${outcome.verdict}: ${title}. ${clean(outcome.detail)}`] as [string, string]]
      : []),
  ];
}

function chunks(lines: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, i) =>
    lines.slice(i * size, (i + 1) * size),
  );
}
