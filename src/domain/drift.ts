// Warns of whoever would bring a deleted Secret back: a token Secret re-created under its name revives a leaked RSA-signed token.
import type { ObjectFacts } from './judge-liveness.ts';
import { restorers } from './managed-by.ts';
import type { TokenIdentity } from './token-identity.ts';

export function driftWarnings(
  { boundTo, kind }: TokenIdentity,
  { tokenSecrets = [], serviceAccount }: ObjectFacts,
): string[] {
  const affected = tokenSecrets.filter(({ name }) => kind === 'every-token' || name === boundTo?.name);
  const secrets = affected.flatMap(({ name, managers }) => {
    return restorers(managers).map(
      (tool) =>
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
