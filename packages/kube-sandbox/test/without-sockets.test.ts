// What a long model needs of a simulated cluster: requests without sockets, a look at the truth that leaves no trace, and what somebody else does.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApiError } from '../src/cluster/apimachinery/status.ts';
import { type SimulatedCluster, startCluster } from '../src/cluster/cluster.ts';
import { generateSigningKey } from '../src/cluster/tokens/tokens.ts';

const SECRET = '/api/v1/namespaces/payments/secrets/api-token';
const ACCOUNT = '/api/v1/namespaces/payments/serviceaccounts/api';
const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const CACHED_MS = 10_000;

let now = Date.parse('2026-11-24T03:00:00Z');
let cluster: SimulatedCluster;
let token: string;
beforeEach(async () => {
  cluster = await startCluster({ sockets: false, now: () => now });
  cluster.seed.namespace('payments');
  cluster.seed.serviceAccount('payments', 'api');
  token = await cluster.seed.tokenSecret('payments', 'api-token', 'api');
});
afterEach(() => cluster.close());

const server = () => {
  const [first] = cluster.servers;
  if (first === undefined) throw new Error('no server');
  return first;
};
const ask = async () => {
  const headers = { authorization: `Bearer ${token}` };
  return (await server().ask({ method: 'POST', url: REVIEW, headers }, '{}')).status;
};

it('answers without a socket, and not while it is stopped', async () => {
  expect(await ask()).toBe(201);
  expect(cluster.requests.at(-1)).toMatchObject({ method: 'POST', path: REVIEW, status: 201 });
  await server().stop();
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await server().start();
  expect(await ask()).toBe(201);
});

it('fails and cuts as it is told to', async () => {
  cluster.faults.failNext(1, 500);
  expect(await ask()).toBe(500);
  cluster.faults.resetAfterAccept();
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

it('says what it would accept, and neither remembers that nor notes a use', async () => {
  const before = cluster.get(SECRET);
  expect(server().accepts(token)).toBe(true);
  expect(cluster.get(SECRET)).toEqual(before);
  cluster.administer('DELETE', SECRET);
  expect(server().accepts(token)).toBe(false);
});

it('says so of a success that it remembers too', async () => {
  await ask();
  cluster.administer('DELETE', SECRET);
  expect(server().accepts(token)).toBe(true);
  now += CACHED_MS;
  expect(server().accepts(token)).toBe(false);
});

it('lets an administrator write while every server is stopped, with the errors of the API', async () => {
  await server().stop();
  expect(cluster.administer('DELETE', ACCOUNT).status).toBe(200);
  expect(() => cluster.administer('DELETE', ACCOUNT)).toThrow(ApiError);
});

it('brings an object back with its UID, as a restored etcd does', () => {
  const backup = cluster.objects();
  const before = cluster.get(ACCOUNT);
  cluster.administer('DELETE', ACCOUNT);
  cluster.restore(backup.filter(({ kind }) => kind === 'ServiceAccount'));
  expect(cluster.get(ACCOUNT)).toEqual(before);
});

it('refuses what another key signed, once it signs by a new one', () => {
  const key = generateSigningKey('ES256');
  cluster.sign({ bound: key, legacy: key });
  expect(server().accepts(token)).toBe(false);
});
