// Rights: has the worker what its actions declare, in each namespace where it acts, and no more than that?
import { actions } from '../../actions/index.ts';
import type { ConnectedCluster } from '../../adapters/kubernetes/cluster.ts';
import type { ClusterInspection } from '../../adapters/kubernetes/inspection.ts';
import { broken, type Diagnosis, fine, notChecked, warning } from '../../config/diagnosis.ts';
import type { ClusterConfig } from '../../config/file-schema.ts';
import { type Grant, grantsOf, holds, missingRbac, rulesOf } from '../../domain/kubernetes/missing-rules.ts';
import { workerRules } from '../../domain/kubernetes/rbac.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { isAppError } from '../../errors.ts';
import { failed, type Given } from './check.ts';

const needed = workerRules(actions);
const everywhere = grantsOf(needed.cluster);
const here = grantsOf(needed.namespace);
const READ_SECRETS: Grant = { group: '', resource: 'secrets', verb: 'list' };
const ALL: Grant = { group: '*', resource: '*', verb: '*' };
const MOST_NAMESPACES = 500;
const AT_ONCE = 8;

export async function checkRights(
  { name, searchNamespaces }: ClusterConfig,
  given: Given,
  inspection: ClusterInspection,
  cluster: ConnectedCluster,
): Promise<Diagnosis[]> {
  try {
    const subject = await cluster.self();
    const [reading, power] = await Promise.all([
      checkReading(inspection, subject),
      checkPower(inspection, subject),
    ]);
    const searching = await checkSearch(inspection, subject, searchNamespaces);
    const acting = power.all
      ? [fine('acting', 'everything, everywhere')]
      : await checkActing(inspection, subject, cluster, namedFor(name, given.actIn));
    return [...reading, ...acting, ...searching, ...power.found];
  } catch (error) {
    return [failed('rights', error, 'Ask by hand: kubectl auth can-i --list')];
  }
}

/** `payments` is meant for every cluster, `prod/payments` for that one. */
const namedFor = (cluster: string, actIn: readonly string[]): string[] =>
  actIn.flatMap((place) => {
    const [namespace = '', only = cluster] = place.split('/').reverse();
    return only === cluster ? [namespace] : [];
  });

const apply = (yaml: string): string => `As an administrator, kubectl apply -f - with:\n${yaml}`;

const listed = (grants: readonly Grant[]): string =>
  rulesOf(grants)
    .map(({ resources: names, verbs }) => `${verbs.join(', ')} on ${names.join(', ')}`)
    .join('; ');

async function checkReading(inspection: ClusterInspection, subject: string): Promise<Diagnosis[]> {
  const missing = await without(everywhere, (grant) => inspection.may(grant));
  if (missing.length === 0)
    return [fine('reading', `${subject} may read all that plans need, in the whole cluster`)];
  return [
    broken(
      'reading',
      `${subject} lacks, in the whole cluster: ${listed(missing)}.`,
      apply(missingRbac(rulesOf(missing), subject)),
    ),
  ];
}

async function checkPower(
  inspection: ClusterInspection,
  subject: string,
): Promise<{ all: boolean; found: Diagnosis[] }> {
  if (await inspection.may(ALL))
    return {
      all: true,
      found: [
        warning(
          'power',
          `${subject} may do everything in this cluster (cluster-admin). Whoever takes over the worker has the cluster.`,
          'Bind it to what the actions declare instead, and take the old binding away: kubectl apply -f docs/worker-rbac.yaml',
        ),
      ],
    };
  if (!(await inspection.may(READ_SECRETS))) return { all: false, found: [] };
  return {
    all: false,
    found: [
      warning(
        'power',
        `${subject} may read every Secret of the cluster.`,
        'Bind tourniquet-worker-namespace by a RoleBinding in each namespace where it is to act (chart: rbac.actIn), and not by a ClusterRoleBinding (chart: rbac.actEverywhere).',
      ),
    ],
  };
}

