// A plan as a person reads it in a terminal: what leaked, what it can do, who would feel it, and the lines to paste.

import { copyTodo } from '../../domain/plan/copy-text.ts';
import type { Step } from '../../domain/plan/plan.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import { KIND_WORDS, type TokenIdentity, TRUST_WORDS } from '../../domain/token/identity.ts';
import { printable } from '../input.ts';
import type { Answer } from './answer.ts';

const NOTHING_CHANGED =
  'This only reads: nothing was changed on any cluster, no incident was opened, and a token is sent nowhere.';

export function planText(answer: Answer): string {
  const parts =
    'unidentified' in answer
      ? [section('Not identified', [answer.unidentified, ...near(answer.near), ...answer.problems])]
      : planned(answer);
  return `${[NOTHING_CHANGED, ...parts].join('\n\n')}\n`;
}

const near = (names: string[]): string[] => (names.length > 0 ? [`Near: ${names.join(', ')}`] : []);

function planned({
  identity,
  situations,
  plan,
  problems,
}: Exclude<Answer, { unidentified: string }>): string[] {
  const several = situations.length > 1;
  const each = (title: string, lines: (situation: Situation) => string[]): string[] =>
    situations.flatMap((situation) => {
      const found = lines(situation);
      const on = several ? ` on ${situation.cluster}` : '';
      return found.length > 0 ? [section(`${title}${on}`, found)] : [];
    });
  const notes = [...plan.notes, ...problems];
  return [
    section('Token', tokenLines(identity)),
    ...each('Does it still work?', ({ liveness }) => [
      `${ALIVE[liveness.alive]}, by object state: ${liveness.reason}`,
    ]),
    ...each('What a thief can do', ({ radius }) => [radius.tier, ...radius.lines.map((line) => `- ${line}`)]),
    ...each('Who uses it', consumerLines),
    ...each('Copies in other Secrets', copiesIn),
    ...each('Watch out', ({ warnings }) => warnings),
    ...each('Could not be read', ({ unread }) => unread),
    section('Plan', plan.steps.length > 0 ? plan.steps.flatMap(stepLines) : ['There is nothing to do.']),
    ...(notes.length > 0
      ? [
          section(
            'Notes',
            notes.map((note) => `- ${note}`),
          ),
        ]
      : []),
    ...(plan.steps.length > 0 ? [`To paste into a shell, in this order:\n\n${script(plan.steps)}`] : []),
    ...(plan.steps.length > 0 ? ['After that, ask again: this command says whether the token is dead.'] : []),
  ];
}

const section = (title: string, lines: string[]): string =>
  [title, ...lines.map((line) => `  ${printable(line)}`)].join('\n');

const ALIVE: Record<Situation['liveness']['alive'], string> = {
  alive: 'Yes',
  quarantined: 'No, it is quarantined, which can be undone',
  dead: 'No, it is dead',
  unknown: 'Not known',
};

function tokenLines(identity: TokenIdentity): string[] {
  const { kind, namespace, serviceAccount, clusters, boundTo, unchecked = [], authenticity } = identity;
  const { issuer, audiences, keyId, jti, issuedAt, expiresAt } = identity;
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const facts: [string, string | undefined][] = [
    [
      'ServiceAccount',
      `${namespace}/${serviceAccount.name}${serviceAccount.uid ? ` (UID ${serviceAccount.uid})` : ''}`,
    ],
    ['Cluster', clusters.join(', ')],
    [
      'Kind',
      `${KIND_WORDS[kind]}${boundTo ? `, ${kind === 'legacy' ? 'in' : 'bound to'} ${boundTo.kind} ${boundTo.name}` : ''}`,
    ],
    ['How sure', TRUST_WORDS[authenticity]],
    ['Not checked', unchecked.length > 0 ? `${unchecked.join(', ')} may accept it too` : undefined],
    ['Issuer', issuer],
    ['Audiences', audiences.length > 0 ? audiences.join(', ') : undefined],
    ['Key', keyId],
    ['Id (jti)', jti],
    ['Issued', issuedAt === undefined ? undefined : time(issuedAt)],
    ['Expires', expiresAt === undefined ? (kind === 'legacy' ? 'never' : undefined) : time(expiresAt)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [`${`${name}:`.padEnd(16)}${value}`]));
}

function consumerLines({ workloads, pods }: Situation): string[] {
  if (workloads.length === 0) return ['Nothing that was found in its namespace.'];
  const lines = workloads.map(({ kind, name, replicas, ready, managedBy, references }) => {
    const count = replicas === null ? 'Pods not known' : `${ready} of ${replicas} Pods ready`;
    const how = references.secrets.length > 0 ? `, by Secret ${references.secrets.join(', ')}` : '';
    const tools = managedBy.length > 0 ? `, managed by ${managedBy.join(' and ')}` : '';
    return `- ${kind}/${name}: ${count}${how}${tools}`;
  });
  return [...lines, `${pods.length} ${pods.length === 1 ? 'Pod uses' : 'Pods use'} it now.`];
}

function copiesIn({ copies }: Situation): string[] {
  if (copies === undefined) return [];
  const { searched, found, gaps } = copies;
  const where =
    searched.length > 0
      ? `${found.length} in ${searched.join(', ')}; not looked for elsewhere.`
      : 'Not looked for.';
  return [`${where} Name where with --search.`, ...found.map((copy) => `- ${copyTodo(copy)}`), ...gaps];
}

const undo = ({ reversible }: Step): string => (reversible ? 'can be undone' : 'cannot be undone');

const stepLines = (step: Step, index: number): string[] => [
  `${index + 1}. ${step.title} on ${step.cluster} (${step.phase}, ${undo(step)})`,
  `   Breaks: ${step.breaks}`,
  ...(step.soak ? ['   Tourniquet would wait a while before this step, so that it can be stopped.'] : []),
];

/** Comments between the commands, so that all of it can be pasted at once. */
export const script = (steps: readonly Step[]): string =>
  steps
    .flatMap((step, index) => [`# ${index + 1}. ${printable(step.title)}: ${undo(step)}`, ...step.kubectl])
    .map((line) => line.replace(/[^\P{Cc}\n\t]/gu, ''))
    .join('\n');
