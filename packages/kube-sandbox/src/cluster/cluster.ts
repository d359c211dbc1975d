// Starts a simulated Kubernetes cluster: real HTTPS, real tokens and real rules of revocation, in one process.
import { stringify } from 'yaml';
import { issueServingCertificate } from '../certificate.ts';
import { type Administrator, administrator } from './administrator.ts';
import type { KubeObject } from './apimachinery/objects.ts';
import { endpointSlices, resourceOfKind, resources, serviceAccounts } from './apimachinery/resources.ts';
import { ApiServer, type Incoming } from './apiserver/api-server.ts';
import type { Answer } from './apiserver/call.ts';
import { Faults, type LoggedRequest } from './apiserver/faults.ts';
import { findTarget } from './apiserver/paths.ts';
import { bootstrap, publishAddresses } from './bootstrap.ts';
import { runTokenController } from './controllers/token-controller.ts';
import { runWorkloadController } from './controllers/workload-controller.ts';
import { Seed } from './seed.ts';
import { Store } from './storage/store.ts';
import { Timeline } from './storage/timeline.ts';
import type { World } from './storage/world.ts';
import { generateSigningKey, type SigningAlgorithm, type SigningKeys } from './tokens/tokens.ts';

export interface ClusterOptions {
  name?: string;
  /** How many API server addresses; all share one store. */
  servers?: number;
  /** One for all servers, or one each. */
  version?: string | string[];
  signing?: SigningAlgorithm;
  /** Another cluster's `keys`: what a clone or a restored cluster has. */
  keys?: SigningKeys;
  /** Another cluster's `objects()`: a restore keeps their UIDs. */
  objects?: KubeObject[];
  now?: () => number;
  tokenCacheMs?: number;
  /** How long a Pod takes to become Ready. */
  podStartMs?: number;
  /** How long a Pod takes to stop when deleted; its grace period is the most. */
  podStopMs?: number;
  /** False: legacy tokens are signed by a key of their own that discovery does not show. */
  legacyKeysInJwks?: boolean;
  /** False: reached by each server's `ask` alone, which is many times as fast. */
  sockets?: boolean;
}

export interface SimulatedServer {
  url: string;
  /** host:port */
  address: string;
  version: string;
  /** False while it is stopped. */
  readonly up: boolean;
  /** Whether it would accept this token now, by its own cache too; asking changes nothing. */
  accepts(token: string, audiences?: string[]): boolean;
  /** One request without a socket; see ApiServer. */
  ask(incoming: Incoming, body?: string): Promise<Answer>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SimulatedCluster {
  name: string;
  servers: SimulatedServer[];
  /** Of the first server. */
  url: string;
  caPem: string;
  readonly keys: SigningKeys;
  seed: Seed;
  faults: Faults;
  /** Every request in order of arrival. */
  requests: LoggedRequest[];
  /** A kubeconfig whose user is this ServiceAccount, made if need be, with an unbound token of a year. */
  kubeconfig(user: { namespace: string; serviceAccount: string; server?: number }): string;
  /** The object at an API path, or undefined. */
  get(path: string): KubeObject | undefined;
  /** Everything in the store: a backup. */
  objects(): KubeObject[];
  /** Puts objects back as they were, UIDs and all, as a restored backup of etcd does. */
  restore(objects: KubeObject[]): void;
  /** As somebody else with kubectl. Throws ApiError. */
  administer: Administrator;
  /** Signs and verifies by other keys from now on. */
  sign(keys: SigningKeys): void;
  /** Forgets history: older watches and `continue` tokens get 410. */
  compact(): void;
  close(): Promise<void>;
}

const CURRENT = '1.37.2';
const YEAR_SECONDS = 365 * 24 * 3600;
const HOSTS = ['127.0.0.1', 'localhost', 'kubernetes.default.svc'];

function makeKeys({ signing = 'RS256', legacyKeysInJwks = true }: ClusterOptions): SigningKeys {
  const bound = generateSigningKey(signing);
  return { bound, legacy: legacyKeysInJwks ? bound : generateSigningKey(signing) };
}

function restore(world: World, objects: KubeObject[]): void {
  for (const object of objects) {
    const [group] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
    const resource = resourceOfKind(group ?? '', object.kind);
    if (resource !== undefined && resource !== endpointSlices) world.store.restore(resource, object);
  }
}

function versionOf({ version = CURRENT }: ClusterOptions, index: number): string {
  return typeof version === 'string' ? version : (version[index] ?? CURRENT);
}

function kubeconfig(name: string, server: string, caPem: string, token: string): string {
  const ca = Buffer.from(caPem).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

function makeWorld(options: ClusterOptions, caPem: string): World {
  const { name = 'simulated', now = Date.now, podStartMs = 0, podStopMs = 0 } = options;
  const keys = options.keys ?? makeKeys(options);
  const timeline = new Timeline(now);
  return { name, store: new Store(), keys, now, timeline, caPem, podStartMs, podStopMs };
}

export async function startCluster(options: ClusterOptions = {}): Promise<SimulatedCluster> {
  const certificate = issueServingCertificate(options.name ?? 'simulated', HOSTS);
  const { caPem } = certificate;
  const world = makeWorld(options, caPem);
  const faults = new Faults();
  const log: LoggedRequest[] = [];
  const tokenCacheMs = options.tokenCacheMs ?? 10_000;
  const servers = Array.from({ length: options.servers ?? 1 }, (_, index) => {
    const version = versionOf(options, index);
    const { sockets = true } = options;
    return new ApiServer({ index, version, world, certificate, faults, log, tokenCacheMs, sockets });
  });
  await Promise.all(servers.map((server) => server.start()));
  restore(world, options.objects ?? []);
  bootstrap(world);
  publishAddresses(
    world,
    servers.map(({ port }) => port),
  );
  runTokenController(world);
  runWorkloadController(world);
  return handleOf(world, servers, faults, log);
}

function handleOf(
  world: World,
  servers: ApiServer[],
  faults: Faults,
  requests: LoggedRequest[],
): SimulatedCluster {
  const { name, caPem, store } = world;
  const seed = new Seed(world);
  const urlOf = (index: number): string => servers[index]?.url ?? '';
  return {
    name,
    servers,
    url: urlOf(0),
    caPem,
    get keys() {
      return world.keys;
    },
    seed,
    faults,
    requests,
    kubeconfig({ namespace, serviceAccount, server = 0 }) {
      if (store.get(serviceAccounts, namespace, serviceAccount) === undefined) {
        seed.serviceAccount(namespace, serviceAccount);
      }
      const token = seed.requestToken(namespace, serviceAccount, { expirationSeconds: YEAR_SECONDS });
      return kubeconfig(name, urlOf(server), caPem, token);
    },
    get(path) {
      const target = findTarget(path);
      return target && structuredClone(store.get(target.resource, target.namespace, target.name));
    },
    objects: () => structuredClone(resources.flatMap((resource) => store.list(resource))),
    restore: (objects) => restore(world, structuredClone(objects)),
    administer: administrator(world),
    sign(next) {
      world.keys = next;
    },
    compact: () => store.compact(),
    async close() {
      world.timeline.close();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
