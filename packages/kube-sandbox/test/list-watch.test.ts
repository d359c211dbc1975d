// Lists and watches: selectors, consistent pages, resuming, and 410 when history is gone.
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, eventually, type Json, MERGE_PATCH, METADATA_ONLY } from './api.ts';

const SECRETS = '/api/v1/namespaces/shop/secrets';

let api: Api;
beforeEach(async () => {
  api = new Api(await startCluster({ signing: 'ES256' }));
  api.cluster.seed.namespace('shop');
  api.cluster.seed.namespace('bank');
});
afterEach(() => api.close());

function names(body: Json): string[] {
  return body.items.map((item: Json) => item.metadata.name);
}

async function list(path: string, query: Record<string, string> = {}): Promise<Json> {
  return (await api.get(`${path}?${new URLSearchParams(query)}`)).body;
}

describe('selectors', () => {
  beforeEach(() => {
    api.cluster.seed.secret('shop', 'a', {}, { labels: { app: 'web', tier: 'front' } });
    api.cluster.seed.secret('shop', 'b', {}, { labels: { app: 'api' } });
    api.cluster.seed.secret('shop', 'c', {});
  });

  test.each([
    ['app=web', ['a']],
    ['app==web,tier=front', ['a']],
    ['app!=web', ['b', 'c']],
    ['app', ['a', 'b']],
    ['!app', ['c']],
    ['app in (web, api),tier', ['a']],
    ['app notin (web)', ['b', 'c']],
  ])('labelSelector %s', async (labelSelector, expected) => {
    expect(names(await list(SECRETS, { labelSelector }))).toEqual(expected);
  });

  test('fields of a kind, over all namespaces', async () => {
    api.cluster.seed.serviceAccount('shop', 'ci');
    api.cluster.seed.pod('shop', 'one', { serviceAccount: 'ci' });
    api.cluster.seed.pod('bank', 'two', { serviceAccount: 'ci' });
    api.cluster.seed.pod('bank', 'three');
    const ofCi = await list('/api/v1/pods', { fieldSelector: 'spec.serviceAccountName=ci' });
    expect(names(ofCi)).toEqual(['two', 'one']);
    const both = 'spec.serviceAccountName=ci,metadata.namespace!=bank';
    expect(names(await list('/api/v1/pods', { fieldSelector: both }))).toEqual(['one']);
    await api.cluster.seed.tokenSecret('shop', 'token', 'ci');
    const tokens = { fieldSelector: 'type=kubernetes.io/service-account-token' };
    expect(names(await list('/api/v1/secrets', tokens))).toEqual(['token']);
    expect(names(await list(SECRETS, { fieldSelector: 'metadata.name=b' }))).toEqual(['b']);
  });

  test('what is not supported answers 400', async () => {
    const bad = await api.get(`${SECRETS}?fieldSelector=spec.serviceAccountName%3Dci`);
    expect([bad.status, bad.body.message]).toEqual([
      400,
      'field label not supported: spec.serviceAccountName',
    ]);
    expect((await api.get(`${SECRETS}?labelSelector=a%20b`)).status).toBe(400);
  });
});

describe('pages', () => {
  beforeEach(() => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) api.cluster.seed.secret('shop', name, {});
  });

  test('show the list as it was when it began', async () => {
    const first = await list(SECRETS, { limit: '2' });
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(3);
    await api.ask('DELETE', `${SECRETS}/d`);
    api.cluster.seed.secret('shop', 'bb', {});
    const second = await list(SECRETS, { limit: '2', continue: first.metadata.continue });
    expect(names(second)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const last = await list(SECRETS, { limit: '2', continue: second.metadata.continue });
    expect(names(last)).toEqual(['e']);
    expect(last.metadata).not.toHaveProperty('continue');
    expect(names(await list(SECRETS))).toEqual(['a', 'b', 'bb', 'c', 'e']);
  });

  test('an expired continue token answers 410', async () => {
    const first = await list(SECRETS, { limit: '2' });
    api.cluster.compact();
    const reply = await api.get(`${SECRETS}?limit=2&continue=${first.metadata.continue}`);
    expect(reply.status).toBe(410);
    expect(reply.body.reason).toBe('Expired');
    expect((await api.get(`${SECRETS}?limit=2&continue=nonsense`)).status).toBe(400);
  });

  test('items of a list carry no kind, as in the real API', async () => {
    const body = await list(SECRETS);
    expect(body).toMatchObject({ kind: 'SecretList', apiVersion: 'v1' });
    expect(body.items[0]).not.toHaveProperty('kind');
  });
});

