// Who applies an object again and again from somewhere else, and so takes back what is changed by hand.
import type { Meta } from './kube-objects.ts';

/** Field managers of tools that re-apply what they own; matched as prefixes. */
const RESTORERS: readonly [RegExp, string][] = [
  [/^argocd/i, 'Argo CD'],
  [/^(kustomize|helm)-controller|^flux/i, 'Flux'],
  [/^helm$/i, 'Helm'],
  [/^external-secrets/i, 'External Secrets'],
  [/^controller$|^sealed-?secrets/i, 'Sealed Secrets'],
  [/^velero/i, 'Velero'],
];

/** Labels and annotations by which tools find what they own. */
const MARKS: readonly [key: RegExp, tool: string][] = [
  [/^argocd\.argoproj\.io\/(instance|tracking-id)$/, 'Argo CD'],
  [/^(kustomize|helm)\.toolkit\.fluxcd\.io\//, 'Flux'],
  [/^meta\.helm\.sh\/release-name$/, 'Helm'],
];

export const restorers = (managers: readonly string[]): string[] =>
  RESTORERS.filter(([pattern]) => managers.some((manager) => pattern.test(manager))).map(([, tool]) => tool);

/** Sorted. Secret operators are no owners of workloads, so their managers do not count here. */
export function managedBy({ labels = {}, annotations = {}, managedFields = [] }: Meta): string[] {
  const keys = [...Object.keys(labels), ...Object.keys(annotations)];
  const marked = MARKS.filter(([pattern]) => keys.some((key) => pattern.test(key))).map(([, tool]) => tool);
  const byManager = restorers(managedFields.flatMap(({ manager }) => manager ?? []));
  const helm = labels['app.kubernetes.io/managed-by'] === 'Helm' ? ['Helm'] : [];
  const owners = byManager.filter((tool) => ['Argo CD', 'Flux', 'Helm'].includes(tool));
  return [...new Set([...marked, ...owners, ...helm])].sort();
}
