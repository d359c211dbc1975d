// Everything that Tourniquet lives in, on free ports of this machine: Redis, a Slack workspace, clusters, and its own processes.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterOptions, type SimulatedCluster, startCluster } from 'kube-sandbox';
import { defaultPeople, startWorkspace, type Workspace, type WorkspaceOptions } from 'slack-sandbox';
import { stringify } from 'yaml';
import { commands } from '../commands/index.ts';
import type { FileConfigInput } from '../src/config/file-schema.ts';
import { type RoleOptions, type RoleProcess, startRole } from './process.ts';
import { type SandboxRedis, startRedis } from './redis.ts';
import { type Senders, senders } from './senders.ts';

/** What a world needs of a cluster, simulated or real. */
export interface WorldCluster {
  name: string;
  servers: readonly { readonly url: string }[];
  caPem: string;
  /** For the configuration, where the EndpointSlice does not hold addresses that can be reached from here. */
  apiServers?: { url: string }[];
  /** Text of a kubeconfig whose user is this ServiceAccount. */
  kubeconfig(user: { namespace: string; serviceAccount: string }): string | Promise<string>;
  close(): Promise<void>;
}

export interface WorldOptions<C extends WorldCluster = SimulatedCluster> {
  /** By name: what to simulate, or how to start another. */
  clusters?: Record<string, (SimulatedCluster extends C ? ClusterOptions : never) | (() => Promise<C>)>;
  slack?: WorkspaceOptions;
  /** Overrides of the configuration file. */
  config?: Partial<Omit<FileConfigInput, 'slack'>> & { slack?: Partial<FileConfigInput['slack']> };
  /** Namespaces of a cluster in which a token may be found by its hash. */
  searchNamespaces?: Record<string, string[]>;
  redis?: () => Promise<SandboxRedis>;
}

export interface World<C extends WorldCluster = SimulatedCluster> extends Senders {
  redis: SandboxRedis;
  slack: Workspace;
  clusters: Record<string, C>;
  cluster(name: string): C;
  /** Environment of the roles; also what a command line needs. */
  env: Record<string, string>;
  startRole(role: 'bot' | 'worker', options?: RoleOptions): Promise<RoleProcess>;
  /** The role's newest process. */
  bot(): RoleProcess;
  worker(): RoleProcess;
  /** All that the roles ever wrote. */
  output(): string;
  /** Stops everything; the log of the roles stays readable. */
  close(): Promise<void>;
}

export const WORKER = { namespace: 'tourniquet', serviceAccount: 'tourniquet-worker' };
export const INCIDENTS = 'incidents';

const person = (name: string): string => defaultPeople.find((one) => one.name === name)?.id ?? '';

export async function startWorld<C extends WorldCluster = SimulatedCluster>(
  options: WorldOptions<C> = {},
): Promise<World<C>> {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-world-'));
  const cleanup: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of cleanup.splice(0).toReversed()) await step();
  };
  try {
    const redis = await (options.redis ?? startRedis)();
    cleanup.push(() => redis.close());
    const slack = await startWorkspace({ commands: slashCommands(), ...options.slack });
    cleanup.push(() => slack.close());
    const clusters: Record<string, C> = {};
    const wanted: Record<string, ClusterOptions | (() => Promise<WorldCluster>)> = options.clusters ?? {
      prod: { servers: 2 },
    };
    for (const [name, cluster] of Object.entries(wanted)) {
      const started = typeof cluster === 'function' ? await cluster() : await simulate({ name, ...cluster });
      clusters[name] = started as C;
      cleanup.push(() => started.close());
    }
    const { env, secrets } = await writeConfig(directory, { redis, slack, clusters }, options);
    return assemble({ redis, slack, clusters, env, secrets, cleanup, close });
  } catch (error) {
    await close();
    throw error;
  }
}

async function simulate(options: ClusterOptions): Promise<SimulatedCluster> {
  const started = await startCluster(options);
  if (!started.get(`/api/v1/namespaces/${WORKER.namespace}`)) started.seed.namespace(WORKER.namespace);
  return started;
}

const slashCommands = () =>
  commands.map(({ name, help }) => ({
    command: `/${name}`,
    description: help.summary,
    usageHint: help.usage,
  }));

interface Parts<C extends WorldCluster>
  extends Pick<World<C>, 'redis' | 'slack' | 'clusters' | 'env' | 'close'> {
  secrets: { report: string; gitguardian: string };
  cleanup: (() => Promise<unknown>)[];
}

function assemble<C extends WorldCluster>({ secrets, cleanup, ...parts }: Parts<C>): World<C> {
  let output = '';
  const processes: Partial<Record<'bot' | 'worker', RoleProcess>> = {};
  const newest = (role: 'bot' | 'worker'): RoleProcess => {
    const found = processes[role];
    if (!found) throw new Error(`No ${role} was started in this world.`);
    return found;
  };
  return {
    ...parts,
    ...senders(() => `http://127.0.0.1:${newest('bot').ports.http}`, secrets),
    cluster(name) {
      const found = parts.clusters[name];
      if (!found) throw new Error(`There is no cluster ${name} in this world.`);
      return found;
    },
    async startRole(role, options) {
      const collect = (text: string) => {
        output += text;
      };
      const started = await startRole(role, parts.env, collect, options);
      processes[role] = started;
      cleanup.push(() => started.stop());
      return started;
    },
    bot: () => newest('bot'),
    worker: () => newest('worker'),
    output: () => output,
  };
}

async function writeConfig<C extends WorldCluster>(
  directory: string,
  { redis, slack, clusters }: Pick<World<C>, 'redis' | 'slack' | 'clusters'>,
  { config = {}, searchNamespaces = {} }: Pick<WorldOptions, 'config' | 'searchNamespaces'>,
) {
  const entries = Object.entries(clusters).map(async ([name, cluster]) => {
    const path = join(directory, `${name}.kubeconfig`);
    await writeFile(path, await cluster.kubeconfig(WORKER));
    const { apiServers } = cluster;
    return {
      name,
      kubeconfig: path,
      searchNamespaces: searchNamespaces[name] ?? [],
      ...(apiServers && { apiServers }),
    };
  });
  const file: FileConfigInput = {
    people: { responders: [person('maya')], approvers: [person('ines'), person('tomas')] },
    clusters: await Promise.all(entries),
    http: { host: '127.0.0.1', port: 0, healthPort: 0 },
    redis: { prefix: redis.prefix },
    ...config,
    slack: { channel: 'CINCIDENTS', apiUrl: slack.apiUrl, ...config.slack },
  };
  const path = join(directory, 'tourniquet.yaml');
  await writeFile(path, stringify(file));
  const secrets = {
    report: `whsec_${randomBytes(32).toString('base64')}`,
    gitguardian: randomBytes(24).toString('hex'),
  };
  const env = {
    TOURNIQUET_CONFIG: path,
    TOURNIQUET_KEY: randomBytes(32).toString('base64'),
    REDIS_URL: redis.url,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
    TOURNIQUET_SOURCE_REPORT: secrets.report,
    TOURNIQUET_SOURCE_GITGUARDIAN: secrets.gitguardian,
  };
  return { env, secrets };
}