interface Watching {
  events: Json[];
  ended: Promise<void>;
  stop: () => void;
}

async function watch(
  path: string,
  query: Record<string, string>,
  accept = 'application/json',
): Promise<Watching> {
  const abort = new AbortController();
  const { body } = await request(
    `${api.cluster.url}${path}?${new URLSearchParams({ watch: 'true', ...query })}`,
    {
      dispatcher: api.agent,
      headers: { authorization: `Bearer ${api.token}`, accept },
      signal: abort.signal,
    },
  );
  const events: Json[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = `${text}${chunk}`.split('\n');
      text = lines.pop() ?? '';
      events.push(...lines.map((line) => JSON.parse(line) as Json));
    }
  };
  return { events, ended: read().catch(() => {}), stop: () => abort.abort() };
}

const told = ({ events }: Watching): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`);

describe('watches', () => {
  test('tell what is there, then what changes, in this namespace only', async () => {
    api.cluster.seed.secret('shop', 'old', {});
    const watching = await watch(SECRETS, {});
    await eventually(() => told(watching)).toEqual(['ADDED old']);
    api.cluster.seed.secret('bank', 'elsewhere', {});
    api.cluster.seed.secret('shop', 'new', {});
    await api.patch(`${SECRETS}/old`, MERGE_PATCH, { metadata: { labels: { a: 'b' } } });
    await api.ask('DELETE', `${SECRETS}/new`);
    await eventually(() => told(watching)).toEqual(['ADDED old', 'ADDED new', 'MODIFIED old', 'DELETED new']);
    watching.stop();
  });

  test('resume from a resource version without loss or repetition', async () => {
    const { resourceVersion } = api.cluster.seed.secret('shop', 'before', {}).metadata;
    api.cluster.seed.secret('shop', 'missed', {});
    const watching = await watch(SECRETS, { resourceVersion });
    await eventually(() => told(watching)).toEqual(['ADDED missed']);
    watching.stop();
  });

  test('an object that leaves the view of the selector is DELETED', async () => {
    api.cluster.seed.secret('shop', 'web', {}, { labels: { app: 'web' } });
    const watching = await watch(SECRETS, { labelSelector: 'app=web' });
    await api.patch(`${SECRETS}/web`, MERGE_PATCH, { metadata: { labels: { app: 'api' } } });
    await api.patch(`${SECRETS}/web`, MERGE_PATCH, { metadata: { labels: { app: 'web' } } });
    await eventually(() => told(watching)).toEqual(['ADDED web', 'DELETED web', 'ADDED web']);
    watching.stop();
  });

  test('a version that is too old gets an ERROR event with 410, and the stream ends', async () => {
    const { resourceVersion } = (await list(SECRETS)).metadata;
    api.cluster.seed.secret('shop', 'later', {});
    api.cluster.compact();
    const watching = await watch(SECRETS, { resourceVersion });
    await watching.ended;
    expect(watching.events).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
    ]);
  });

  test('bookmarks on request, metadata only on request, an end on request', async () => {
    api.cluster.seed.secret('shop', 'password', { value: 'hunter2' });
    const query = { allowWatchBookmarks: 'true', timeoutSeconds: '1' };
    const watching = await watch(SECRETS, query, METADATA_ONLY);
    await watching.ended;
    expect(told(watching)).toEqual(['ADDED password', 'BOOKMARK ', 'BOOKMARK ']);
    expect(watching.events[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata' });
    expect(watching.events[0]?.object).not.toHaveProperty('data');
    const version = Number(watching.events[1]?.object.metadata.resourceVersion);
    expect(version).toBeGreaterThan(1000);
  });
});
