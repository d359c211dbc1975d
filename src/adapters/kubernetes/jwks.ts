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
  let keys: KeySet | undefined;
  let shown: readonly (string | undefined)[] = [];
  let triedAt = Number.NEGATIVE_INFINITY;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let failed = false;
  let underWay: Promise<void> | undefined;
  const fetchOnce = async (): Promise<void> => {
    triedAt = now();
    try {
      const set = await fetchKeys();
      keys = createLocalJWKSet(set);
      shown = set.keys.map(({ kid }) => kid);
      failed = false;
      loadedAt = triedAt;
      await rehearse(set, keys);
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      underWay = undefined;
    }
  };
  const load = (): Promise<void> => (underWay ??= fetchOnce());
  const tryToLoad = (): Promise<void> => load().catch(() => undefined);
  /** A key may have been retired since: who asks thoroughly is told what is shown now. */
  const refresh = async (): Promise<void> => {
    const old = now() - Math.max(loadedAt, triedAt) > REFRESH_AT_MOST_EVERY;
    if (!keys || old) await tryToLoad();
  };
  const stale = (): boolean => failed || now() - loadedAt > STALE_AFTER;
  return {
    load,
    keepFresh: async () => {
      if (keys === undefined || failed || now() - loadedAt > RENEW_AFTER) await load();
    },
    async shows(keyId) {
      await refresh();
      if (shown.includes(keyId)) return 'shown';
      // Keys without an id cannot be told apart.
      return failed || !keys || shown.includes(undefined) ? 'unknown' : 'hidden';
    },
    async signed(token, mode) {
      const jwt = token.reveal();
      if (jwt.length > LONGEST || jwt.split('.').length !== 3) return 'not-signed';
      if (mode === 'refresh') await refresh();
      const wasStale = stale();
      // In the background: a check on the way to a kill waits for nothing.
      if (now() - triedAt > (keys ? STALE_AFTER : REFRESH_AT_MOST_EVERY)) void tryToLoad();
      if (!keys) return 'unknown';
      const answer = await verify(jwt, keys);
      if (answer !== 'no-key') return answer;
      // A key that is newer than what is cached may have signed it.
      if (mode === 'cached') return wasStale ? 'unknown' : 'not-signed';
      if (underWay || now() - triedAt > REFRESH_AT_MOST_EVERY) await tryToLoad();
      if (failed) return 'unknown';
      return (await verify(jwt, keys)) === 'signed' ? 'signed' : 'not-signed';
    },
  };
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
