// `/revoke-sa`: a person reports a leaked ServiceAccount token by name, or opens the form for it.
import type { Command, Desktop, Reply } from '../src/contracts.ts';
import type { Coordinates } from '../src/domain/alert.ts';
import { scrub } from '../src/domain/leak-material.ts';
import { isNamespaceName, isObjectName } from '../src/domain/names.ts';
import { nearest } from '../src/domain/near.ts';
import { isAppError } from '../src/errors.ts';
import type { Answer } from '../src/ports.ts';
import { helpOf } from './text/help.ts';

export interface Target {
  cluster?: string;
  namespace: string;
  name: string;
}

export type Parsed =
  | { kind: 'help' }
  /** `token`: the text held a token, which must be said and never repeated. */
  | { kind: 'form'; at?: Target; reason?: string; token: boolean }
  | { kind: 'target'; at: Target; reason?: string }
  | { kind: 'invalid'; message: string };

const USAGE = '[cluster/]namespace/name [reason]';

export const revokeSa: Command = {
  name: 'revoke-sa',
  help: {
    summary: 'Report a leaked ServiceAccount token, or open the form for it.',
    usage: USAGE,
    whoCanUse: 'Everybody in this workspace, except guests. What is destroyed needs an approver.',
    examples: [
      '/revoke-sa',
      '/revoke-sa payments/api found in a public gist',
      '/revoke-sa prod/payments/api sent to the wrong channel',
    ],
  },
  async run(desktop, text) {
    const parsed = parse(text);
    if (parsed.kind === 'help') return say(helpOf(revokeSa));
    if (parsed.kind === 'invalid') return say(parsed.message);
    if (parsed.kind === 'form') return form(parsed);
    return locate(desktop, parsed.at, parsed.reason);
  },
};

const say = (text: string): Reply => ({ kind: 'text', text });

/** Lenient about how Slack and people decorate names, strict about the names themselves. */
export function parse(text: string): Parsed {
  const clean = undecorated(text).replaceAll('`', '').trim();
  if (clean === '') return { kind: 'form', token: false };
  const safe = scrub(clean).replaceAll(LIKE_A_TOKEN, '').replaceAll('[token removed]', '').trim();
  const [word = '', ...others] = safe.split(/\s+/);
  if (word === 'help') return { kind: 'help' };
  const reason = others.join(' ').trim();
  const at = readTarget(word);
  if (safe !== clean)
    return { kind: 'form', token: true, ...('problem' in at ? {} : { at }), ...(reason ? { reason } : {}) };
  if ('problem' in at) return { kind: 'invalid', message: at.problem };
  return { kind: 'target', at, ...(reason ? { reason } : {}) };
}

const LIKE_A_TOKEN = /eyJ[\w-]{6,}(\.[\w-]*)*/g;

