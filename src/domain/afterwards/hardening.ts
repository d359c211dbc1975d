// What keeps the next token of this ServiceAccount from leaking, or from mattering: advice with the lines that follow it. Pure.
import type { Incident } from '../incident/incident.ts';
import { stepsInEffect } from '../incident/runs.ts';
import { restorers } from '../kubernetes/managed-by.ts';
import { isDryRun } from '../plan/goal.ts';
import type { Step } from '../plan/plan.ts';
import { pathOf } from '../situation/consumers.ts';
import type { Situation, TokenSecretFact } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';

export interface Advice {
  why: string;
  /** What a person would type; empty where it is done elsewhere. */
  kubectl: string[];
}

/** For an incident that ended well; nothing after a restart or a dry run, where no token was at stake. */
export function adviceAfter(incident: Incident): Advice[] {
  const { identity, goal, situations, closed } = incident;
  if (identity === undefined || closed?.as !== 'resolved' || goal.do === 'restart' || isDryRun(goal))
    return [];
  const steps = stepsInEffect(incident);
  return situations.flatMap((situation) => {
    const here = steps.filter(({ cluster }) => cluster === situation.cluster);
    const { name, tokenSecrets } = since(identity.serviceAccount.name, situation.tokenSecrets, here);
    const serviceAccount = { ...identity.serviceAccount, name };
    return hardening({ ...identity, serviceAccount }, { ...situation, tokenSecrets });
  });
}

interface Named {
  name?: string;
  secret?: string;
  secrets?: (string | { name: string })[];
}

/** The situation was seen before the steps: what of it they removed, and what they made. */
function since(name: string, secrets: readonly TokenSecretFact[], steps: readonly Step[]) {
  const params = (action: string): Named[] =>
    steps.filter((step) => step.action === action).map((step) => step.params as Named);
  const listed = ({ secrets: all = [] }: Named) =>
    all.map((one) => (typeof one === 'string' ? one : one.name));
  const recreated = params('recreate-service-account').length > 0;
  const gone = new Set([
    ...params('delete-token-secret').flatMap(({ secret = '' }) => secret),
    ...params('delete-service-account').flatMap(listed),
    ...(recreated ? secrets.map((secret) => secret.name) : []),
  ]);
  const made = [
    ...params('replace-token-secret').map((one) => one.name ?? ''),
    ...[...params('replace-service-account'), ...params('recreate-token-secrets')].flatMap(listed),
  ];
  const left = secrets.filter((secret) => !gone.has(secret.name));
  return {
    name: params('replace-service-account').at(-1)?.name ?? name,
    tokenSecrets: [...left, ...made.map((one) => ({ name: one, deleting: false, managers: [] }))],
  };
}

type TokenSecret = Pick<TokenSecretFact, 'name' | 'deleting' | 'managers' | 'owners' | 'otherType'>;

interface Seen extends Pick<Situation, 'cluster' | 'serviceAccount' | 'workloads' | 'pods' | 'radius'> {
  tokenSecrets: TokenSecret[];
}

/** Most useful first. Nothing here is done by itself: each changes how workloads start from then on. */
export function hardening(
  identity: Pick<TokenIdentity, 'namespace' | 'serviceAccount'>,
  seen: Seen,
): Advice[] {
  const { namespace, serviceAccount } = identity;
  const kubectl = `kubectl --context ${seen.cluster} -n ${namespace}`;
  const at = { kubectl, namespace, name: serviceAccount.name };
  const advice = [sources(seen), longLived(seen, at), automount(seen, at), sharedDefault(at), power(seen)];
  return advice.filter((one) => one !== undefined);
}

interface HardenedAt {
  kubectl: string;
  namespace: string;
  name: string;
}

const names = (secrets: readonly TokenSecret[]): string => secrets.map(({ name }) => name).join(', ');

/** Whatever writes a token Secret from elsewhere writes it again. */
function sources({ tokenSecrets }: Seen): Advice | undefined {
  const tools = [
    ...new Set(
      tokenSecrets.flatMap(({ managers, owners = [] }) => [
        ...restorers(managers),
        ...owners.map(({ tool }) => tool),
      ]),
    ),
  ];
  if (tools.length === 0) return undefined;
  return {
    why: `${tools.join(' and ')} writes ${names(tokenSecrets)}: take the token out at its source too, and keep there where to find a secret instead of the secret itself.`,
    kubectl: [],
  };
}

/** Tokens in Secrets never end, and are copied to where nobody looks. */
function longLived({ tokenSecrets }: Seen, { kubectl, namespace, name }: HardenedAt): Advice | undefined {
  const alive = tokenSecrets.filter(({ deleting, otherType }) => !deleting && !otherType);
  return {
    why:
      alive.length > 0
        ? `A token in a Secret never ends, and ${names(alive)} ${alive.length > 1 ? 'are' : 'is'} still there. Pods need none: theirs is made for them and renewed. Whoever is outside gets one that ends:`
        : 'No token in a Secret is left. Keep it so: whoever is outside gets a token that ends, and the namespace refuses new ones that do not (docs/policies):',
    kubectl: [
      `${kubectl} create token ${name} --duration=1h`,
      ...(alive.length > 0
        ? []
        : [
            `${kubectl.replace(` -n ${namespace}`, '')} label namespace ${namespace} long-lived-tokens=denied`,
          ]),
    ],
  };
}

function automount(
  { serviceAccount, workloads, pods }: Seen,
  { kubectl, name }: HardenedAt,
): Advice | undefined {
  if (serviceAccount === null || serviceAccount.manifest.automountServiceAccountToken === false)
    return undefined;
  const off = `${kubectl} patch serviceaccount ${name} -p '{"automountServiceAccountToken":false}'`;
  const running = workloads.filter(({ references }) => references.serviceAccount);
  if (running.length === 0 && pods.length === 0)
    return { why: `No Pod runs as ${name}, so no Pod needs its token put into it:`, kubectl: [off] };
  const holding = running.filter(({ references }) => !references.tokenless);
  if (running.length > 0 && holding.length === 0)
    return {
      why: `No Pod that runs as ${name} wants its token, so none needs it put into it:`,
      kubectl: [off],
    };
  const paths = holding.map(pathOf);
  const some = `${paths.slice(0, 4).join(', ')}${paths.length > 4 ? ` and ${paths.length - 4} more` : ''}`;
  return {
    why: `Each Pod of ${some} gets its token, whether it talks to the API server or not. Where one does not, set automountServiceAccountToken: false in its Pod template; where none does, once for all new Pods:`,
    kubectl: [off],
  };
}

function sharedDefault({ name, namespace }: HardenedAt): Advice | undefined {
  if (name !== 'default') return undefined;
  return {
    why: `Every Pod in ${namespace} that names no ServiceAccount runs as default, and so shares its power and its leaks: give each workload its own.`,
    kubectl: [],
  };
}

function power({ radius }: Seen): Advice | undefined {
  if (radius.tier !== 'severe' && radius.tier !== 'high') return undefined;
  return {
    why: `Its power is ${radius.tier}. Take away what it does not need: ${radius.bindings.slice(0, 3).join('; ')}.`,
    kubectl: [],
  };
}
