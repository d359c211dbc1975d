// The launcher keeps its promises: quick to start, listening on loopback alone, and nothing left behind however it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  type ControlPlane,
  controlPlaneExecutable,
  externalCluster,
  externalFromEnvironment,
  startControlPlane,
} from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KubeObject, openNamespace, until } from './leak.ts';

const PARENT = fileURLToPath(new URL('crash-parent.ts', import.meta.url));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** 127.0.0.1 as Linux writes it there. */
const LOOPBACK = '0100007F';
const LISTEN = '0A';

/** Local addresses on which this process listens. */
async function listening(pid: number): Promise<string[]> {
  const fds = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && links.includes(`socket:[${inode}]`))
    .map(([, local = '']) => local.split(':')[0] ?? '');
}

const allGone = (pids: number[]): Promise<true> => until(async () => !pids.some(isAlive));

describe('starting and ending', () => {
  test('is ready in less than ten seconds where the cores are free, and leaves no process when closed', async () => {
    // Starting takes about eight seconds of processor time; whoever else works here now adds to the clock's.
    const isCrowded = (loadavg()[0] ?? 0) > availableParallelism() / 2;
    const started = Date.now();
    const plane = await startControlPlane();
    const took = Date.now() - started;
    const pids = plane.pids();
    console.log(`start to ready: ${took} ms, ${pids.length} processes, load ${loadavg()[0]?.toFixed(1)}`);
    expect(took).toBeLessThan(isCrowded ? 60_000 : 10_000);
    expect(pids.every(isAlive)).toBe(true);
    const closing = Date.now();
    await plane.close();
    console.log(`close: ${Date.now() - closing} ms`);
    await plane.close();
    await allGone(pids);
    await expect(plane.call('GET', '/readyz')).rejects.toThrow();
  });

  test('leaves no process when its parent is killed', async () => {
    const parent = spawn(process.execPath, [PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await Promise.race([once(parent.stdout, 'data'), once(parent, 'exit')]);
    const pids = JSON.parse(String(line)) as number[];
    expect(pids.length).toBe(7);
    expect(pids.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await allGone(pids);
  });
});

describe('a running control plane', () => {
  let plane: ControlPlane;
  const received: string[] = [];
  const webhook = createServer(async (request, response) => {
    received.push(await text(request));
    response.end();
  });
  beforeAll(async () => {
    await once(webhook.listen(0, '127.0.0.1'), 'listening');
    const address = webhook.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    plane = await startControlPlane({ servers: 2, auditWebhook: `http://127.0.0.1:${port}/audit` });
  });
  afterAll(async () => {
    await plane?.close();
    webhook.close();
    webhook.closeAllConnections();
  });

  test('says which version it is', async () => {
    const { body } = await plane.call<{ gitVersion: string }>('GET', '/version');
    expect(body.gitVersion).toBe('v1.37.2');
  });

  test('runs kubectl, and a Deployment that really rolls', async () => {
    const kubectl = async (...args: string[]) => {
      const result = await plane.kubectl(args);
      expect(result).toMatchObject({ code: 0 });
      return result.stdout;
    };
    await kubectl('create', 'deployment', 'web', '--image=example.test/none', '--replicas=3');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    const names = ['get', 'pods', '-lapp=web', '-oname', '--field-selector=status.phase=Running'];
    const before = await kubectl(...names);
    const started = Date.now();
    await kubectl('rollout', 'restart', 'deployment/web');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    console.log(`rollout restart of 3: ${Date.now() - started} ms`);
    const after = (await kubectl(...names)).trim().split('\n');
    expect(after.filter((name) => before.includes(name))).toEqual([]);
    expect((await plane.kubectl(['get', 'nothing'])).code).toBe(1);
  });

  test('gives out a kubeconfig of a ServiceAccount', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tourniquet-kubeconfig-'));
    const path = join(directory, 'config');
    await writeFile(path, await plane.kubeconfig({ namespace: 'ops', serviceAccount: 'bot' }));
    const { stdout } = await plane.kubectl(['auth', 'whoami', '-ojson', `--kubeconfig=${path}`]);
    await rm(directory, { recursive: true });
    expect(stdout).toContain('system:serviceaccount:ops:bot');
  });

  test('keeps an audit log, and sends it, without any token in it', async () => {
    const space = await openNamespace(plane);
    await space.serviceAccount('robot');
    const token = await space.requestToken('robot');
    await space.probe(token, 1);
    await space.review(token);
    const username = `system:serviceaccount:${space.namespace}:robot`;
    const event = await until(async () =>
      (await plane.auditLog()).find(({ user }) => user.username === username),
    );
    expect(event).toMatchObject({ level: 'Metadata', verb: 'create', responseStatus: { code: 201 } });
    expect(event.user.extra?.['authentication.kubernetes.io/credential-id']?.[0]).toMatch(/^JTI=/);
    await until(async () => received.some((batch) => batch.includes(username)));
    const signature = token.split('.')[2] ?? token;
    expect(JSON.stringify(await plane.auditLog())).not.toContain(signature);
    expect(received.join()).not.toContain(signature);
  });

  test('loses and regains one of its servers', async () => {
    const [first, second] = plane.servers;
    await second?.stop();
    await expect(plane.call('GET', '/readyz', { server: 1 })).rejects.toThrow();
    expect((await plane.call('GET', '/readyz')).status).toBe(200);
    const before = second?.pid;
    await second?.start();
    expect((await plane.call('GET', '/readyz', { server: 1 })).status).toBe(200);
    expect(second?.pid).not.toBe(before);
    expect(first?.url).not.toBe(second?.url);
  });

  test('is cloned with its keys and UIDs, and each kills for itself', async () => {
    const space = await openNamespace(plane);
    const { metadata } = await space.serviceAccount('robot');
    const leaked = await space.legacyToken('robot', 'robot-token');
    const copying = Date.now();
    const from = await plane.snapshot();
    console.log(`snapshot: ${Date.now() - copying} ms`);
    const clone = await startControlPlane({ name: 'clone', nodes: 0, from });
    try {
      const twin = await clone.call<KubeObject>('GET', space.at('serviceaccounts', 'robot'));
      expect(twin.body.metadata.uid).toBe(metadata.uid);
      await space.remove('secrets', 'robot-token');
      await space.death(leaked, Date.now());
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
      expect((await clone.call('POST', path, { token: leaked, body })).status).toBe(201);
    } finally {
      await clone.close();
    }
  });

  test('stands in for an external cluster, which only explicit names select', async () => {
    expect(externalFromEnvironment({ KUBECONFIG: '/anywhere' })).toBeUndefined();
    expect(() => externalFromEnvironment({ CONTROLPLANE_CONTEXT: 'prod' })).toThrow(
      'CONTROLPLANE_KUBECONFIG',
    );
    const directory = await mkdtemp(join(tmpdir(), 'tourniquet-kubeconfig-'));
    const path = join(directory, 'config');
    await writeFile(path, plane.adminKubeconfig);
    const command = [await controlPlaneExecutable(), 'kubectl'];
    await expect(externalCluster({ kubeconfig: path, context: 'other', command })).rejects.toThrow();
    const cluster = await externalCluster({ kubeconfig: path, context: plane.name, command });
    expect(cluster.servers).toEqual([{ url: plane.servers[0]?.url }]);
    expect(cluster.caPem).toBe(plane.caPem);
    expect(await cluster.kubeconfig({ namespace: 'ops', serviceAccount: 'other' })).toContain('token:');
    await cluster.close();
    await rm(directory, { recursive: true });
  });

  test.runIf(process.platform === 'linux')('listens on 127.0.0.1 alone', async () => {
    const addresses = (await Promise.all(plane.pids().map(listening))).flat();
    // etcd's two, and one of each API server.
    expect(addresses).toEqual(Array(4).fill(LOOPBACK));
  });
});
