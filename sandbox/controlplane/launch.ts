// Starts a real Kubernetes control plane on free ports of this machine, in seconds, and leaves nothing of it behind.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditEvent, readAuditLogs } from './audit.ts';
import { controlPlaneExecutable } from './build.ts';
import { type Call, type Caller, createCaller } from './call.ts';
import { type Component, startComponent, type Workplace } from './component.ts';
import { type Files, type SigningAlgorithm, writeFiles } from './files.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags } from './flags.ts';
import { freePorts } from './free-ports.ts';
import { kubeconfig } from './kubeconfig.ts';
import { createKubectl } from './kubectl.ts';
import { startNodes } from './nodes.ts';
import type { RealCluster } from './real-cluster.ts';
import { requestToken } from './request-token.ts';
import { startUndertaker } from './undertaker.ts';

export interface ControlPlaneOptions {
  name?: string;
  /** API servers on one etcd. */
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

export interface ApiServer {
  readonly url: string;
  /** host:port */
  readonly address: string;
  readonly pid: number;
  /** Ends it at once, as a node failure would. */
  stop(): Promise<void>;
  /** On the same port; resolves when it is ready. */
  start(): Promise<void>;
}

/** A copy of the data and of the signing key, which lives until the control plane that made it is closed. */
export interface Snapshot {
  readonly directory: string;
}

export interface ControlPlane extends RealCluster {
  servers: readonly ApiServer[];
  call: Call;
  /** Of all servers so far, at level Metadata. */
  auditLog(): Promise<AuditEvent[]>;
  /** The API servers cannot be used meanwhile. */
  snapshot(): Promise<Snapshot>;
  /** Process ids of everything that runs for this control plane. */
  pids(): number[];
  close(): Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const executable = await controlPlaneExecutable();
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-controlplane-'));
  const undertaker = startUndertaker(directory);
  const running: Component[] = [];
  const close = async (): Promise<void> => {
    // In reverse: an API server without its etcd lingers and holds its port.
    for (const component of running.splice(0).toReversed()) await component.kill();
    await rm(directory, { recursive: true, force: true });
    undertaker.dismiss();
  };
  try {
    return await assemble({ executable, directory, undertaker }, options, running, close);
  } catch (error) {
    await close();
    throw error;
  }
}
