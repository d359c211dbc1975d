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
import { createLocks } from './adapters/redis/locks.ts';
import { createReplayGuard } from './adapters/redis/replay-guard.ts';
import { createVault } from './adapters/redis/vault.ts';
import { startSlack } from './adapters/slack/app.ts';
import { slackReporter } from './adapters/slack/reporter.ts';
import type { Config } from './config.ts';
import { answer } from './engine/answer.ts';
import { createFront } from './engine/create-front.ts';
import type { BotDeps, Settings } from './engine/deps.ts';
import type { Front } from './engine/front.ts';
import { openSession } from './engine/session.ts';
import { doReport, doWork, sweep } from './engine/work.ts';
import { isAppError } from './errors.ts';
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
    locks: createLocks({ store, prefix }),
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
  const roster = { ...config.people, teamId: '' };
  const slack = { problem: 'Slack is not connected yet.' };
  const ready = async () => [...(await storeProblems(store)), ...(slack.problem ? [slack.problem] : [])];
  const front = createFront(deps, {
    roster,
    clusters: config.clusters.map(({ name }) => name),
    ask: (question) => desk.ask(question, ASK_DEADLINE_MS),
    health: ready,
  });
  // Alerts are accepted before Slack answers: they are durable without it, and shown when it is back.
  const guard = createReplayGuard({ store, prefix });
  const http = await startHttp({
    ...config.http,
    sources,
    secrets: config.sourceSecrets,
    clock,
    receive: front.report,
    update: front.update,
    seen: guard.seen,
    remember: guard.remember,
    toleranceMs: config.sources.tolerance,
    ready,
    log,
  });
  stack.onStop(() => http.close());
  await keepTrying(config, log, stack, async () => {
    roster.teamId = await startSlackParts(config, log, shared, front, stack);
    slack.problem = '';
  });
  return http.port;
}

/** An outage of Slack is waited out in the background; a wrong token is an error of the configuration and ends the start. */
async function keepTrying(
  { sweepEvery }: Config,
  log: Log,
  stack: Stack,
  connect: () => Promise<void>,
): Promise<void> {
  const attempt = async (): Promise<boolean> => {
    try {
      await connect();
      return true;
    } catch (err) {
      if (!isAppError(err) || !err.retry) throw err;
      log.warn({ err }, 'Slack does not answer; trying again. Alerts are accepted meanwhile');
      return false;
    }
  };
  if (await attempt()) return;
  const retrying = every(
    sweepEvery,
    async () => void ((await attempt()) && retrying.end()),
    (err) => log.error({ err }, 'Slack cannot be connected'),
  );
  stack.onStop(() => retrying.stop());
}

/** Returns the id of the workspace. Throws AppError. */
async function startSlackParts(
  config: Config,
  log: Log,
  { queueOptions, deps, store, prefix }: Shared,
  front: Front,
  stack: Stack,
): Promise<string> {
  const cards = createCardStore({ store, prefix });
  const {
    people: { approvers, responders },
    slack: { apiUrl, channel, updateEvery },
    approvalExpiry,
  } = config;
  const slack = await startSlack({
    botToken: required(config.slackBotToken),
    appToken: required(config.slackAppToken),
    apiUrl,
    channel,
    store: cards,
    approvers,
    responders,
    front,
    commands,
    clock,
    log,
  });
  stack.onStop(() => slack.stop());
  const reporter = slackReporter({
    client: slack.client,
    channel,
    store: cards,
    approvers,
    responders,
    approvalExpiry,
    updateEvery,
    clock,
    log,
    newest: (id) => openSession(deps, id),
  });
  const worker = startWorker('bot', (work) => doReport(deps, [reporter], work), {
    ...queueOptions,
    concurrency: CONCURRENCY,
  });
  stack.onStop((graceMs) => worker.close(graceMs));
  return slack.teamId;
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
