// Tells offline whether a cluster signed a token, so that a token is never sent to a cluster it does not belong to.
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from 'jose';
import type { Cluster } from '../../ports/cluster.ts';

const LONGEST = 16_384;
const STALE_AFTER = 300_000;
/** Early enough that who asks every half minute never lets them grow old. */
const RENEW_AFTER = 240_000;
const REFRESH_AT_MOST_EVERY = 10_000;
const verification = { algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'] };

type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface SignatureCheck {
  signed: Cluster['signed'];
  shows: Cluster['shows'];
  /** Load the keys, so that the first check needs no request. */
  load(): Promise<void>;
  /** Load them where there are none or they will soon be old. */
  keepFresh(): Promise<void>;
}

export function createSignatureCheck(
  fetchKeys: () => Promise<JSONWebKeySet>,
  now: () => number,
): SignatureCheck {
  const cache = keyCache(fetchKeys, now);
  return {
    load: cache.load,
    keepFresh: async () => {
      if (cache.keys === undefined || cache.failed || cache.age() > RENEW_AFTER) await cache.load();
    },
    async shows(keyId) {
      await cache.refresh();
      const { shown, failed, keys } = cache;
      if (shown.includes(keyId)) return 'shown';
      // Keys without an id cannot be told apart.
      return failed || !keys || shown.includes(undefined) ? 'unknown' : 'hidden';
    },
    async signed(token, mode) {
      const jwt = token.reveal();
      if (jwt.length > LONGEST || jwt.split('.').length !== 3) return 'not-signed';
      if (mode === 'refresh') await cache.refresh();
      const wasStale = cache.failed || cache.age() > STALE_AFTER;
      // In the background: a check on the way to a kill waits for nothing.
      if (now() - cache.triedAt > (cache.keys ? STALE_AFTER : REFRESH_AT_MOST_EVERY)) void cache.tryToLoad();
      if (!cache.keys) return 'unknown';
      const answer = await verify(jwt, cache.keys);
      if (answer !== 'no-key') return answer;
      // A key that is newer than what is cached may have signed it.
      if (mode === 'cached') return wasStale ? 'unknown' : 'not-signed';
      if (cache.underWay || now() - cache.triedAt > REFRESH_AT_MOST_EVERY) await cache.tryToLoad();
      if (cache.failed) return 'unknown';
      return (await verify(jwt, cache.keys)) === 'signed' ? 'signed' : 'not-signed';
    },
  };
}

/** What a cluster shows, in one request at a time. Times are Unix milliseconds. */
function keyCache(fetchKeys: () => Promise<JSONWebKeySet>, now: () => number) {
  const fetchOnce = async (): Promise<void> => {
    cache.triedAt = now();
    try {
      const set = await fetchKeys();
      cache.keys = createLocalJWKSet(set);
      cache.shown = set.keys.map(({ kid }) => kid);
      cache.failed = false;
      cache.loadedAt = cache.triedAt;
      await rehearse(set, cache.keys);
    } catch (error) {
      cache.failed = true;
      throw error;
    } finally {
      cache.underWay = undefined;
    }
  };
  const cache = {
    keys: undefined as KeySet | undefined,
    shown: [] as readonly (string | undefined)[],
    triedAt: Number.NEGATIVE_INFINITY,
    loadedAt: Number.NEGATIVE_INFINITY,
    failed: false,
    underWay: undefined as Promise<void> | undefined,
    age: (): number => now() - cache.loadedAt,
    load: (): Promise<void> => (cache.underWay ??= fetchOnce()),
    tryToLoad: (): Promise<void> => cache.load().catch(() => undefined),
    /** A key may have been retired since: who asks thoroughly is told what is shown now. */
    async refresh(): Promise<void> {
      const old = now() - Math.max(cache.loadedAt, cache.triedAt) > REFRESH_AT_MOST_EVERY;
      if (!cache.keys || old) await cache.tryToLoad();
    },
  };
  return cache;
}

/** The first check with a key imports it and takes ten times as long as the next, so the first is not left to a leak. */
async function rehearse({ keys: all }: JSONWebKeySet, keys: KeySet): Promise<void> {
  for (const { alg, kid } of all) {
    const head = Buffer.from(JSON.stringify({ alg, kid })).toString('base64url');
    await verify(`${head}.${head}.${'A'.repeat(342)}`, keys);
  }
}

/** The signature alone: an expired token is signed all the same. */
async function verify(jwt: string, keys: KeySet): Promise<'signed' | 'not-signed' | 'no-key'> {
  try {
    await compactVerify(jwt, keys, verification);
    return 'signed';
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'no-key';
    if (error instanceof errors.JWKSMultipleMatchingKeys && (await anyVerifies(jwt, error))) return 'signed';
    const wrongKey =
      error instanceof errors.JWSSignatureVerificationFailed ||
      error instanceof errors.JWKSMultipleMatchingKeys;
    // Tokens from before 1.16 name no key, so that the right one may just not be known yet.
    return wrongKey && decodeProtectedHeader(jwt).kid === undefined ? 'no-key' : 'not-signed';
  }
}

async function anyVerifies(jwt: string, keys: errors.JWKSMultipleMatchingKeys): Promise<boolean> {
  for await (const key of keys) {
    const verified = await compactVerify(jwt, key, verification).then(
      () => true,
      () => false,
    );
    if (verified) return true;
  }
  return false;
}
