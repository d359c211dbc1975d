// The only file that joins adapters with registries: builds one role of Tourniquet from its configuration.
import { commands } from '../commands/index.ts';
import { actions } from './actions/index.ts';
import { createDesk, startClerk } from './adapters/bullmq/desk.ts';
import { createJobQueue } from './adapters/bullmq/queue.ts';
import { startWorker } from './adapters/bullmq/worker.ts';
import { startHealth } from './adapters/http/health.ts';
import { startHttp } from './adapters/http/intake.ts';
import { connectCluster } from './adapters/kubernetes/cluster.ts';
import { createCardStore } from './adapters/redis/card-store.ts';
import { openStore } from './adapters/redis/connect.ts';
import { createIncidentLog } from './adapters/redis/incident-log.ts';
import { deriveKeys } from './adapters/redis/keys.ts';
import { createReplayGuard } from './adapters/redis/replay-guard.ts';
import { createVault } from './adapters/redis/vault.ts';
import { startSlack } from './adapters/slack/app.ts';
import type { Config } from './config.ts';
import { answer } from './engine/answer.ts';
import { createFront } from './engine/create-front.ts';
import type { BotDeps, Settings } from './engine/deps.ts';
import { doReport, doWork, sweep } from './engine/work.ts';
import { every } from './every.ts';
import type { Log } from './log.ts';
import { sources } from './sources/index.ts';

export interface Running {
  /** Port of the webhooks (bot) and of the health endpoint (worker). */
  ports: { http?: number; health?: number };
  /** Finishes what is running, within the grace period, and lets go of everything. */
  stop(graceMs: number): Promise<void>;
}

const clock = { now: () => Date.now() };
/** Every reporter of every process, so that the worker knows what the bot owes. */
const REPORTERS = ['slack'] as const;
/** How long the bot waits for the worker's answer to a question; people wait for it. */
const ASK_DEADLINE_MS = 2500;
const CONCURRENCY = 8;

/** Cleans up in reverse order, each step whether or not the one before it failed. */
class Stack {
  readonly #steps: ((graceMs: number) => Promise<unknown> | unknown)[] = [];

  onStop(step: (graceMs: number) => Promise<unknown> | unknown): void {
    this.#steps.push(step);
  }

