// May this leak be quarantined before anybody was asked? Reasons why not, as values.
import { inWords } from '../../domain/duration.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { factsOf } from '../../domain/rules/match.ts';
import { DEFAULT_RULE, type Guard, type Requirement, requirementFor } from '../../domain/rules/policy.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { Budget } from '../../ports/incident-log.ts';
import type { Secret } from '../../secret.ts';
import type { WorkerDeps } from '../ground/deps.ts';
import { heldFor } from '../look/held-token.ts';

export const QUARANTINE = 'quarantine-token';

/** not-wanted: there is nothing to tell anybody; refused: why not, for the card. */
export type Automatic = 'yes' | 'not-wanted' | { refused: string };

/** The last question goes to each cluster: whether the token is the one that this worker uses there itself. */
export async function mayAutoContain(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<Automatic> {
  const required = requirements(deps, { ...incident, identity });
  const wanted = required.length > 0 && required.every((one) => one.kind === 'auto' || 'guard' in one);
  if (!wanted || wasTouched(incident) || incident.goal.do !== 'revoke') return 'not-wanted';
  const refused =
    notProven(identity, token) ??
    (incident.paused && `Tourniquet is paused: ${incident.paused.reason}`) ??
    guarded(required, incident, identity) ??
    (await itself(deps, identity)) ??
    dryRun(deps, required);
  return refused === undefined ? 'yes' : { refused };
}

function notProven(identity: TokenIdentity, token: Secret | undefined): string | undefined {
  if (token === undefined)
    return 'the alert did not carry the token itself, so nothing proves that it leaked';
  if (!identity.clusters.every((cluster) => heldFor(identity, cluster, token)))
    return 'what was reported is not the token itself, character for character, or no known key verifies it, so nothing proves that it leaked: a person must decide';
  if (identity.kind !== 'legacy')
    return 'only tokens that live in a Secret can be quarantined; this one can only be killed for good, which a person must approve';
  return undefined;
}

function guarded(
  required: readonly Requirement[],
  incident: Incident,
  identity: TokenIdentity,
): string | undefined {
  const guard = required.flatMap((one) => ('guard' in one && one.guard ? [one.guard] : []))[0];
  return guard && guardWords(guard, incident, identity);
}

async function itself({ clusters }: WorkerDeps, identity: TokenIdentity): Promise<string | undefined> {
  const name = `system:serviceaccount:${identity.namespace}:${identity.serviceAccount.name}`;
  for (const cluster of identity.clusters)
    if ((await clusters.get(cluster)?.self()) === name)
      return `this is the identity that Tourniquet itself uses on ${cluster}: a person must decide`;
  return undefined;
}

const dryRun = ({ settings }: WorkerDeps, [first]: readonly Requirement[]): string | undefined =>
  settings.policy.automatic.mode === 'dry-run'
    ? `this is a dry run; it would have been quarantined now (rule "${first?.rule}")`
    : undefined;

/** Name of the rule that let it happen, for the log. */
export const autoRule = (deps: WorkerDeps, incident: Incident): string =>
  requirements(deps, incident)[0]?.rule ?? DEFAULT_RULE;

function requirements({ settings, actions }: WorkerDeps, incident: Incident): Requirement[] {
  const quarantine = actions.find(({ name }) => name === QUARANTINE);
  if (quarantine === undefined) return [];
  const deed = { action: quarantine.name, phase: 'contain' as const, reversible: quarantine.reversible };
  return (incident.identity?.clusters ?? []).flatMap((cluster) => {
    const facts = factsOf(incident, cluster);
    return facts ? [requirementFor(settings.policy, deed, facts)] : [];
  });
}

function guardWords(guard: Guard, { alerts }: Incident, { namespace }: TokenIdentity): string {
  if (guard === 'protected-namespace') return `the namespace ${namespace} is protected: people must decide`;
  const source = alerts[0]?.alert.source ?? 'unknown';
  return `the source ${source} is of low trust and no rule of the policy names it: a person must decide`;
}

/** Once anything was contained, undone or decided, people are in charge. */
const wasTouched = ({ runs, decisions }: Incident): boolean =>
  runs.length > 0 || decisions.some(({ decision }) => decision.verb !== 'identify');

const HOUR = 3_600_000;

interface Allowance extends Budget {
  /** What to say where it is used up. */
  usedUp: string;
}

/** What each automatic containment is taken from: over everything, per cluster, per namespace, and how many different victims. */
function allowances({ settings }: WorkerDeps, identity: TokenIdentity): Allowance[] {
  const { automatic } = settings.policy;
  const { namespace, serviceAccount, clusters } = identity;
  const hourly = (limit: number, ...of: string[]): Allowance => ({
    name: ['auto-contain', ...of].join('/'),
    limit,
    windowMs: HOUR,
    usedUp: `the budget of ${limit} automatic containments an hour${of.length > 0 ? ` on ${of.join('/')}` : ''} is used up, which may mean a poisoned alert feed: a person must press the button`,
  });
  return [
    hourly(settings.autoContainPerHour),
    ...clusters.map((cluster) => hourly(automatic.perClusterPerHour, cluster)),
    ...clusters.map((cluster) => hourly(automatic.perNamespacePerHour, cluster, namespace)),
    {
      name: 'auto-contain-accounts',
      limit: automatic.distinctServiceAccounts,
      windowMs: automatic.within,
      member: `${clusters.join('+')}/${namespace}/${serviceAccount.name}`,
      usedUp: `more than ${automatic.distinctServiceAccounts} different ServiceAccounts were reported within ${inWords(automatic.within)}, which may mean a poisoned alert feed: nothing more runs by itself, a person must press the button`,
    },
  ];
}

export const automaticBudgets = (deps: WorkerDeps, identity: TokenIdentity): Budget[] =>
  allowances(deps, identity).map(({ usedUp: _, ...budget }) => budget);

/** Why nothing more runs by itself, where the budget of this name is used up. */
export const overBudget = (deps: WorkerDeps, identity: TokenIdentity, name: string): string =>
  allowances(deps, identity).find((one) => one.name === name)?.usedUp ??
  'a budget of automatic containments is used up: a person must press the button';
