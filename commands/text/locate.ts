// Finds out on which cluster a ServiceAccount is, and opens the incident about it there.
import type { CommandTools, Reply } from '../../src/contracts/command.ts';
import { nearest } from '../../src/domain/kubernetes/near.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { isAppError } from '../../src/errors.ts';
import type { Answer } from '../../src/ports/desk.ts';
import { coordinates, type Target } from './target.ts';

/** What is wanted, and by which command, without the slash. */
export interface Wish {
  command: string;
  goal: Goal;
  reason?: string | undefined;
}

export const say = (text: string): Reply => ({ kind: 'text', text });

/** Opens the incident where the ServiceAccount is found, and otherwise says what was looked at and what is like it. */
export async function locate(tools: CommandTools, at: Target, wish: Wish): Promise<Reply> {
  const { clusters } = tools;
  if (at.cluster !== undefined && !clusters.includes(at.cluster))
    return say(unknownCluster(at.cluster, clusters));
  const { found, near: similar, problems } = await look(tools, at);
  const only = found.length === 1 ? found[0] : undefined;
  if (only !== undefined) return open(tools, { ...at, cluster: only }, wish);
  if (found.length > 1) return say(several(wish.command, at, found));
  if (problems.length > 0) {
    // Waiting for the worker must not delay a kill: the incident is looked into when it is back.
    const cluster = at.cluster ?? (clusters.length === 1 ? clusters[0] : undefined);
    return cluster === undefined
      ? say(undecided(wish.command, at, problems))
      : open(tools, { ...at, cluster }, wish);
  }
  return say(absent(wish.command, at, similar, clusters));
}

async function look(tools: CommandTools, at: Target): Promise<Answer> {
  try {
    return await tools.ask({ ask: 'find-service-account', ...at });
  } catch (error) {
    if (isAppError(error)) return { found: [], near: [], problems: [error.message] };
    throw error;
  }
}

async function open(tools: CommandTools, at: Target, { goal, reason }: Wish): Promise<Reply> {
  const opened = await tools.report({
    alert: {
      source: 'slash',
      subject: { kind: 'coordinates', at: coordinates(at) },
      reporter: tools.user,
      goal,
      ...(reason === undefined ? {} : { reason }),
    },
  });
  return { kind: 'opened', ...opened };
}

const code = (text: string): string => `\`${text}\``;
const list = (items: readonly string[]): string => items.map(code).join(', ');

function unknownCluster(cluster: string, clusters: readonly string[]): string {
  const meant = nearest(cluster, clusters)[0];
  return `There is no cluster ${code(cluster)} in the configuration.${meant ? ` Did you mean ${code(meant)}?` : ''} There are: ${list(clusters)}. Nothing was opened.`;
}

const several = (command: string, { namespace, name }: Target, found: readonly string[]): string =>
  [
    `Several clusters have a ServiceAccount ${code(`${namespace}/${name}`)}. Nothing was opened yet: say which one.`,
    ...found.map((cluster) => `• ${code(`/${command} ${cluster}/${namespace}/${name}`)}`),
  ].join('\n');

const undecided = (command: string, { namespace, name }: Target, problems: readonly string[]): string =>
  `The clusters could not be searched: ${problems.join(' ')} Nothing was opened. Name the cluster, which opens the incident without a search: ${code(`/${command} <cluster>/${namespace}/${name}`).replace('<cluster>', '&lt;cluster&gt;')}`;

function absent(
  command: string,
  at: Target,
  similar: readonly string[],
  clusters: readonly string[],
): string {
  const where = at.cluster === undefined ? list(clusters) : code(at.cluster);
  const sentence = `No ServiceAccount ${code(`${at.namespace}/${at.name}`)} on ${where}.`;
  if (similar.length > 0) return `${sentence} Did you mean ${list(similar.slice(0, 5))}? Nothing was opened.`;
  const mistaken =
    at.cluster === undefined && clusters.includes(at.namespace)
      ? ` ${code(at.namespace)} is a cluster: write ${code(`/${command} ${at.namespace}/namespace/${at.name}`)}.`
      : '';
  return `${sentence}${mistaken} Nothing was opened. If it was deleted, or you have the token itself, ${code('/revoke-sa')} alone opens a form that takes it all the same.`;
}
