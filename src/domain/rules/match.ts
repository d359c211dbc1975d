// Does a rule fit an incident? What is not known yet is neither yes nor no, so that ignorance never makes anything laxer.
import type { LeakAlert } from '../incident/alert.ts';
import type { Incident } from '../incident/incident.ts';
import type { BlastRadius } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { PolicyMatch } from './schema.ts';

/** What rules look at. Undefined: not known (yet). */
export interface Facts {
  cluster: string;
  namespace: string;
  serviceAccount: string;
  tokenKind: TokenIdentity['kind'];
  source: string;
  severity: NonNullable<LeakAlert['severity']>;
  labels: Record<string, string> | undefined;
  tier: BlastRadius['tier'] | undefined;
}

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info', 'unknown'] as const;
const TIERS = ['severe', 'high', 'moderate', 'low'] as const;

/** Undefined before anybody knows whose token it is. */
export function factsOf(incident: Incident, cluster: string): Facts | undefined {
  const { identity, alerts, situations } = incident;
  if (identity === undefined) return undefined;
  const said = alerts.map(({ alert }) => alert);
  const here = situations.find((situation) => situation.cluster === cluster);
  return {
    cluster,
    namespace: identity.namespace,
    serviceAccount: identity.serviceAccount.name,
    tokenKind: identity.kind,
    source: (said.find(({ subject }) => subject.kind === 'token') ?? said[0])?.source ?? 'unknown',
    severity: SEVERITIES.find((level) => said.some(({ severity }) => severity === level)) ?? 'unknown',
    labels: here && (here.serviceAccount?.manifest.metadata.labels ?? {}),
    tier: here && worst(here.radius.tier),
  };
}

const worst = (tier: BlastRadius['tier']): BlastRadius['tier'] =>
  TIERS.find((known) => known === tier) ?? 'unknown';

export type Fit = 'yes' | 'no' | 'maybe';

export function matches(match: PolicyMatch, facts: Facts): Fit {
  const answers: Fit[] = [
    globs(match.cluster, facts.cluster),
    globs(match.namespace, facts.namespace),
    globs(match.serviceAccount, facts.serviceAccount),
    globs(match.source, facts.source),
    oneOf(match.tokenKind, facts.tokenKind),
    oneOf(match.severity, facts.severity),
    oneOf(match.tier, facts.tier),
    labelled(match.labels, facts.labels),
  ];
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

const answer = (fits: boolean): Fit => (fits ? 'yes' : 'no');

const oneOf = <T>(wanted: readonly T[] | undefined, is: T | undefined): Fit => {
  if (wanted === undefined) return 'yes';
  return is === undefined ? 'maybe' : answer(wanted.includes(is));
};

const globs = (wanted: readonly string[] | undefined, is: string): Fit =>
  answer(wanted === undefined || wanted.some((glob) => globFits(glob, is)));

export function globFits(glob: string, text: string): boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(text);
}

function labelled(wanted: PolicyMatch['labels'], are: Facts['labels']): Fit {
  if (wanted === undefined) return 'yes';
  if (are === undefined) return 'maybe';
  return answer(Object.entries(wanted).every(([key, value]) => are[key] === value));
}
