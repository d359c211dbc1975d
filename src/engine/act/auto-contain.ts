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

/** Undefined: yes. `off`: nothing to tell anybody. Otherwise a reason for the card. Never calls a cluster. */
export async function mayAutoContain(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<string | undefined> {
  const { clusters, settings } = deps;
  const required = requirements(deps, { ...incident, identity });
  const wanted = required.length > 0 && required.every((one) => one.kind === 'auto' || 'guard' in one);
  if (!wanted || wasTouched(incident) || incident.goal.do !== 'revoke') return 'off';
  if (token === undefined)
    return 'the alert did not carry the token itself, so nothing proves that it leaked';
  if (!identity.clusters.every((cluster) => heldFor(identity, cluster, token)))
    return 'what was reported is not the token itself, character for character, or no known key verifies it, so nothing proves that it leaked: a person must decide';
  if (identity.kind !== 'legacy')
    return 'only tokens that live in a Secret can be quarantined; this one can only be killed for good, which a person must approve';
  if (incident.paused) return `Tourniquet is paused: ${incident.paused.reason}`;
  const guard = required.flatMap((one) => ('guard' in one && one.guard ? [one.guard] : []))[0];
  if (guard !== undefined) return guardWords(guard, incident, identity);
  const name = `system:serviceaccount:${identity.namespace}:${identity.serviceAccount.name}`;
  for (const cluster of identity.clusters)
    if ((await clusters.get(cluster)?.self()) === name)
      return `this is the identity that Tourniquet itself uses on ${cluster}: a person must decide`;
  if (settings.policy.automatic.mode === 'dry-run')
    return `this is a dry run; it would have been quarantined now (rule "${required[0]?.rule}")`;
  return undefined;
}

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

/** What each automatic containment is taken from: over everything, per cluster, per namespace, and how many different victims. */
export function automaticBudgets({ settings }: WorkerDeps, identity: TokenIdentity): Budget[] {
  const { automatic } = settings.policy;
  const { namespace, serviceAccount, clusters } = identity;
  const hourly = (name: string, limit: number): Budget => ({ name, limit, windowMs: HOUR });
  return [
    hourly(OVERALL, settings.autoContainPerHour),
    ...clusters.map((cluster) => hourly(`${OVERALL}/${cluster}`, automatic.perClusterPerHour)),
    ...clusters.map((cluster) => hourly(`${OVERALL}/${cluster}/${namespace}`, automatic.perNamespacePerHour)),
    {
      name: BREAKER,
      limit: automatic.distinctServiceAccounts,
      windowMs: automatic.within,
      member: `${clusters.join('+')}/${namespace}/${serviceAccount.name}`,
    },
  ];
}

const OVERALL = 'auto-contain';
const BREAKER = 'auto-contain-accounts';

export function overBudget({ settings }: WorkerDeps, name: string): string {
  const { automatic } = settings.policy;
  if (name === BREAKER)
    return `more than ${automatic.distinctServiceAccounts} different ServiceAccounts were reported within ${inWords(automatic.within)}, which may mean a poisoned alert feed: nothing more runs by itself, a person must press the button`;
  const [, cluster, namespace] = name.split('/');
  const limit = namespace
    ? automatic.perNamespacePerHour
    : cluster
      ? automatic.perClusterPerHour
      : settings.autoContainPerHour;
  const where = cluster ? ` on ${[cluster, namespace].filter(Boolean).join('/')}` : '';
  return `the budget of ${limit} automatic containments an hour${where} is used up, which may mean a poisoned alert feed: a person must press the button`;
}
