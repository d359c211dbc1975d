// Whether a cluster signed a token: every kind of forgery, and how often the keys are asked for.
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSignatureCheck, type SignatureCheck } from '../../../src/adapters/kubernetes/jwks.ts';
import { Secret } from '../../../src/secret.ts';

interface Key {
  kid: string;
  alg: 'RS256' | 'ES256';
  pair: Awaited<ReturnType<typeof generateKeyPair>>;
}

async function makeKey(kid: string, alg: Key['alg']): Promise<Key> {
  return { kid, alg, pair: await generateKeyPair(alg, { extractable: true }) };
}

function sign({ kid, alg, pair }: Key, claims: object = {}, header: object = { kid }): Promise<string> {
  return new SignJWT({ sub: 'system:serviceaccount:shop:payments', ...claims })
    .setProtectedHeader({ alg, ...header })
    .sign(pair.privateKey);
}

let rsa: Key;
let rsaOld: Key;
let ecdsa: Key;
let foreign: Key;
let published: Key[];
let reachable: boolean;
let fetches: number;
let now: number;
let check: SignatureCheck;

beforeAll(async () => {
  [rsa, rsaOld, ecdsa, foreign] = await Promise.all([
    makeKey('rsa', 'RS256'),
    makeKey('rsa-old', 'RS256'),
    makeKey('ecdsa', 'ES256'),
    makeKey('foreign', 'RS256'),
  ]);
});

beforeEach(() => {
  published = [rsa, rsaOld, ecdsa];
  reachable = true;
  fetches = 0;
  now = 0;
  check = createSignatureCheck(fetchKeys, () => now);
});

async function fetchKeys(): Promise<JSONWebKeySet> {
  fetches++;
  if (!reachable) throw new Error('unreachable');
  const keys = published.map(async ({ kid, alg, pair }) => ({
    ...(await exportJWK(pair.publicKey)),
    kid,
    alg,
    use: 'sig',
  }));
  return { keys: await Promise.all(keys) };
}

const signed = (jwt: string, mode: 'cached' | 'refresh' = 'refresh') => check.signed(new Secret(jwt), mode);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('signed by the cluster', () => {
  it.each(['RSA', 'ECDSA'])('%s', async (kind) => {
    expect(await signed(await sign(kind === 'RSA' ? rsa : ecdsa))).toBe('signed');
  });
  it('though expired long ago', async () => {
    expect(await signed(await sign(rsa, { exp: 1 }))).toBe('signed');
  });
  it.each([
    ['first', () => rsa],
    ['second', () => rsaOld],
  ] as const)('without a key id, as before 1.16, by the %s key that could have', async (_, key) => {
    expect(await signed(await sign(key(), {}, {}))).toBe('signed');
    expect(fetches).toBe(1);
  });
});

describe('not signed by the cluster', () => {
  const forgeries: Record<string, () => Promise<string> | string> = {
    'another cluster': () => sign(foreign),
    'another cluster under our key id': () => sign(foreign, {}, { kid: 'rsa' }),
    'another cluster without a key id': () => sign(foreign, {}, {}),
    'the public key used as an HMAC secret': () =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
        .sign(new TextEncoder().encode('x'.repeat(32))),
    none: () => `${encode({ alg: 'none', kid: 'rsa' })}.${encode({ sub: 'x' })}.`,
    'changed claims': async () => {
      const [header, , signature] = (await sign(rsa)).split('.');
      return `${header}.${encode({ sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`;
    },
    truncated: async () => (await sign(rsa)).slice(0, -5),
    'without its signature': async () => (await sign(rsa)).split('.').slice(0, 2).join('.'),
    'not base64': () => '!.!.!',
    empty: () => '',
  };
  it.each(Object.entries(forgeries))('%s', async (_, forge) => {
    const jwt = await forge();
    expect(await signed(jwt)).toBe('not-signed');
  });
  it('a megabyte, without looking at it', async () => {
    expect(await signed(`a.${'b'.repeat(1_000_000)}.c`)).toBe('not-signed');
    expect(fetches).toBe(0);
  });
});

