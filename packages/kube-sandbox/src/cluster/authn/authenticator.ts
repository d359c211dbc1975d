// Decides whether a ServiceAccount token is alive, in the order and with the words of the real API server, and remembers successes.

import type { KubeObject } from '../apimachinery/objects.ts';
import type { Store } from '../storage/store.ts';
import type { World } from '../storage/world.ts';
import { type Claims, Refused, type User } from '../tokens/claims.ts';
import { ISSUER, LEGACY_ISSUER, type SigningKey, signatureIsValid } from '../tokens/tokens.ts';
import { checkBoundToken } from './validate-bound.ts';
import { checkLegacyToken } from './validate-legacy.ts';

export type Verdict =
  | { authenticated: true; user: User; audiences: string[] }
  | { authenticated: false; error: string };

interface Reading {
  header: { alg?: string; kid?: string };
  claims: Claims;
}

function read(token: string): Reading | undefined {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return;
  try {
    const parse = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    return { header: parse(header) as Reading['header'], claims: parse(payload) as Claims };
  } catch {
    return undefined;
  }
}

const quoted = (list: string[]): string => `[${list.map((each) => JSON.stringify(each)).join(' ')}]`;

/** One per API server: the real ones do not share their caches either. */
export class Authenticator {
  readonly #world: World;
  readonly #honoursInvalidSince: boolean;
  readonly #cacheMs: number;
  readonly #cache = new Map<string, { verdict: Verdict; until: number }>();

  constructor(world: World, version: string, cacheMs: number) {
    this.#world = world;
    this.#honoursInvalidSince = Number(version.split('.')[1]) >= 29;
    this.#cacheMs = cacheMs;
  }

  authenticate(token: string, audiences: string[] = [ISSUER]): Verdict {
    const now = this.#world.now();
    const key = JSON.stringify([audiences, token]);
    const cached = this.#cache.get(key);
    if (cached !== undefined && now < cached.until) return cached.verdict;
    this.#cache.delete(key);
    const verdict = this.#judge(token, audiences);
    if (verdict.authenticated) this.#cache.set(key, { verdict, until: now + this.#cacheMs });
    return verdict;
  }

  /** The answer of `authenticate` without what it leaves behind: nothing is remembered, and no use is noted. */
  wouldAccept(token: string, audiences: string[] = [ISSUER]): boolean {
    const cached = this.#cache.get(JSON.stringify([audiences, token]));
    if (cached !== undefined && this.#world.now() < cached.until) return true;
    const { store } = this.#world;
    const seen = { get: store.get.bind(store), put: (_: unknown, object: KubeObject) => object };
    const world = { ...this.#world, store: seen as unknown as Store };
    return this.#judge(token, audiences, world).authenticated;
  }

  #judge(token: string, wanted: string[], world = this.#world): Verdict {
    try {
      const reading = read(token);
      const issuer = reading?.claims.iss;
      if (reading === undefined || (issuer !== ISSUER && issuer !== LEGACY_ISSUER)) {
        return { authenticated: false, error: 'invalid bearer token' };
      }
      this.#checkSignature(reading, token);
      const { claims } = reading;
      const own = [claims.aud ?? []].flat();
      const meantFor = own.length === 0 ? [ISSUER] : own;
      const audiences = meantFor.filter((audience) => wanted.includes(audience));
      if (audiences.length === 0) {
        throw new Refused(
          `token audiences ${quoted(meantFor)} is invalid for the target audiences ${quoted(wanted)}`,
        );
      }
      const user =
        issuer === LEGACY_ISSUER
          ? checkLegacyToken(world, token, claims, this.#honoursInvalidSince)
          : checkBoundToken(world, claims);
      return { authenticated: true, user, audiences };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { authenticated: false, error: `[invalid bearer token, ${error.message}]` };
    }
  }

  #checkSignature({ header }: Reading, token: string): void {
    const { bound, legacy } = this.#world.keys;
    const all: SigningKey[] = [bound, legacy];
    const fitting = all.filter((key) => header.kid === undefined || key.id === header.kid);
    if (fitting.length === 0) throw new Refused('invalid signature, no keys found');
    const signed = fitting.some((key) => header.alg === key.algorithm && signatureIsValid(key, token));
    if (!signed) throw new Refused('go-jose/go-jose: error in cryptographic primitive');
  }
}
