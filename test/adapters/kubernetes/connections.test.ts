// Connections that are kept, cut, hung, proxied, rotated and deceived.
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectedCluster, connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { Secret } from '../../../src/secret.ts';
import { CREDENTIAL, failure, LEAKED } from './failure.ts';
import { type Scripted, startScripted } from './scripted-server.ts';

const secret = { resource: resources.secrets, namespace: 'shop', name: 'payments-token' };
const patch = [{ op: 'test', path: '/data/token', value: LEAKED } as const];

let server: Scripted;
beforeEach(async () => {
  server = await startScripted();
});
afterEach(() => server.close());

describe.each(['h1', 'h2'] as const)('the kept connection over %s', (protocol) => {
  let other: Scripted;
  let kept: ConnectedCluster;
  beforeEach(async () => {
    other = await startScripted(protocol);
    kept = connectCluster({ ...other.config(), timeout: 2000 });
  });
  afterEach(async () => {
    await kept.close();
    await other.close();
  });

  it('is one for many requests, and speaks the protocol that is offered', async () => {
    for (let i = 0; i < 20; i++) await kept.get(secret);
    // Over HTTP/1.1 a second one is opened where the first was not yet marked free.
    expect(other.connections).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 2);
    expect(':path' in (other.received[0]?.headers ?? {})).toBe(protocol === 'h2');
  });

  it('cut after the request arrived: an error, and the patch is not sent twice', async () => {
    await kept.get(secret);
    other.answer = 'cut';
    const error = await failure(kept.patch(secret, patch));
    expect(error).toMatchObject({ code: 'unreachable', retry: true });
    expect(error.message).toContain('may or may not have been carried out');
    other.answer = { status: 200 };
    await kept.get(secret);
    expect(other.received.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'GET']);
  });

  it('hanging: a timeout, and the next request does not wait behind it', async () => {
    await kept.get(secret);
    other.answer = 'hang';
    expect(await failure(kept.patch(secret, patch))).toMatchObject({ code: 'timeout', retry: true });
    const before = other.connections;
    other.answer = { status: 200 };
    await kept.get(secret);
    expect([other.received.length, other.connections]).toEqual([3, before + 1]);
  });

  it('survives a restart of the server', async () => {
    await kept.get(secret);
    await other.stop();
    const error = await failure(kept.get(secret));
    expect(error).toMatchObject({ code: 'unreachable', retry: true });
    expect(error.message).toContain('Nothing was changed');
    await other.start();
    await expect(kept.get(secret)).resolves.toBeDefined();
  });
});

describe('the credential', () => {
  it('changed on disk is used for the next request, on a new connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tourniquet-'));
    const user = Object.entries(server.certifiedUser).map(([kind, data]) => {
      const path = join(folder, kind);
      writeFileSync(path, Buffer.from(data, 'base64'));
      return [kind.replace('-data', ''), path];
    });
    const rotating = connectCluster(server.config(Object.fromEntries(user)));
    for (const change of ['', '', '\n', '']) {
      appendFileSync(join(folder, 'client-certificate-data'), change);
      await rotating.get(secret);
    }
    expect([server.connections, server.certified]).toEqual([2, 2]);
    await rotating.close();
    rmSync(folder, { recursive: true });
  });

  it('that never comes is a timeout', async () => {
    const stuck = connectCluster({ ...server.config({ exec: { command: 'cat', args: [] } }), timeout: 300 });
    expect(await failure(stuck.get(secret))).toMatchObject({ code: 'timeout', retry: true });
    expect(server.received).toHaveLength(0);
    await stuck.close();
  });
});

describe('a proxy', () => {
  it('is used for kept connections and for probes', async () => {
    let tunnels = 0;
    const proxy = createServer().on('connect', (request, socket: Socket) => {
      tunnels++;
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    const behind = connectCluster(server.config({ token: 't' }, { 'proxy-url': `http://127.0.0.1:${port}` }));
    await behind.get(secret);
    await behind.get(secret);
    expect(tunnels).toBe(1);
    expect((await behind.probe(server.url, new Secret(LEAKED))).answer).toBe('accepted');
    expect(tunnels).toBe(2);
    await behind.close();
    proxy.close();
  });
});

describe('trust', () => {
  it('a server with a certificate of another authority gets nothing', async () => {
    const impostor = await startScripted();
    const deceived = connectCluster(server.config({ token: CREDENTIAL }, { server: impostor.url }));
    const error = await failure(deceived.get(secret));
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('certificate not trusted');
    expect(impostor.received).toHaveLength(0);
    await deceived.close();
    await impostor.close();
  });
});
