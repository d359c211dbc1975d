// Turns what is known into an exact plan: actions propose, this orders, explains and hashes. Pure.

import { QUARANTINE_SINCE_MINOR } from '../kubernetes/legacy-token-labels.ts';
import { pathOf } from '../situation/consumers.ts';
import type { Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import { acceptedOffline, offlineAudiences } from '../token/offline.ts';
import { copiesAtStake } from './copies-at-stake.ts';
import { copyNotes } from './copy-text.ts';
import { ownerNotes } from './drift.ts';
import {
  type Approach,
  approachOf,
  type Goal,
  hasConsent,
  killsEveryToken,
  STRATEGY_TEXTS,
  strategiesFor,
} from './goal.ts';
import { type Phase, type Plan, rolls, type Step } from './plan.ts';
import { makePlan } from './plan-hash.ts';
import { powerNotes } from './power-notes.ts';
import { preflight } from './preflight.ts';
import { DEFAULT_PACE, type Pace } from './waves.ts';

/** The part of an action that planning needs. */
export interface Proposer {
  name: string;
  phase: Phase | ((params: Record<string, unknown>) => Phase);
  reversible: boolean;
  propose(proposal: {
    identity: TokenIdentity;
    situation: Situation;
    approach: Approach;
    consent: boolean;
    today: string;
    pace: Pace;
  }): Record<string, unknown>[];
  describe(
    params: Record<string, unknown>,
    cluster: string,
  ): Pick<Step, 'title' | 'breaks' | 'kubectl' | 'back' | 'forGit' | 'gives'>;
}

export { QUARANTINE_SINCE_MINOR } from '../kubernetes/legacy-token-labels.ts';

export function planFor(
  goal: Goal,
  identity: TokenIdentity,
  situations: readonly Situation[],
  proposers: readonly Proposer[],
  now: number,
  pace = DEFAULT_PACE,
): Plan {
  const approach = approachOf(goal, identity, situations);
  const today = dayOf(now);
  const steps = situations.flatMap((situation) =>
    proposers.flatMap((action) =>
      action
        .propose({ identity, situation, approach, consent: hasConsent(goal), today, pace })
        .map((params) => makeStep(action, params, situation.cluster)),
    ),
  );
  const numbered = steps.map((step, index) => ({ ...step, id: `${step.action}-${index + 1}` }));
  return makePlan(
    numbered,
    [
      ...approachNotes(goal, approach, identity, situations),
      ...(numbered.some(({ forGit }) => forGit) ? [FOR_GIT] : []),
      ...situations.flatMap((s) => [
        ...powerNotes(approach, identity, s, today),
        ...notes(identity, s, now),
        ...ownerNotes(approach, identity, s, canQuarantine(s)),
        ...copyNotes(approach, identity, s),
        ...rollOutNotes(s, numbered),
        ...tokenlessNotes(approach, identity, s),
      ]),
    ],
    context(approach, identity, situations),
  );
}

const FOR_GIT =
  'Some workloads are kept in Git. The same changes as patches to commit, so that nobody takes them back, are under Details and in: tourniquet audit report.';

/** What was asked for, where it is not what is planned, and what the chosen way means. */
function approachNotes(
  goal: Goal,
  approach: Approach,
  identity: TokenIdentity,
  situations: readonly Situation[],
): string[] {
  if (goal.do !== 'rotate') return [];
  const fits = strategiesFor(identity, situations);
  if (approach === 'revoke' || approach === 'restart')
    return ['No way of rotating fits: the ServiceAccount does not exist (any more).'];
  const { title, kills: dies, interrupts, undo, takes } = STRATEGY_TEXTS[approach];
  const unfit =
    goal.strategy !== undefined && goal.strategy !== approach
      ? [`${goal.strategy} does not fit here, so ${approach} is planned.`]
      : [];
  const others = fits.filter((fit) => fit !== approach);
  const other = others.length > 0 ? ` Other ways: ${others.join(', ')}.` : '';
  return [
    ...unfit,
    `${title} (${approach}). What dies: ${dies} What is interrupted: ${interrupts} ${undo} ${takes}${other}`,
  ];
}

/** What a person must know before Pods are replaced, of the workloads whose Pods are. */
function rollOutNotes({ cluster, workloads }: Situation, steps: readonly Step[]): string[] {
  const rolled = new Set(
    steps
      .filter((step) => step.cluster === cluster && rolls(step))
      .flatMap(({ params }) => (Array.isArray(params.workloads) ? params.workloads : []))
      .map(({ uid }: { uid: string }) => uid),
  );
  return preflight({ workloads: workloads.filter(({ uid }) => rolled.has(uid)) });
}

/** Where only tokens are at stake, Pods without one are left alone; who looks for them in the plan is told. */
function tokenlessNotes(approach: Approach, identity: TokenIdentity, { workloads }: Situation): string[] {
  if (approach === 'new-service-account' || !(approach === 'restart' || killsEveryToken(approach, identity)))
    return [];
  const left = workloads.filter(({ references }) => references.tokenless && references.secrets.length === 0);
  if (left.length === 0) return [];
  const paths = left.map(pathOf).join(', ');
  return [`No token is put into the Pods of ${paths}, so they are left alone.`];
}

/** For names and labels; UTC. */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

export function makeStep(action: Proposer, params: Record<string, unknown>, cluster: string): Step {
  const { name, reversible } = action;
  const phase = typeof action.phase === 'function' ? action.phase(params) : action.phase;
  return {
    id: name,
    action: name,
    phase,
    reversible,
    cluster,
    params,
    ...(params.soak === true ? { soak: true } : {}),
    ...action.describe(params, cluster),
  };
}

/** What a click binds to besides the steps: who the ServiceAccount is, and which workloads would feel it. */
const context = (approach: Approach, identity: TokenIdentity, situations: readonly Situation[]): string[] =>
  situations.flatMap(({ cluster, serviceAccount, workloads, copies }) => [
    `${cluster}/${serviceAccount?.uid ?? 'absent'}`,
    ...copiesAtStake(approach, identity, { ...(copies ? { copies } : {}) }).map(({ namespace, uid, key }) =>
      [cluster, 'copy', namespace, uid, key].join('/'),
    ),
    // Who they are and what refers, never counts: Pods come and go. A bare Pod is one of those.
    ...workloads
      .filter(({ kind }) => kind !== 'Pod')
      .map(({ kind, name, uid, references: { serviceAccount, secrets } }) =>
        [cluster, kind, name, uid, serviceAccount, ...secrets].join('/'),
      ),
  ]);

export const canQuarantine = ({ servers }: Situation): boolean =>
  servers.length > 0 && servers.every(({ minor }) => minor !== null && minor >= QUARANTINE_SINCE_MINOR);

function notes(identity: TokenIdentity, situation: Situation, now: number): string[] {
  const { cluster, liveness, self } = situation;
  const found: (string | false)[] = [
    liveness.alive !== 'dead' &&
      identity.kind === 'legacy' &&
      !canQuarantine(situation) &&
      noQuarantine(situation),
    liveness.alive !== 'dead' &&
      ['unbound', 'node-bound'].includes(identity.kind) &&
      'This token is bound to nothing that can be deleted alone: only a new ServiceAccount UID kills it, and with it every other token of this ServiceAccount. It cannot be quarantined.',
    liveness.alive !== 'dead' &&
      identity.kind === 'other-bound' &&
      `This token is bound to ${identity.boundTo?.kind} ${identity.boundTo?.name}, a kind that Tourniquet does not know: a new ServiceAccount UID kills it, and with it every other token of this ServiceAccount. Whether deleting that object is enough, only the API servers can say. It cannot be quarantined.`,
    self &&
      `This is the identity that Tourniquet itself uses on ${cluster}. It is never touched unattended; after the plan Tourniquet needs a new token there.`,
    acceptedOffline({ identity }, now) &&
      `Whoever verifies tokens offline (${offlineAudiences(identity).join(', ')}) accepts it until ${offlineEnd(identity)}. Remove the trust there: no API server can.`,
  ];
  return found.filter((note) => note !== false);
}

const offlineEnd = ({ expiresAt }: TokenIdentity): string =>
  expiresAt === undefined ? 'its trust is removed' : new Date(expiresAt * 1000).toISOString();

function noQuarantine({ cluster, servers }: Situation): string {
  const old = servers.filter(({ minor }) => minor === null || minor < QUARANTINE_SINCE_MINOR);
  const list = old.map(
    ({ address, minor }) => `${address} (${minor === null ? 'version unknown' : `1.${minor}`})`,
  );
  return `Quarantine is not offered on ${cluster}: API servers before 1.29 ignore the label, and not every server is known to be newer: ${list.join(', ') || 'none could be asked'}. Deleting is.`;
}
