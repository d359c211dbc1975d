// What takes the place of a ServiceAccount: its new name, the token Secrets that are in use, and a binding for each of the old. Pure.
import { tokenSecretsToCarry } from '../situation/carried.ts';
import type { BindingFact, ServiceAccountManifest, Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import { successorName } from './successor.ts';

export interface Copy {
  from: BindingFact;
  /** Name of the new binding, of the same kind and in the same namespace. */
  to: string;
}

export interface Succession {
  /** Of the new ServiceAccount. */
  name: string;
  /** Token Secrets that workloads use or its list names, and the name under which the new ServiceAccount gets one. */
  secrets: { from: string; to: string }[];
  bindings: Copy[];
}

type Who = Pick<TokenIdentity, 'namespace' | 'serviceAccount'>;

/** The same for every action of a plan, so that one makes what the other points to. Undefined: there is nothing to replace. */
export function successionOf(who: Who, situation: Situation, today: string): Succession | undefined {
  const { serviceAccount, tokenSecrets, bindings, access } = situation;
  if (serviceAccount === null) return undefined;
  const old = who.serviceAccount.name;
  const name = successorName(
    old,
    today,
    access?.namesakes.map((one) => one.name),
  );
  const names = tokenSecrets.map((secret) => secret.name);
  return {
    name,
    secrets: tokenSecretsToCarry(tokenSecrets).map((secret) => ({
      from: secret.name,
      to: successorName(secret.name, today, names),
    })),
    bindings: bindings
      .filter(({ as }) => as !== 'Group')
      .map((from) => ({ from, to: copyName(from, who.namespace, old, name) })),
  };
}

const LONGEST = 253;

/** Of the new ServiceAccount as well, because several may share a binding and be replaced on the same day. */
function copyName(from: BindingFact, namespace: string, old: string, name: string): string {
  const tail = (account: string) =>
    from.namespace === namespace ? `-${account}` : `-${namespace}-${account}`;
  const base = from.name.endsWith(tail(old)) ? from.name.slice(0, -tail(old).length) : from.name;
  return `${base.slice(0, Math.max(1, LONGEST - tail(name).length))}${tail(name)}`.slice(0, LONGEST);
}

/** By these, tools find what they own: they would take it back, or remove it because it is not in Git. */
const OWNERSHIP = [
  /^app\.kubernetes\.io\/(managed-by|instance)$/,
  /^(meta\.)?helm\.sh\//,
  /^argocd\.argoproj\.io\//,
  /^(kustomize|helm)\.toolkit\.fluxcd\.io\//,
  /^kubectl\.kubernetes\.io\/last-applied-configuration$/,
];

const without = (map: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(map).filter(([key]) => !OWNERSHIP.some((owned) => owned.test(key))));

/** What the new one carries over: everything but its name and who owns it. */
export function manifestFor(old: ServiceAccountManifest, name: string): ServiceAccountManifest {
  const { metadata, ...rest } = old;
  const [labels, annotations] = [without(metadata.labels), without(metadata.annotations)];
  return {
    ...rest,
    metadata: {
      name,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  };
}
