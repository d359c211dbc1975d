// The serving certificate is accepted by a strict TLS client for every promised name, and by no other CA.
import { X509Certificate } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueServingCertificate } from '../src/certificate.ts';
import { type SimulatedCluster, startCluster } from '../src/cluster/cluster.ts';

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startCluster({ signing: 'ES256' });
});
afterAll(() => cluster.close());

function handshake(servername: string | undefined, ca: string): Promise<string> {
  const port = Number(cluster.servers[0]?.address.split(':')[1]);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ...(servername ? { servername } : {}) });
    const done = (answer: string): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('secureConnect', () => done('trusted'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

test.each([undefined, 'localhost', 'kubernetes.default.svc'])('is trusted as %s', async (name) => {
  expect(await handshake(name, cluster.caPem)).toBe('trusted');
});

test('is refused under another name and by another CA', async () => {
  expect(await handshake('elsewhere.example', cluster.caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const { caPem } = issueServingCertificate('other', ['127.0.0.1']);
  expect(await handshake('localhost', caPem)).not.toBe('trusted');
});

test('the CA signs, the leaf does not', () => {
  const { caPem, certPem } = issueServingCertificate('shop', ['127.0.0.1', 'localhost']);
  const ca = new X509Certificate(caPem);
  const leaf = new X509Certificate(certPem);
  expect(ca.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.subjectAltName).toContain('DNS:localhost');
});

test('speaks HTTP/2 and HTTP/1.1', async () => {
  const session = connectHttp2(cluster.url, { ca: cluster.caPem });
  const overHttp2 = await new Promise((resolve, reject) => {
    session.on('error', reject);
    session.request({ ':path': '/readyz' }).on('response', (headers) => resolve(headers[':status']));
  });
  session.destroy();
  const overHttp1 = await new Promise((resolve, reject) => {
    const call = request(`${cluster.url}/readyz`, { ca: cluster.caPem, agent: false }, (response) => {
      response.resume();
      resolve([response.httpVersion, response.statusCode]);
    });
    call.on('error', reject).end();
  });
  expect(overHttp2).toBe(200);
  expect(overHttp1).toEqual(['1.1', 200]);
});
