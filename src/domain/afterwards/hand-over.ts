// Who used what leaked from outside the cluster gets a new token of what took its place: by a command of theirs, never through Slack. Pure.
import type { Incident } from '../incident/incident.ts';
import { stepsInEffect } from '../incident/runs.ts';
import { quoted } from '../kubernetes/shell.ts';
import type { Heir } from '../plan/plan.ts';

export interface HandOver extends Heir {
  cluster: string;
}

/** What is there now to take tokens of, one for each ServiceAccount. */
export function handOvers(incident: Incident): HandOver[] {
  const found = new Map<string, HandOver>();
  for (const { cluster, gives } of stepsInEffect(incident)) {
    if (gives === undefined) continue;
    const { namespace, serviceAccount, secrets } = gives;
    const key = `${cluster}/${namespace}/${serviceAccount}`;
    const before = found.get(key)?.secrets ?? [];
    const all = [...new Set([...before, ...secrets])].sort();
    found.set(key, { cluster, namespace, serviceAccount, secrets: all });
  }
  return [...found.values()];
}

/** The empty Secret that a token for this user is bound to. */
export const anchorName = ({ serviceAccount }: Pick<Heir, 'serviceAccount'>, user: string): string =>
  `${serviceAccount}-${user}`;

/** A token that ends by itself and can be killed alone. By the incident, it is also written into its log. */
export const collectCommand = (what: Pick<Incident, 'id'> | Omit<HandOver, 'secrets'>): string => {
  const named =
    'id' in what ? what.id : `--service-account ${what.cluster}/${what.namespace}/${what.serviceAccount}`;
  return `tourniquet collect ${named} --for USER --out token`;
};

/** The long-lived token, into a file that only its owner can read. */
export const readCommand = (
  { cluster, namespace }: Pick<HandOver, 'cluster' | 'namespace'>,
  secret: string,
): string =>
  `(umask 077; kubectl --context ${cluster} -n ${namespace} get secret ${secret} -o go-template=${quoted('{{.data.token | base64decode}}')} > ${secret}.token)`;
