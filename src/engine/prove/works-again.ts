// The words of the worst news: a token that was stopped works again, and who may have brought it back.
import type { Incident } from '../../domain/incident/incident.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import type { LookDeps } from '../ground/deps.ts';

export async function worksAgain(
  deps: LookDeps,
  incident: Incident,
  cluster: string,
  detail: string,
): Promise<string> {
  return `the token works again on ${cluster}: ${detail}.${await whoRestored(deps, incident, cluster)}`;
}

/** Names the field managers of the Secret, newest first: who re-created it or took the label off. */
async function whoRestored(deps: LookDeps, { identity }: Incident, clusterName: string): Promise<string> {
  const cluster = deps.clusters.get(clusterName);
  if (cluster === undefined || identity?.boundTo?.kind !== 'Secret') return '';
  const { namespace, boundTo } = identity;
  const ref = { resource: resources.secrets, namespace, name: boundTo.name };
  const found = await cluster.get(ref, { metadataOnly: true }).catch(() => null);
  if (found === null) return '';
  const { creationTimestamp, managedFields = [] } = found.metadata;
  const newestFirst = managedFields.toSorted((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
  const managers = [...new Set(newestFirst.flatMap(({ manager }) => manager ?? []))];
  return ` Secret ${namespace}/${boundTo.name} (created ${creationTimestamp ?? 'at an unknown time'}) was last written by: ${managers.join(', ') || 'unknown'}.`;
}
