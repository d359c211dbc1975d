// Warns of whoever would bring a deleted Secret back: a token Secret re-created under its name revives a leaked RSA-signed token.
import type { ObjectFacts } from './judge-liveness.ts';
import type { TokenIdentity } from './token-identity.ts';

/** Field managers of tools that re-apply what they own; matched as prefixes. */
const RESTORERS: [RegExp, string][] = [
  [/^argocd/i, 'Argo CD'],
  [/^(kustomize|helm)-controller|^flux/i, 'Flux'],
  [/^helm$/i, 'Helm'],
  [/^external-secrets/i, 'External Secrets'],
  [/^controller$|^sealed-?secrets/i, 'Sealed Secrets'],
  [/^velero/i, 'Velero'],
];

export function driftWarnings(
  { boundTo, kind }: TokenIdentity,
  { tokenSecrets = [], serviceAccount }: ObjectFacts,
): string[] {
  const affected = tokenSecrets.filter(({ name }) => kind === 'every-token' || name === boundTo?.name);
  const secrets = affected.flatMap(({ name, managers }) => {
    const tools = RESTORERS.filter(([pattern]) => managers.some((manager) => pattern.test(manager)));
    return tools.map(
      ([, tool]) =>
        `${tool} manages Secret ${name} and would re-create it under its name, which can bring the leaked token back to life: remove it there too.`,
    );
  });
  const finalizers = serviceAccount?.finalizers ?? [];
  if (finalizers.length > 0)
    secrets.push(
      `The ServiceAccount has finalizers (${finalizers.join(', ')}): deleting it would not complete until they are removed, so re-creating it is not offered.`,
    );
  return secrets;
}
