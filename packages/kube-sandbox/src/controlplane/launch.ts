// Starts a real Kubernetes control plane on free ports of this machine, in seconds, and leaves nothing of it behind.
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Call, createCaller } from './client/call.ts';
import { kubeconfig } from './client/kubeconfig.ts';
import { createKubectl } from './client/kubectl.ts';
import { requestToken } from './client/request-token.ts';
import { type ApiServer, createApiServer } from './components/api-server.ts';
import { type AuditEvent, readAuditLogs } from './components/audit.ts';
import { plainEnv } from './components/component.ts';
import { startControllers } from './components/controllers.ts';
import { type Files, SIGNING_KEY, type SigningAlgorithm, writeFiles } from './components/files.ts';
import { auditLogName } from './components/flags.ts';
import { freePorts } from './components/free-ports.ts';
import { startNodes } from './components/nodes.ts';
import { createStorage, type Snapshot, type Storage } from './components/storage.ts';
import { openWorkplace, type Workplace } from './components/workplace.ts';
import { controlPlaneExecutable } from './executable/build.ts';
import type { RealCluster } from './real-cluster.ts';

export interface ControlPlaneOptions {
  name?: string;
  /** API servers on one etcd; the controllers talk to the first. */
  servers?: 1 | 2;
  /** Of the service account keys: RSA signs the same claims alike each time, ECDSA does not. */
  signing?: SigningAlgorithm;
  /** Fake ones, on which Pods become ready and go at once; 0: no scheduler either. */
  nodes?: number;
  /** How long a Pod takes to become ready on them. */
  podStartMs?: number;
  /** Where to POST audit events as well. */
  auditWebhook?: string;
  /** Another control plane's `snapshot()`: a clone has its keys and UIDs. */
  from?: Snapshot;
}

export interface ControlPlane extends RealCluster {
  servers: readonly ApiServer[];
  call: Call;
  /** Of all servers so far, at level Metadata. */
  auditLog(): Promise<AuditEvent[]>;
  /** The API servers cannot be used meanwhile. */
  snapshot(): Promise<Snapshot>;
  /** Makes etcd forget what is not the present. */
  compact(): Promise<void>;
  /** Process ids of everything that runs for this control plane. */
  pids(): number[];
  close(): Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const executable = await controlPlaneExecutable();
  const directory = await mkdtemp(join(tmpdir(), 'kube-sandbox-'));
  const place = openWorkplace(executable, directory);
  try {
    return await assemble(place, options);
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function assemble(place: Workplace, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { directory } = place;
  const { name = 'real', from } = options;
  const ports = await freePorts(2 + (options.servers ?? 1));
  const urls = ports.slice(2).map((port) => `https://127.0.0.1:${port}`);
  const files = await writeFiles({
    directory,
    name,
    serverUrl: urls[0] ?? '',
    signing: options.signing ?? 'RS256',
    signingKeyPath: from && join(from.directory, SIGNING_KEY),
    auditWebhook: options.auditWebhook,
  });
  if (from) await cp(join(from.directory, 'etcd'), join(directory, 'etcd'), { recursive: true });
  const caller = createCaller(urls, files.caPem, files.admin);
  place.onClose(caller.close);
  const { call } = caller;
  const storage = createStorage(place, ports);
  const servers = ports.slice(2).map((port, index) => {
    const auditWebhook = options.auditWebhook !== undefined;
    return createApiServer(place, call, { directory, index, port, etcdPort: storage.port, auditWebhook });
  });
  await Promise.all([storage.start(), ...servers.map((server) => server.start())]);
  await Promise.all([
    startControllers(place, call, files.caPem),
    startNodes(place, call, { count: options.nodes ?? 1, podStartMs: options.podStartMs ?? 0 }),
  ]);
  const kubectl = createKubectl(
    [place.executable, 'kubectl'],
    join(directory, 'admin.kubeconfig'),
    plainEnv(directory),
  );
  return handleOf({ place, name, files, servers, storage, call, kubectl });
}

interface Parts extends Pick<ControlPlane, 'name' | 'servers' | 'call' | 'kubectl'> {
  place: Workplace;
  files: Files;
  storage: Storage;
}

function handleOf({ place, name, files, servers, storage, call, kubectl }: Parts): ControlPlane {
  return {
    name,
    servers,
    caPem: files.caPem,
    adminKubeconfig: files.adminKubeconfig,
    call,
    kubectl,
    async kubeconfig({ namespace, serviceAccount, server = 0 }) {
      const token = await requestToken(call, namespace, serviceAccount);
      return kubeconfig(name, servers[server]?.url ?? '', files.caPem, { token });
    },
    auditLog: () => readAuditLogs(servers.map((_, index) => join(place.directory, auditLogName(index)))),
    async snapshot() {
      const copy = await storage.copy();
      await Promise.all(servers.map((server) => server.untilReady()));
      return copy;
    },
    compact: storage.compact,
    pids: place.pids,
    close: place.close,
  };
}
