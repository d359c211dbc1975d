// May this leak be quarantined before anybody was asked? Reasons why not, as values.
import type { Incident } from '../domain/incident.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import type { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';

/** Undefined: yes. `off`: nothing to tell anybody. Otherwise a reason for the card. Never calls a cluster. */
export async function mayAutoContain(
  { settings, clusters }: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<string | undefined> {
  if (settings.autoContain === 'off' || incident.goal.do !== 'revoke') return 'off';
  if (token === undefined)
    return 'the alert did not carry the token itself, so nothing proves that it leaked';
  if (identity.kind !== 'legacy')
    return 'only tokens that live in a Secret can be quarantined; this one can only be killed for good, which a person must approve';
  if (settings.protectedNamespaces.includes(identity.namespace))
    return `the namespace ${identity.namespace} is protected: a person must decide`;
  if (wasTouched(incident)) return 'off';
  const name = `system:serviceaccount:${identity.namespace}:${identity.serviceAccount.name}`;
  for (const cluster of identity.clusters)
    if ((await clusters.get(cluster)?.self()) === name)
      return `this is the identity that Tourniquet itself uses on ${cluster}: a person must decide`;
  return undefined;
}

/** Once anything was contained, undone or decided, people are in charge. */
const wasTouched = ({ runs, decisions }: Incident): boolean =>
  runs.length > 0 || decisions.some(({ decision }) => decision.verb !== 'identify');