/** `<https://x|shown>` → shown, and the three characters that Slack escapes. */
const undecorated = (text: string): string =>
  text
    .replaceAll(/<[^>|]*\|([^>]*)>/g, '$1')
    .replaceAll(/<(?:https?:\/\/)?([^>]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

function readTarget(word: string): Target | { problem: string } {
  // Audit logs write system:serviceaccount:namespace:name.
  const named = word
    .replace(/system:serviceaccount:([^:]+):/, '$1/')
    .replaceAll(/^["'*_(]+|["'*_),;:.]+$/g, '')
    .replace(/^\/+|\/+$/g, '');
  const parts = named.split('/');
  if (parts.length < 2 || parts.length > 3)
    return {
      problem: `That does not name a ServiceAccount: write \`/revoke-sa ${USAGE}\`, such as \`/revoke-sa payments/api\`, or \`/revoke-sa\` alone for the form. Nothing was opened.`,
    };
  const [name = '', namespace = '', cluster] = parts.toReversed();
  const wrong = [
    !isNamespaceName(namespace) && { what: 'namespace', value: namespace },
    !isObjectName(name) && { what: 'ServiceAccount name', value: name },
    cluster !== undefined && !isObjectName(cluster) && { what: 'cluster name', value: cluster },
  ].find((problem) => problem !== false);
  if (wrong)
    return {
      problem: `\`${shown(wrong.value)}\` is not a ${wrong.what}: Kubernetes names have lower-case letters, digits and dashes, and begin and end with a letter or digit. Nothing was opened.`,
    };
  return { namespace, name, ...(cluster === undefined ? {} : { cluster }) };
}

const shown = (text: string): string =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');

function form(parsed: Extract<Parsed, { kind: 'form' }>): Reply {
  const { at, reason } = parsed;
  return {
    kind: 'leak-form',
    ...(at && { at: coordinates(at) }),
    ...(reason && { reason }),
  };
}

const coordinates = ({ cluster, namespace, name }: Target): Coordinates => ({
  namespace,
  serviceAccount: name,
  ...(cluster === undefined ? {} : { cluster }),
});

async function locate(desktop: Desktop, at: Target, reason: string | undefined): Promise<Reply> {
  const { clusters } = desktop;
  if (at.cluster !== undefined && !clusters.includes(at.cluster))
    return say(unknownCluster(at.cluster, clusters));
  const { found, near: similar, problems } = await look(desktop, at);
  const only = found.length === 1 ? found[0] : undefined;
  if (only !== undefined) return open(desktop, { ...at, cluster: only }, reason);
  if (found.length > 1) return say(several(at, found));
  if (problems.length > 0) {
    // Waiting for the worker must not delay a kill: the incident is looked into when it is back.
    const cluster = at.cluster ?? (clusters.length === 1 ? clusters[0] : undefined);
    return cluster === undefined ? say(undecided(at, problems)) : open(desktop, { ...at, cluster }, reason);
  }
  return say(absent(at, similar, clusters));
}

async function look(desktop: Desktop, at: Target): Promise<Answer> {
  try {
    return await desktop.ask({ ask: 'find-service-account', ...at });
  } catch (error) {
    if (isAppError(error)) return { found: [], near: [], problems: [error.message] };
    throw error;
  }
}

async function open(desktop: Desktop, at: Target, reason: string | undefined): Promise<Reply> {
  const opened = await desktop.report({
    alert: {
      source: 'slash',
      subject: { kind: 'coordinates', at: coordinates(at) },
      reporter: desktop.user,
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

const several = ({ namespace, name }: Target, found: readonly string[]): string =>
  [
    `Several clusters have a ServiceAccount ${code(`${namespace}/${name}`)}. Nothing was opened yet: say which one.`,
    ...found.map((cluster) => `• ${code(`/revoke-sa ${cluster}/${namespace}/${name}`)}`),
  ].join('\n');

const undecided = ({ namespace, name }: Target, problems: readonly string[]): string =>
  `The clusters could not be searched: ${problems.join(' ')} Nothing was opened. Name the cluster, which opens the incident without a search: ${code(`/revoke-sa <cluster>/${namespace}/${name}`).replace('<cluster>', '&lt;cluster&gt;')}`;

function absent(at: Target, similar: readonly string[], clusters: readonly string[]): string {
  const where = at.cluster === undefined ? list(clusters) : code(at.cluster);
  const sentence = `No ServiceAccount ${code(`${at.namespace}/${at.name}`)} on ${where}.`;
  if (similar.length > 0) return `${sentence} Did you mean ${list(similar.slice(0, 5))}? Nothing was opened.`;
  const mistaken =
    at.cluster === undefined && clusters.includes(at.namespace)
      ? ` ${code(at.namespace)} is a cluster: write ${code(`/revoke-sa ${at.namespace}/namespace/${at.name}`)}.`
      : '';
  return `${sentence}${mistaken} Nothing was opened. If it was deleted, or you have the token itself, ${code('/revoke-sa')} alone opens a form that takes it all the same.`;
}
