// Misbehaviour on demand, and several servers that fail one by one.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startCluster } from '../src/cluster/cluster.ts';
import { Api, eventually } from './api.ts';

const SECRETS = '/api/v1/namespaces/shop/secrets';

let api: Api;
beforeEach(async () => {
  api = new Api(await startCluster({ signing: 'ES256', servers: 2 }));
  api.cluster.seed.namespace('shop');
});
afterEach(() => api.close());

describe('faults', () => {
  test('failNext fails so many matching requests, and carries none of them out', async () => {
    api.cluster.seed.secret('shop', 'kept', {});
    api.cluster.faults.failNext(2, 503, ({ method }) => method === 'DELETE');
    expect((await api.get(SECRETS)).status).toBe(200);
    expect((await api.ask('DELETE', `${SECRETS}/kept`)).status).toBe(503);
    expect((await api.ask('DELETE', `${SECRETS}/kept`)).body).toMatchObject({ kind: 'Status', code: 503 });
    expect(api.cluster.get(`${SECRETS}/kept`)).toBeDefined();
    expect((await api.ask('DELETE', `${SECRETS}/kept`)).status).toBe(200);
  });

  test('answerNext answers so many matching requests with exactly that, and carries none of them out', async () => {
    api.cluster.seed.secret('shop', 'kept', {});
    const body = {
      kind: 'Status',
      status: 'Failure',
      message: 'admission webhook "x" denied the request: no',
    };
    api.cluster.faults.answerNext(1, 400, body, ({ method }) => method === 'DELETE');
    const reply = await api.ask('DELETE', `${SECRETS}/kept`);
    expect([reply.status, reply.body]).toEqual([400, body]);
    expect(api.cluster.get(`${SECRETS}/kept`)).toBeDefined();
    expect((await api.ask('DELETE', `${SECRETS}/kept`)).status).toBe(200);
  });

  test('429 says when to come back', async () => {
    api.cluster.faults.failNext(1, 429, undefined, 7);
    const reply = await api.get(SECRETS);
    expect(reply.status).toBe(429);
    expect(reply.headers['retry-after']).toBe('7');
    expect(reply.body).toMatchObject({ reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } });
  });

  test('resetAfterAccept carries the request out and loses the answer', async () => {
    api.cluster.seed.secret('shop', 'gone', {});
    api.cluster.faults.resetAfterAccept(({ method }) => method === 'DELETE');
    await expect(api.ask('DELETE', `${SECRETS}/gone`)).rejects.toThrow();
    expect(api.cluster.get(`${SECRETS}/gone`)).toBeUndefined();
    expect(api.cluster.requests.at(-1)).toMatchObject({ method: 'DELETE', status: 0 });
    expect((await api.ask('DELETE', `${SECRETS}/gone`)).status).toBe(404);
  });

  test('delay holds matching requests; later ones pass once it is lifted', async () => {
    const lift = api.cluster.faults.delay(3_600_000, ({ path }) => path === SECRETS);
    let answered = false;
    const held = api.get(SECRETS).finally(() => {
      answered = true;
    });
    held.catch(() => {});
    await eventually(() => api.cluster.requests.length).toBe(1);
    lift();
    expect((await api.get(SECRETS)).status).toBe(200);
    expect(answered).toBe(false);
  });
});

describe('servers', () => {
  test('share objects and publish an address each', async () => {
    api.cluster.seed.secret('shop', 'shared', {});
    expect((await api.get(`${SECRETS}/shared`, { server: 1 })).status).toBe(200);
    const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    const { body } = await api.get(`${path}?labelSelector=kubernetes.io/service-name%3Dkubernetes`);
    const addresses = body.items.map(
      ({ endpoints, ports }: { endpoints: { addresses: string[] }[]; ports: { port: number }[] }) =>
        `${endpoints[0]?.addresses[0]}:${ports[0]?.port}`,
    );
    expect(addresses).toEqual(api.cluster.servers.map(({ address }) => address));
    expect(api.cluster.get(`${path}/kubernetes`)).toBeDefined();
  });

  test('a paused server accepts and answers only when resumed', async () => {
    const [, second] = api.cluster.servers;
    second?.pause();
    const held = api.get(SECRETS, { server: 1 });
    await eventually(() => api.cluster.requests.at(-1)).toMatchObject({ server: 1, status: 0 });
    expect((await api.get(SECRETS)).status).toBe(200);
    expect(api.cluster.requests[0]).toMatchObject({ server: 1, status: 0 });
    second?.resume();
    expect((await held).status).toBe(200);
  });

  test('a stopped server refuses, and comes back at the same address', async () => {
    const [, second] = api.cluster.servers;
    expect((await api.get(SECRETS, { server: 1 })).status).toBe(200);
    await second?.stop();
    await expect(api.get(SECRETS, { server: 1 })).rejects.toThrow();
    expect((await api.get(SECRETS)).status).toBe(200);
    await second?.start();
    await eventually(() =>
      api.get(SECRETS, { server: 1 }).then(
        ({ status }) => status,
        () => 0,
      ),
    ).toBe(200);
  });

  test('close may be called twice', async () => {
    await api.cluster.close();
    await api.cluster.close();
    await expect(api.get(SECRETS)).rejects.toThrow();
  });
});
