// Answers what the bot wants to know about clusters, which it may not look at itself.
import { nearest } from '../../domain/kubernetes/near.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { strategiesFor } from '../../domain/plan/goal.ts';
import { isAppError } from '../../errors.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Answer, Question } from '../../ports/desk.ts';
import { identityAt, nearServiceAccounts } from '../look/by-coordinates.ts';
import { observe } from '../look/observe.ts';

type Clusters = ReadonlyMap<string, Cluster>;

export async function answer(clusters: Clusters, question: Question): Promise<Answer> {
  const asked = question.cluster === undefined ? [...clusters.values()] : [clusters.get(question.cluster)];
  const known = asked.filter((cluster) => cluster !== undefined);
  if (known.length === 0)
    return {
      found: [],
      near: nearest(question.cluster ?? '', [...clusters.keys()]),
      problems: [`There is no cluster named ${question.cluster}.`],
    };
  const answers = await Promise.all(known.map((cluster) => ask(cluster, question)));
  return {
    found: answers.flatMap(({ found }) => found),
    near: answers.flatMap(({ near }) => near),
    problems: answers.flatMap(({ problems }) => problems),
  };
}

async function ask(cluster: Cluster, question: Question): Promise<Answer> {
  try {
    return await look(cluster, question);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { found: [], near: [], problems: [error.message] };
  }
}

async function look(cluster: Cluster, question: Question): Promise<Answer> {
  if (question.ask === 'list-namespaces') return listed(cluster, { resource: resources.namespaces });
  const { namespace } = question;
  if (question.ask === 'list-service-accounts')
    return listed(cluster, { resource: resources.serviceAccounts, namespace });
  const { name } = question;
  const found = await cluster.get(
    { resource: resources.serviceAccounts, namespace, name },
    { metadataOnly: true },
  );
  if (found && question.ask === 'find-service-account')
    return { found: [cluster.name], near: [], problems: [] };
  if (found) return ways(cluster, namespace, { name, uid: found.metadata.uid });
  const near = await nearServiceAccounts(cluster, namespace, name);
  return { found: [], near: near.map((place) => `${cluster.name}/${place}`), problems: [] };
}

/** Copies in other Secrets change nothing about what fits. */
const NO_SEARCH = { namespaces: [], fingerprint: () => '' };

async function ways(
  cluster: Cluster,
  namespace: string,
  serviceAccount: { name: string; uid: string },
): Promise<Answer> {
  const identity = identityAt(cluster.name, { namespace }, serviceAccount);
  const situation = await observe(cluster, identity, Date.now(), NO_SEARCH);
  return { found: strategiesFor(identity, [situation]), near: [], problems: [] };
}

async function listed(cluster: Cluster, query: Parameters<Cluster['list']>[0]): Promise<Answer> {
  const objects = await cluster.list({ ...query, metadataOnly: true });
  return { found: objects.map(({ metadata }) => metadata.name).sort(), near: [], problems: [] };
}
