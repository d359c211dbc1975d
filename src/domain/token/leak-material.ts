// Takes tokens, and failing that names, out of whatever a scanner or a person sends: text, base64, manifests, kubeconfigs.
import { parseAllDocuments } from 'yaml';
import { isNamespaceName, isObjectName } from '../kubernetes/names.ts';
import { wrappedTokens } from '../text/token-ranges.ts';
import { reading } from '../text/visible.ts';
import { readClaims } from './claims.ts';
import type { Coordinates } from './identity.ts';
import { layersOf, tokensIn } from './in-text.ts';

export { scrub } from '../text/scrub.ts';

export interface LeakMaterial {
  /** ServiceAccount tokens, unverified, each once. */
  tokens: string[];
  /** Token Secrets named by a manifest that does not hold the token. Never an address: a `server` would be the attacker's. */
  coordinates: Coordinates[];
  /** Credentials that are not ServiceAccount tokens, so that a person must look at them. */
  opaque: number;
  /** Why something that looks like a token is not one that can be revoked here, one sentence each. */
  problems: string[];
}

export const MAX_CHARS = 1024 * 1024;
const MAX_FOUND = 20;
/** Parsing YAML is slow per byte, so one report gets only so much of it; plain scanning covers the rest. */
const MAX_YAML_CHARS = 64 * 1024;
/** Its parser's time grows with the square of the depth, over lines too: deeper than any manifest is not parsed at all. */
const MAX_DEPTH = 30;
/** Levels that begin in one line, or that their indentation has room for. */
const DEEP_BLOCK = /^[ \t]{0,200}(?:[-?][ \t]{1,8}){8}|^[ \t?-]{200}/m;
const MAX_OBJECTS = 200;
const OPENSHIFT_TOKEN = /sha256~[A-Za-z0-9_-]{43}/g;
const BOOTSTRAP_TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;
const TOKEN_SECRET = 'kubernetes.io/service-account-token';

/** Looks at the first 1 MiB and returns at most 20 of each, or as many as the caller can use. */
export function findTokens(text: string, most = MAX_FOUND): LeakMaterial {
  const search = new Search(most);
  const given = text.slice(0, MAX_CHARS);
  search.text(given);
  // In colours, with invisible marks or encoded, as people copy from terminals and browsers.
  const read = search.tokens.size > 0 ? given : reading(given).text;
  if (read !== given) search.text(read);
  if (search.tokens.size === 0) search.wrapped(given);
  if (BOOTSTRAP_TOKEN.test(text.trim())) search.opaque.add(text.trim());
  const first = <T>(found: Iterable<T>): T[] => [...found].slice(0, most);
  return {
    tokens: first(search.tokens),
    coordinates: first(search.coordinates.values()),
    opaque: search.opaque.size,
    problems: first(search.problems),
  };
}

class Search {
  readonly tokens = new Set<string>();
  readonly coordinates = new Map<string, Coordinates>();
  readonly opaque = new Set<string>();
  readonly problems = new Set<string>();
  #yamlChars = MAX_YAML_CHARS;
  #objects = MAX_OBJECTS;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  text(text: string): void {
    for (const layer of layersOf(text)) {
      for (const block of layer.blocks) this.#block(tokensIn(block, (problem) => this.problems.add(problem)));
      for (const [token] of layer.text.matchAll(OPENSHIFT_TOKEN)) this.opaque.add(token);
      for (const document of this.#documents(layer.text)) this.#object(document, 3);
    }
  }

  wrapped(text: string): void {
    for (const token of wrappedTokens(text)) if (!('problem' in readClaims(token))) this.#block([token]);
  }

  #block(tokens: Iterable<string>): void {
    for (const token of tokens) if (this.tokens.size < this.#most) this.tokens.add(token);
  }

  #documents(text: string): unknown[] {
    if (!text.includes('apiVersion') || !text.includes('kind') || text.length > this.#yamlChars) return [];
    this.#yamlChars -= text.length;
    try {
      return [JSON.parse(text)];
    } catch {
      return yamlDocuments(text);
    }
  }

  #object(value: unknown, depth: number): void {
    const object = record(value);
    if (depth === 0 || this.#objects-- <= 0) return;
    if (Array.isArray(object.items)) for (const item of object.items) this.#object(item, depth - 1);
    if (object.kind === 'Secret') this.#secret(object);
    if (object.kind === 'Config' && Array.isArray(object.users))
      for (const user of object.users.slice(0, MAX_OBJECTS)) this.#user(record(record(user).user));
  }

  #secret(secret: Record<string, unknown>): void {
    const values = [...Object.values(record(secret.data)), ...Object.values(record(secret.stringData))];
    const held = values.map((value) => this.#value(value)).some(Boolean);
    if (secret.type === 'bootstrap.kubernetes.io/token') this.opaque.add(JSON.stringify(values));
    if (secret.type !== TOKEN_SECRET || held) return;
    const metadata = record(secret.metadata);
    const [namespace, name] = [metadata.namespace, metadata.name];
    const owner = record(metadata.annotations)['kubernetes.io/service-account.name'];
    if (typeof namespace !== 'string' || typeof name !== 'string') return;
    if (!isNamespaceName(namespace) || !isObjectName(name)) return;
    const serviceAccount = typeof owner === 'string' && isObjectName(owner) ? { serviceAccount: owner } : {};
    this.coordinates.set(`${namespace}/${name}`, { namespace, secret: name, ...serviceAccount });
  }

  #user(user: Record<string, unknown>): void {
    for (const field of ['token', 'password', 'client-key-data']) {
      const value = user[field];
      if (typeof value === 'string' && value !== '' && !this.#value(value) && !value.startsWith('eyJ'))
        this.opaque.add(value);
    }
  }

  /** Whether a value of a manifest, without the breaks that YAML folded into it, holds a token. */
  #value(value: unknown): boolean {
    if (typeof value !== 'string') return false;
    let held = false;
    for (const { blocks } of layersOf(value.replace(/\s/g, '')))
      for (const block of blocks) {
        const tokens = [...tokensIn(block, () => {})];
        held ||= tokens.length > 0;
        this.#block(tokens);
      }
    return held;
  }
}

function yamlDocuments(text: string): unknown[] {
  if (DEEP_BLOCK.test(text) || flowDepth(text) > MAX_DEPTH) return [];
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
    return [...documents]
      .slice(0, MAX_OBJECTS)
      .map((document): unknown => document.toJS({ maxAliasCount: 50 }));
  } catch {
    // Not YAML, nested too deeply, or aliases that would multiply without end.
    return [];
  }
}

/** How many brackets are open at once. In quotes they count too: what is not parsed is looked through as text all the same. */
function flowDepth(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
