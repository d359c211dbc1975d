// Which API servers are known, whether the list may be called complete, and how the worker proves itself to them.
import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type StepTools, startBench } from './connect.ts';
import { startScripted } from './scripted-server.ts';

let tools: StepTools;
afterEach(() => tools.close());

const url = (index: number): string => tools.simulated.servers[index]?.url ?? '';
const byAddress = <T extends { address: string }>(list: T[]): T[] =>
  list.toSorted((a, b) => a.address.localeCompare(b.address));

describe('servers', () => {
  it('are those that the cluster publishes, each with its own version, asked for once a minute', async () => {
    tools = await startBench({ servers: 2, version: ['1.37.2', '1.28.9'] });
    let now = 0;
    const cluster = tools.connect({}, { now: () => now });
    const { servers, each } = await cluster.servers();
    expect(each).toBe(true);
    expect(byAddress(servers)).toEqual(
      byAddress([
        { address: url(0), minor: 37 },
        { address: url(1), minor: 28 },
      ]),
    );
    tools.requests();
    now = 59_999;
    await cluster.servers();
    expect(tools.requests()).toEqual([]);
    now = 60_000;
    await cluster.servers();
    expect(tools.requests()).toHaveLength(3);
  });

  it('keep one that does not answer, so that nobody claims it', async () => {
    tools = await startBench({ servers: 2 });
    await tools.simulated.servers[1]?.stop();
    const { servers, each } = await tools.cluster.servers();
    expect(each).toBe(true);
    expect(servers).toContainEqual({ address: url(0), minor: 37 });
    expect(servers).toContainEqual({ address: url(1), minor: null });
    expect(await tools.cluster.probe(url(1), new Secret('x'))).toMatchObject({ answer: 'inconclusive' });
  });

  it('are those of the configuration where it names them', async () => {
    tools = await startBench({ servers: 2 });
    const apiServers = [{ url: `${url(1)}/`, tlsServerName: 'kubernetes.default.svc' }];
    const cluster = tools.connect({ apiServers });
    tools.requests();
    expect(await cluster.servers()).toEqual({ servers: [{ address: url(1), minor: 37 }], each: true });
    expect(tools.requests()).toEqual(['GET /version']);
  });

  it.each([
    ['may not be read', 403],
    ['name only addresses out of reach', 200],
  ])('are one name and not "each" where the slices %s', async (_, status) => {
    tools = await startBench();
    const server = await startScripted();
    const slice = { endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ port: 1 }] };
    server.answer = ({ path }) =>
      path === '/version'
        ? { status: 200, body: { major: '1', minor: '29+' } }
        : { status, body: { items: [slice, { endpoints: null, ports: null }] } };
    const cluster = connectCluster(server.config());
    expect(await cluster.servers()).toEqual({ servers: [{ address: server.url, minor: 29 }], each: false });
    await cluster.close();
    await server.close();
  });

  it('that could not be looked up are looked up again', async () => {
    tools = await startBench();
    tools.simulated.faults.failNext(1, 503);
    await expect(tools.cluster.servers()).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 1000 });
    expect((await tools.cluster.servers()).servers).toHaveLength(1);
  });

  it('that accept and never answer make a probe inconclusive', async () => {
    tools = await startBench();
    tools.simulated.servers[0]?.pause();
    const seen = await tools.cluster.probe(url(0), new Secret('x'));
    expect(seen).toEqual({ answer: 'inconclusive', seen: 'no answer in time' });
  });
});

describe('identity', () => {
  it('is the ServiceAccount of the token, without a request; control requests use that token', async () => {
    tools = await startBench();
    tools.requests();
    expect(await tools.cluster.self()).toBe('system:serviceaccount:kube-system:tourniquet');
    const control = await tools.cluster.control();
    expect(control?.audiences).toEqual(decodeJwt(control?.token.reveal() ?? '').aud);
    expect(tools.requests()).toEqual([]);
    expect((await tools.cluster.probe(url(0), control?.token ?? new Secret(''))).answer).toBe('accepted');
  });

  it('is asked for, once, where the credential is another', async () => {
    tools = await startBench();
    const server = await startScripted();
    server.answer = { status: 201, body: { status: { userInfo: { username: 'alice' } } } };
    const cluster = connectCluster(server.config());
    expect([await cluster.self(), await cluster.self()]).toEqual(['alice', 'alice']);
    expect(server.received).toHaveLength(1);
    expect(await cluster.control()).toBeNull();
    await cluster.close();
    await server.close();
  });

  it('control requests use a requested token until most of its life is over', async () => {
    tools = await startBench();
    const server = await startScripted();
    const token = tools.simulated.seed.requestToken('kube-system', 'tourniquet', { audiences: ['a', 'b'] });
    server.answer = {
      status: 201,
      body: { status: { token, expirationTimestamp: new Date(600_000).toISOString() } },
    };
    let now = 0;
    const control = { namespace: 'kube-system', serviceAccount: 'canary' };
    const cluster = connectCluster({ ...server.config(), control }, { now: () => now });
    expect(await cluster.control()).toMatchObject({ audiences: ['a', 'b'] });
    expect(server.received[0]).toMatchObject({
      path: '/api/v1/namespaces/kube-system/serviceaccounts/canary/token',
      body: expect.stringContaining('"expirationSeconds":600'),
    });
    now = 479_999;
    await cluster.control();
    expect(server.received).toHaveLength(1);
    now = 480_000;
    await cluster.control();
    expect(server.received).toHaveLength(2);
    await cluster.close();
    await server.close();
  });

  it('an impersonated user is not taken for the token that impersonates', async () => {
    tools = await startBench();
    const server = await startScripted();
    server.answer = { status: 201, body: { status: { userInfo: { username: 'somebody-else' } } } };
    const token = tools.simulated.seed.requestToken('kube-system', 'tourniquet');
    const cluster = connectCluster(server.config({ token, as: 'somebody-else' }));
    expect(await cluster.self()).toBe('somebody-else');
    expect(server.received[0]?.headers).toMatchObject({ 'impersonate-user': 'somebody-else' });
    expect(await cluster.control()).toBeNull();
    await cluster.close();
    await server.close();
  });
});
