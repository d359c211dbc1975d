// Redis over TLS: with the authority that is named it works for the log and the queue, and without it nothing is sent.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../../../sandbox/redis.ts';
import { openStore } from '../../../src/adapters/redis/connect.ts';
import { Secret } from '../../../src/secret.ts';
import { openWorld, recordingLog } from './support.ts';

const tls = issueServingCertificate('redis', ['localhost']);
let redis: OwnRedis;
let directory: string;
let caFile: string;

beforeAll(async () => {
  redis = await startOwnRedis({ tls });
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-tls-'));
  caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, tls.caPem);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await redis.close();
});

test('the log is written and read over TLS, and so is a patient connection', async () => {
  expect(redis.url).toMatch(/^rediss:/);
  const world = openWorld(redis, { caFile });
  await world.open('one', 3);
  expect((await world.log.load('one'))?.events.length).toBe(3);
  expect(await world.store.patient().ping()).toBe('PONG');
  await world.close();
});

test('a certificate of nobody known is refused, and the message says what to do', async () => {
  const store = openStore(new Secret(redis.url), recordingLog());
  await expect(store.run((connection) => connection.ping())).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(/certificate of Redis is not trusted \([A-Z_]+\).*redis\.caFile/),
  });
  await store.close();
});

test('a certificate of another name is refused', async () => {
  const url = redis.url.replace('localhost', '127.0.0.1');
  const store = openStore(new Secret(url), recordingLog(), { caFile });
  await expect(store.run((connection) => connection.ping())).rejects.toMatchObject({
    message: expect.stringMatching(/certificate of Redis is not trusted/),
  });
  await store.close();
});

test('a file of authorities that is not there is said at once', () => {
  expect(() => openStore(new Secret(redis.url), recordingLog(), { caFile: '/nowhere/ca.pem' })).toThrow(
    expect.objectContaining({ code: 'bad-config', message: expect.stringContaining('/nowhere/ca.pem') }),
  );
});
