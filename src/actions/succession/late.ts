// Who holds a token of a ServiceAccount from before it was made anew, and was not there yet when the plan was made.
import type { PodObject } from '../../domain/kubernetes/objects.ts';
import { holdsToken, referencesOf, type Stake } from '../../domain/kubernetes/pod-references.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { consumersOf, pathOf } from '../../domain/situation/consumers.ts';
import type { WorkloadFact } from '../../domain/situation/situation.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { listedIn } from '../deletion/listed.ts';

interface ServiceAccount extends KubernetesObject {
  automountServiceAccountToken?: boolean;
}

export interface Tokens {
  serviceAccount: string;
  /** Secrets that held tokens of it. */
  secrets: string[];
}

/** Workloads with such Pods, besides those that are known; what the Pod was made with stays with it until it is replaced. */
export async function lateUsers(
  cluster: ClusterView,
  namespace: string,
  { serviceAccount, secrets }: Tokens,
  known: readonly { uid: string }[],
): Promise<WorkloadFact[]> {
  const ref = { resource: resources.serviceAccounts, namespace, name: serviceAccount };
  const account = await cluster.get<ServiceAccount>(ref);
  if (account === null) return [];
  const stake = { serviceAccount, secrets, automount: account.automountServiceAccountToken };
  const listed = await listedIn(cluster, namespace);
  const made = Date.parse(account.metadata.creationTimestamp ?? '');
  const pods = listed.pods.filter((pod) => !isAfter(pod, made) && holdsTokenOf(pod, stake));
  const found = consumersOf({ ...listed, pods }, stake);
  const owners = new Set(found.pods.map(({ owner }) => owner));
  return found.workloads.filter(
    (workload) => owners.has(pathOf(workload)) && !known.some(({ uid }) => uid === workload.uid),
  );
}

/** Times have whole seconds: of the same one counts as before. */
const isAfter = ({ metadata }: PodObject, made: number): boolean =>
  Date.parse(metadata.creationTimestamp ?? '') > made;

function holdsTokenOf({ spec }: PodObject, stake: Stake): boolean {
  const references = referencesOf(spec, stake);
  return references !== undefined && holdsToken(references, stake.secrets);
}
