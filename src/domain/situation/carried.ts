// What a ServiceAccount leaves to the one that takes its place, under its own name or another: all that was not made for the old one alone. Pure.
import { withoutCopies } from '../kubernetes/annotations.ts';
import type { ServiceAccountManifest, TokenSecretFact } from './situation.ts';

interface AccountObject {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
  secrets?: { name?: string }[];
}

/** OpenShift names here the pull Secret that it has made for this very object, and makes another for the next. */
const PULL_SECRET = 'openshift.io/internal-registry-pull-secret-ref';

export function manifestOf(found: AccountObject): ServiceAccountManifest {
  const { name, labels, annotations } = found.metadata;
  const { [PULL_SECRET]: generated, ...kept } = withoutCopies(annotations);
  const { automountServiceAccountToken, imagePullSecrets, secrets } = found;
  const left = (list: readonly { name?: string }[] = []) =>
    [...new Set(list.flatMap((entry) => entry.name ?? []))]
      .filter((one) => one !== generated && !isGenerated(one, name))
      .map((one) => ({ name: one }));
  const [pull, listed] = [left(imagePullSecrets), left(secrets)];
  return {
    metadata: {
      name,
      ...(labels ? { labels } : {}),
      ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
    },
    ...(automountServiceAccountToken === undefined ? {} : { automountServiceAccountToken }),
    ...(pull.length > 0 ? { imagePullSecrets: pull } : {}),
    ...(listed.length > 0 ? { secrets: listed } : {}),
  };
}

/** Of OpenShift before it wrote the annotation. */
const isGenerated = (secret: string, account: string): boolean =>
  secret.startsWith(`${account}-dockercfg-`) &&
  /^[a-z0-9]{5}$/.test(secret.slice(`${account}-dockercfg-`.length));

/** Token Secrets that the next one has too: somebody uses them, or looks for them in the list of the ServiceAccount. */
export const tokenSecretsToCarry = (secrets: readonly TokenSecretFact[]): TokenSecretFact[] =>
  secrets.filter(({ used, listed, deleting, otherType }) => (used || listed) && !deleting && !otherType);

/** With a list that names what there will be. `to`: the new name of a token Secret that is carried. */
export function withList(
  { secrets, ...manifest }: ServiceAccountManifest,
  tokenSecrets: readonly TokenSecretFact[],
  to: (name: string) => string,
): ServiceAccountManifest {
  const carried = new Set(tokenSecretsToCarry(tokenSecrets).map(({ name }) => name));
  const dies = new Set(tokenSecrets.filter(({ otherType }) => !otherType).map(({ name }) => name));
  const list = (secrets ?? []).flatMap((entry) => {
    if (carried.has(entry.name)) return [{ ...entry, name: to(entry.name) }];
    return dies.has(entry.name) ? [] : [entry];
  });
  return list.length > 0 ? { ...manifest, secrets: list } : manifest;
}

/** For the plan; empty where there is no list. */
export const listWords = ({ secrets }: Record<string, unknown>): string =>
  Array.isArray(secrets) && secrets.length > 0
    ? ` Its list of Secrets: ${secrets.map(({ name }) => name).join(', ')}.`
    : '';
