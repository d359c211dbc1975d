// Reads which ServiceAccount a person means from what was typed after a command; lenient about decoration, strict about names.

import { isNamespaceName, isObjectName } from '../../src/domain/kubernetes/names.ts';
import type { Coordinates } from '../../src/domain/token/identity.ts';
import { scrub } from '../../src/domain/token/leak-material.ts';

export interface Target {
  cluster?: string;
  namespace: string;
  name: string;
}

export interface Typed {
  /** Without decoration and without anything that looks like a token. */
  words: string[];
  /** The text held a token, which must be said and never repeated. */
  token: boolean;
}

const LIKE_A_TOKEN = /eyJ[\w-]{6,}(\.[\w-]*)*/g;

export function readWords(text: string): Typed {
  const clean = undecorated(text).replaceAll('`', '').trim();
  const safe = scrub(clean).replaceAll(LIKE_A_TOKEN, '').replaceAll('[token removed]', '').trim();
  return { words: safe === '' ? [] : safe.split(/\s+/), token: safe !== clean };
}

/** `<https://x|shown>` → shown, and the three characters that Slack escapes. */
const undecorated = (text: string): string =>
  text
    .replaceAll(/<[^>|]*\|([^>]*)>/g, '$1')
    .replaceAll(/<(?:https?:\/\/)?([^>]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** `command`: without the slash; `usage`: of it. */
export function readTarget(
  word: string,
  { command, usage }: { command: string; usage: string },
): Target | { problem: string } {
  // Audit logs write system:serviceaccount:namespace:name.
  const named = word
    .replace(/system:serviceaccount:([^:]+):/, '$1/')
    .replaceAll(/^["'*_(]+|["'*_),;:.]+$/g, '')
    .replace(/^\/+|\/+$/g, '');
  const parts = named.split('/');
  if (parts.length < 2 || parts.length > 3)
    return {
      problem: `That does not name a ServiceAccount: write \`/${command} ${usage}\`, such as \`/${command} payments/api\`${command === 'revoke-sa' ? ', or `/revoke-sa` alone for the form' : ''}. Nothing was opened.`,
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

/** Safe in a message of Slack. */
export const shown = (text: string): string =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');

export const coordinates = ({ cluster, namespace, name }: Target): Coordinates => ({
  namespace,
  serviceAccount: name,
  ...(cluster === undefined ? {} : { cluster }),
});