async function checkSearch(
  inspection: ClusterInspection,
  subject: string,
  namespaces: readonly string[],
): Promise<Diagnosis[]> {
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      if (await inspection.may(READ_SECRETS, namespace)) return [];
      const remedy = apply(missingRbac(rulesOf([READ_SECRETS]), subject, namespace));
      const seen = `searchNamespaces names ${namespace}, but ${subject} may not list Secrets there, so neither a token by its hash nor a copy of one is found.`;
      return [broken('searching', seen, remedy)];
    }),
  );
  return found.flat();
}

/** Where somebody said that it acts, or else wherever it holds a part of what acting needs. */
async function checkActing(
  inspection: ClusterInspection,
  subject: string,
  cluster: ConnectedCluster,
  actIn: readonly string[],
): Promise<Diagnosis[]> {
  const namespaces = actIn.length > 0 ? actIn : await namespacesOf(cluster);
  if (namespaces === undefined)
    return [
      notChecked('acting', 'Its namespaces cannot be listed. Name them: tourniquet doctor --act-in payments'),
    ];
  const lacking = new Map<string, Grant[]>();
  for (let i = 0; i < namespaces.length; i += AT_ONCE)
    await Promise.all(
      namespaces.slice(i, i + AT_ONCE).map(async (namespace) => {
        lacking.set(namespace, await missingIn(inspection, namespace));
      }),
    );
  const partly = [...lacking].filter(
    ([, missing]) => missing.length > 0 && (actIn.length > 0 || missing.length < here.length),
  );
  const fully = [...lacking].filter(([, missing]) => missing.length === 0).map(([namespace]) => namespace);
  return [...tellMissing(partly, subject), ...tellFull(fully, partly.length)];
}

async function namespacesOf(cluster: ConnectedCluster): Promise<string[] | undefined> {
  try {
    const all = await cluster.list({ resource: resources.namespaces, metadataOnly: true });
    return all.slice(0, MOST_NAMESPACES).map(({ metadata }) => metadata.name);
  } catch (error) {
    if (!isAppError(error, 'forbidden')) throw error;
    return undefined;
  }
}

async function missingIn(inspection: ClusterInspection, namespace: string): Promise<Grant[]> {
  const { rules, incomplete } = await inspection.rules(namespace);
  const missing = here.filter((grant) => !holds(rules, grant));
  // Some authorizers cannot list what they allow; then each right is asked for by itself.
  return incomplete ? await without(missing, (grant) => inspection.may(grant, namespace)) : missing;
}

async function without(grants: readonly Grant[], may: (grant: Grant) => Promise<boolean>): Promise<Grant[]> {
  const answers = await Promise.all(grants.map(may));
  return grants.filter((_, i) => !answers[i]);
}

/** Once for all namespaces that lack the same. */
function tellMissing(partly: [string, Grant[]][], subject: string): Diagnosis[] {
  const alike = Map.groupBy(partly, ([, missing]) => listed(missing));
  return [...alike].map(([what, same]) => {
    const [[first = '', missing = []] = []] = same;
    const others = same.slice(1).map(([namespace]) => namespace);
    const yaml = missingRbac(rulesOf(missing), subject, first);
    return broken(
      'acting',
      `In ${same.map(([namespace]) => namespace).join(', ')} ${subject} lacks: ${what}.`,
      `${apply(yaml)}${others.length > 0 ? `\nThe same in: ${others.join(', ')}` : ''}`,
    );
  });
}

function tellFull(namespaces: readonly string[], others: number): Diagnosis[] {
  if (namespaces.length > 0) return [fine('acting', `may act in ${namespaces.join(', ')}`)];
  if (others > 0) return [];
  return [
    warning(
      'acting',
      'The worker may act in no namespace: it can only read and make plans.',
      'Opt a namespace in (chart: rbac.actIn), or: kubectl -n payments create rolebinding tourniquet-worker --clusterrole=tourniquet-worker-namespace --serviceaccount=tourniquet:worker',
    ),
  ];
}