describe('asking for the keys', () => {
  it('happens once for many tokens, also at the same time', async () => {
    const jwt = await sign(rsa);
    await Promise.all([signed(jwt), signed(jwt), signed(await sign(ecdsa))]);
    expect(fetches).toBe(1);
  });
  it('does not happen again for a known key id with a wrong signature', async () => {
    await check.load();
    now = 9000;
    expect(await signed(await sign(foreign, {}, { kid: 'rsa' }))).toBe('not-signed');
    expect(fetches).toBe(1);
  });
  it('finds that a key is shown no more, where somebody asks thoroughly', async () => {
    await check.load();
    published = [foreign];
    now = 10_001;
    expect(await signed(await sign(rsa))).toBe('not-signed');
  });
  it.each([
    ['key id', { kid: 'foreign' }],
    ['token without key id', {}],
  ])('happens once for an unknown %s, and finds the rotated key', async (_, header) => {
    await check.load();
    published = [rsa, foreign];
    now = 10_001;
    expect(await signed(await sign(foreign, {}, header))).toBe('signed');
    expect(fetches).toBe(2);
  });
  it('happens at most every ten seconds, whoever asks', async () => {
    await check.load();
    now = 10_001;
    for (let i = 0; i < 5; i++) expect(await signed(await sign(foreign))).toBe('not-signed');
    expect(fetches).toBe(2);
  });
  it('happens in the background after five minutes, without delaying the answer', async () => {
    await check.load();
    now = 300_001;
    reachable = false;
    expect(await signed(await sign(rsa))).toBe('signed');
    expect(fetches).toBe(2);
  });
});

describe('by the cache alone', () => {
  it('a known key decides, and an unknown one is not asked for', async () => {
    await check.load();
    now = 10_001;
    published = [foreign];
    expect(await signed(await sign(rsa), 'cached')).toBe('signed');
    expect(await signed(await sign(foreign), 'cached')).toBe('not-signed');
    expect(fetches).toBe(1);
  });
  it('nothing is known before the keys came, which are fetched meanwhile', async () => {
    expect(await signed(await sign(rsa), 'cached')).toBe('unknown');
    await check.load();
    expect(fetches).toBe(1);
    expect(await signed(await sign(rsa), 'cached')).toBe('signed');
  });
});

describe('an old cache', () => {
  it('cannot tell whether a key that is newer signed it', async () => {
    await check.load();
    now = 300_001;
    published = [rsa, foreign];
    const jwt = await sign(foreign);
    expect(await signed(jwt, 'cached')).toBe('unknown');
    expect(await signed(jwt, 'refresh')).toBe('signed');
  });
  it('that could not be renewed says so, also soon after it was tried', async () => {
    await check.load();
    reachable = false;
    now = 300_001;
    await signed(await sign(rsa), 'cached');
    now = 300_002;
    expect(await signed(await sign(foreign), 'cached')).toBe('unknown');
    expect(await signed(await sign(rsa), 'cached')).toBe('signed');
  });
  it('is renewed by whoever keeps it fresh, and a fresh one is left alone', async () => {
    await check.keepFresh();
    now = 240_000;
    await check.keepFresh();
    expect(fetches).toBe(1);
    now = 240_001;
    await check.keepFresh();
    expect(fetches).toBe(2);
    reachable = false;
    now = 500_000;
    await check.keepFresh().catch(() => undefined);
    reachable = true;
    now = 500_001;
    await check.keepFresh();
    expect(fetches).toBe(4);
    expect(await signed(await sign(foreign), 'cached')).toBe('not-signed');
  });
});

it('keys that are kept fresh every half minute are never too old to say no', async () => {
  const jwt = await sign(foreign);
  for (now = 0; now < 1_200_000; now += 30_000) {
    await check.keepFresh();
    now += 29_999;
    expect(await signed(jwt, 'cached')).toBe('not-signed');
    now -= 29_999;
  }
  expect(fetches).toBeLessThan(8);
});

describe('without the keys', () => {
  beforeEach(() => {
    reachable = false;
  });
  it('nothing is known, until they are to be had', async () => {
    const jwt = await sign(rsa);
    expect(await signed(jwt)).toBe('unknown');
    reachable = true;
    expect(await signed(jwt)).toBe('signed');
  });
  it('an unknown key id stays unknown when the newest keys cannot be read', async () => {
    reachable = true;
    await check.load();
    reachable = false;
    now = 10_001;
    expect(await signed(await sign(foreign))).toBe('unknown');
    expect(await signed(await sign(foreign))).toBe('unknown');
    expect(await signed(await sign(rsa))).toBe('signed');
  });
});

describe('whether a key is shown', () => {
  it('is answered by what is published now, ten seconds aside', async () => {
    expect(await check.shows('rsa')).toBe('shown');
    published = [ecdsa];
    expect(await check.shows('rsa')).toBe('shown');
    now = 10_001;
    expect(await check.shows('rsa')).toBe('hidden');
    expect(fetches).toBe(2);
  });
  it('is not known while the keys cannot be fetched', async () => {
    await check.load();
    reachable = false;
    now = 10_001;
    expect(await check.shows('gone')).toBe('unknown');
    expect(await check.shows('rsa')).toBe('shown');
  });
  it('is not known where a key has no id', async () => {
    published = [{ ...rsa, kid: undefined as never }, ecdsa];
    expect(await check.shows('rsa-old')).toBe('unknown');
  });
});
