// What people want done about a ServiceAccount, and the ways of doing it: which fit, which is best, and what each costs. Pure.
import type { Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';

export const STRATEGIES = ['recreate', 'new-secret', 'new-service-account', 'replace-pod', 'unbind'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export type Goal =
  /** Kill the token; what every leak asks for. */
  | { do: 'revoke' }
  /** Give the workloads something new, then retire the old. Without a strategy the best one is chosen. */
  | { do: 'rotate'; strategy?: Strategy; dryRun?: true; consent?: true }
  /** Replace the Pods that use it, and nothing else. */
  | { do: 'restart'; dryRun?: true; consent?: true };

/** How a plan goes about its goal. */
export type Approach = 'revoke' | 'restart' | Strategy;

export interface StrategyText {
  title: string;
  kills: string;
  interrupts: string;
  undo: string;
  takes: string;
}

export const STRATEGY_TEXTS: Record<Strategy, StrategyText> = {
  recreate: {
    title: 'Re-create the ServiceAccount in place',
    kills: 'Every token of it, at once.',
    interrupts: 'Its Pods get 401 until each was replaced.',
    undo: 'Cannot be undone.',
    takes: 'Seconds for the kill, then the roll-out.',
  },
  'new-secret': {
    title: 'A new token Secret under a new name',
    kills: 'The one long-lived token, after the last workload uses the new one.',
    interrupts: 'Nothing; the leak stays live until then.',
    undo: 'Can be undone until the old Secret is deleted, a while later.',
    takes: 'A roll-out, then a waiting time.',
  },
  'new-service-account': {
    title: 'A new ServiceAccount with the same rights',
    kills: 'Every token of the old one, after the last workload uses the new one.',
    interrupts: 'Nothing; the leak stays live until then.',
    undo: 'Can be undone until the old ServiceAccount is deleted.',
    takes: 'A roll-out.',
  },
  'replace-pod': {
    title: 'Replace the one Pod',
    kills: "That Pod's token, up to a minute after the Pod is gone.",
    interrupts: 'That Pod, until its successor is Ready.',
    undo: 'Cannot be undone.',
    takes: 'About a minute.',
  },
  unbind: {
    title: 'Take its power away, and leave its tokens',
    kills: 'Nothing: its tokens are still accepted, but may do only what everybody may.',
    interrupts: 'Whatever its Pods ask of the API server gets 403; they need no restart once it is undone.',
    undo: 'Can be undone.',
    takes: 'Seconds.',
  },
};

type Sight = Pick<Situation, 'tokenSecrets' | 'radius' | 'serviceAccount' | 'liveness' | 'bindings'>;

/** The strategies that do something about this token, best first. */
export function strategiesFor(
  identity: Pick<TokenIdentity, 'kind'>,
  situations: readonly Sight[],
): Strategy[] {
  const fits = STRATEGIES.filter((strategy) => isFit(strategy, identity, situations));
  const best = bestOf(identity, situations);
  return [...fits.filter((strategy) => strategy === best), ...fits.filter((strategy) => strategy !== best)];
}

function isFit(
  strategy: Strategy,
  { kind }: Pick<TokenIdentity, 'kind'>,
  situations: readonly Sight[],
): boolean {
  if (strategy === 'replace-pod') return kind === 'pod-bound';
  if (situations.every(({ serviceAccount }) => serviceAccount === null)) return false;
  // Never chosen for a person: it breaks the workloads as a kill does, and the leak stays live.
  if (strategy === 'unbind') return situations.some(({ bindings }) => bindings.some(({ sole }) => sole));
  if (strategy !== 'new-secret') return true;
  const live = situations.some(({ tokenSecrets }) => tokenSecrets.some((secret) => !secret.deleting));
  return live && (kind === 'legacy' || kind === 'every-token');
}

/**
 * A severe reach: kill first. One Pod's token: that Pod. A long-lived token, calmly: a new Secret. Whatever is planned: a
 * new ServiceAccount, so that nothing is interrupted.
 */
function bestOf({ kind }: Pick<TokenIdentity, 'kind'>, situations: readonly Sight[]): Strategy {
  if (kind === 'pod-bound') return 'replace-pod';
  if (kind === 'every-token') return 'new-service-account';
  if (situations.some(({ radius }) => radius.tier === 'severe')) return 'recreate';
  return kind === 'legacy' ? 'new-secret' : 'new-service-account';
}

/** A strategy that does not fit is answered by the best one; the plan says so. */
export function approachOf(
  goal: Goal,
  identity: Pick<TokenIdentity, 'kind'>,
  situations: readonly Sight[],
): Approach {
  if (goal.do !== 'rotate') return goal.do;
  const fits = strategiesFor(identity, situations);
  if (goal.strategy !== undefined && fits.includes(goal.strategy)) return goal.strategy;
  return fits[0] ?? 'revoke';
}

/** A new UID of the ServiceAccount, or none at all: nothing that names the old one is accepted. */
export const killsEveryToken = (approach: Approach, { kind }: Pick<TokenIdentity, 'kind'>): boolean =>
  approach === 'recreate' ||
  approach === 'new-service-account' ||
  (approach === 'revoke' && ['unbound', 'node-bound', 'other-bound', 'every-token'].includes(kind));

/** A person agreed that Pods without an owner, of Jobs and of paused workloads are replaced too. */
export const hasConsent = (goal: Goal): boolean => 'consent' in goal && goal.consent === true;

export const isDryRun = (goal: Goal): boolean => 'dryRun' in goal && goal.dryRun === true;