  async stop(graceMs: number, log: Log): Promise<void> {
    for (const step of this.#steps.toReversed())
      await Promise.resolve()
        .then(() => step(graceMs))
        .catch((err: unknown) => log.warn({ err }, 'a part did not stop cleanly'));
  }
}

export async function compose(config: Config, log: Log): Promise<Running> {
  const stack = new Stack();
  try {
    const shared = openShared(config, log, stack);
    const ports: Running['ports'] = {};
    if (config.role !== 'bot') ports.health = await startWorkerRole(config, log, shared, stack);
    if (config.role !== 'worker') ports.http = await startBotRole(config, log, shared, stack);
    const sweeping = every(
      config.sweepEvery,
      () => sweep(shared.deps),
      (err) => log.warn({ err }, 'sweeping failed; it is tried again'),
    );
    stack.onStop(() => sweeping.stop());
    return { ports, stop: (graceMs) => stack.stop(graceMs, log) };
  } catch (error) {
    await stack.stop(1000, log);
    throw error;
  }
}

type Shared = ReturnType<typeof openShared>;

function openShared(config: Config, log: Log, stack: Stack) {
  const { prefix } = config.redis;
  const keys = deriveKeys(config.key);
  const store = openStore(config.redisUrl, log);
  stack.onStop(() => store.close());
  const queueOptions = { connections: store, prefix, clock, log };
  const queue = createJobQueue(queueOptions);
  stack.onStop(() => queue.close());
  const deps: BotDeps = {
    log: createIncidentLog({ store, prefix, keys, clock }),
    vault: createVault({ store, prefix, keys }),
    queue,
    clock,
    settings: settingsOf(config),
    logger: log,
  };
  return { store, prefix, queueOptions, deps };
}

function settingsOf(config: Config): Settings {
  const { approvalExpiry, keepTokenFor, proof } = config;
  return {
    timing: {
      approvalExpiry,
      keepTokenFor,
      stability: proof.stability,
      retryEvery: proof.retryEvery,
      recheckAfter: proof.recheckAfter,
    },
    giveUpAfter: proof.giveUpAfter,
    protectedNamespaces: config.protectedNamespaces,
    autoContain: config.autoContain,
    autoContainPerHour: config.autoContainPerHour,
    searchNamespaces: Object.fromEntries(
      config.clusters.map(({ name, searchNamespaces }) => [name, searchNamespaces]),
    ),
    reporters: REPORTERS,
  };
}

async function startWorkerRole(
  config: Config,
  log: Log,
  { queueOptions, deps, store }: Shared,
  stack: Stack,
): Promise<number> {
  const clusters = new Map(config.clusters.map((cluster) => [cluster.name, connectCluster(cluster)]));
  for (const cluster of clusters.values()) stack.onStop(() => cluster.close());
  // A cluster that is away now is tried again when it is needed; the others must not wait for it.
  for (const cluster of clusters.values()) void warm(cluster, log);
  const workerDeps = { ...deps, clusters, actions };
  const worker = startWorker('worker', (work) => doWork(workerDeps, work), {
    ...queueOptions,
    concurrency: CONCURRENCY,
  });
  stack.onStop((graceMs) => worker.close(graceMs));
  const clerk = startClerk((question) => answer(clusters, question), queueOptions);
  stack.onStop(() => clerk.close());
  const health = await startHealth({
    host: config.http.host,
    port: config.http.healthPort,
    ready: () => storeProblems(store),
  });
  stack.onStop(() => health.close());
  return health.port;
}

async function warm(cluster: ReturnType<typeof connectCluster>, log: Log): Promise<void> {
  try {
    await cluster.warm();
    await Promise.all([cluster.self(), cluster.servers()]);
  } catch (err) {
    log.warn(
      { err, cluster: cluster.name },
      'this cluster does not answer yet; it is asked again when needed',
    );
  }
}

async function startBotRole(config: Config, log: Log, shared: Shared, stack: Stack): Promise<number> {
  const { queueOptions, deps, store, prefix } = shared;
  const desk = createDesk(queueOptions);
  stack.onStop(() => desk.close());
  const { approvers, responders } = config.people;
  const roster = { approvers, responders, teamId: '' };
  const front = createFront(deps, {
    roster,
    clusters: config.clusters.map(({ name }) => name),
    ask: (question) => desk.ask(question, ASK_DEADLINE_MS),
    health: () => storeProblems(store),
  });
  const slack = await startSlack({
    botToken: required(config.slackBotToken),
    appToken: required(config.slackAppToken),
    apiUrl: config.slack.apiUrl,
    channel: config.slack.channel,
    updateEvery: config.slack.updateEvery,
    approvalExpiry: config.approvalExpiry,
    store: createCardStore({ store, prefix }),
    approvers,
    responders,
    front,
    commands,
    clock,
    log,
  });
  roster.teamId = slack.teamId;
  stack.onStop((graceMs) => slack.stop(graceMs));
  const worker = startWorker('bot', (work) => doReport(deps, [slack.reporter], work), {
    ...queueOptions,
    concurrency: CONCURRENCY,
  });
  stack.onStop((graceMs) => worker.close(graceMs));
  const guard = createReplayGuard({ store, prefix });
  const http = await startHttp({
    ...config.http,
    sources,
    secrets: config.sourceSecrets,
    clock,
    receive: front.report,
    update: front.update,
    seen: guard.seen,
    forget: guard.forget,
    ready: () => storeProblems(store),
    log,
  });
  stack.onStop(() => http.close());
  return http.port;
}

async function storeProblems(store: Shared['store']): Promise<string[]> {
  try {
    await store.run((redis) => redis.ping());
    return [];
  } catch {
    return ['Redis does not answer: nothing new is accepted until it does; nothing accepted is lost.'];
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('unreachable: loadConfig refuses a bot without it');
  return value;
}
