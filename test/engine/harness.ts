// The whole worker side on one injected clock: the real engine, actions and Kubernetes adapter against simulated clusters.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterOptions, type SimulatedCluster, startCluster } from 'kube-sandbox';
import { actions } from '../../src/actions/index.ts';
import { type ConnectedCluster, connectCluster } from '../../src/adapters/kubernetes/cluster.ts';
import type { Action } from '../../src/contracts/action.ts';
import type { Finding } from '../../src/contracts/alert-source.ts';
import type { Verb } from '../../src/domain/incident/decision.ts';
import type { EventBody } from '../../src/domain/incident/events.ts';
import { fold } from '../../src/domain/incident/fold.ts';
import { DEFAULT_PACE } from '../../src/domain/plan/waves.ts';
import type { Policy, PolicyGiven } from '../../src/domain/rules/policy.ts';
import { createFront } from '../../src/engine/door/create-front.ts';
import { doEscalate, type Webhook } from '../../src/engine/door/escalate.ts';
import { doWork } from '../../src/engine/door/work.ts';
import type { Settings, WorkerDeps } from '../../src/engine/ground/deps.ts';
import { createGate } from '../../src/engine/ground/gate.ts';
import { openSession, owed } from '../../src/engine/ground/session.ts';
import type { Cluster } from '../../src/ports/cluster.ts';
import type { Work } from '../../src/ports/queue.ts';
import { Secret } from '../../src/secret.ts';
import { aPolicy, type PolicyInput } from '../builders.ts';
import { memoryLog, memorySwitch } from '../memory-log.ts';

export const WORKER = { namespace: 'tourniquet', serviceAccount: 'worker' };
export const TEAM = 'T1';
export const PEOPLE = { responders: ['UMAYA'], approvers: ['UINES', 'UTOMAS'] };

/** Where the harness says that the card is. */
export const CARD = 'https://example.slack.com/archives/CINCIDENTS/p1';

export const TIMING: Settings['timing'] = {
  approvalExpiry: 24 * 3_600_000,
  stability: 15_000,
  retryEvery: 2000,
  recheckAfter: [300_000, 3_600_000, 86_400_000],
  keepTokenFor: 25 * 3_600_000,
  soak: 24 * 3_600_000,
};

const settings: Omit<Settings, 'policy'> = {
  timing: TIMING,
  giveUpAfter: 120_000,
  autoContainPerHour: 10,
  pace: DEFAULT_PACE,
  searchNamespaces: {},
  reporters: [],
};

export interface HarnessOptions {
  clusters?: Record<string, ClusterOptions>;
  settings?: Partial<Settings> & Partial<Pick<PolicyGiven, 'autoContain' | 'protectedNamespaces'>>;
  /** The worker's policy, and the bot's unless that is given too. */
  policy?: PolicyInput;
  botPolicy?: PolicyInput;
  /** The bot's policy as something that the test changes while it runs. */
  roster?: { policy: Policy };
  /** Puts something between the engine and a cluster. */
  wrap?: (cluster: Cluster) => Cluster;
  actions?: readonly Action[];
  /** Who is called outside Slack; `settings.timing.escalation` says when. */
  webhook?: Webhook;
}

export async function startHarness(options: HarnessOptions = {}) {
  let now = Date.parse('2026-11-24T03:00:00Z');
  const clock = { now: () => now };
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-engine-'));
  const simulated: Record<string, SimulatedCluster> = {};
  const connected: ConnectedCluster[] = [];
  for (const [name, cluster] of Object.entries(options.clusters ?? { prod: {} })) {
    const started = await startCluster({ name, now: clock.now, ...cluster });
    simulated[name] = started;
    if (!started.get('/api/v1/namespaces/tourniquet')) started.seed.namespace('tourniquet');
    const kubeconfig = join(directory, name);
    await writeFile(kubeconfig, started.kubeconfig(WORKER));
    connected.push(connectCluster({ name, kubeconfig, searchNamespaces: [], timeout: 2000 }, clock));
  }
  const memory = memoryLog(clock);
  const policy = (section?: PolicyInput): Policy =>
    aPolicy(section, { people: PEOPLE, autoContain: 'token-in-hand', ...options.settings });
  const queue = { add: async () => {} };
  const quiet = { info() {}, warn() {}, error() {} };
  const stopping = new AbortController();
  /** Moves the clock instead of waiting; what the clusters do at once is done by then. */
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
  const wrap = options.wrap ?? ((cluster) => cluster);
  const deps: WorkerDeps = {
    log: memory,
    vault: memory,
    queue,
    pause: memorySwitch(),
    locks: { take: async () => ({ held: () => true, release: async () => {} }) },
    clock,
    settings: { ...settings, policy: policy(options.policy), ...options.settings },
    logger: quiet,
    clusters: new Map(connected.map((cluster) => [cluster.name, wrap(cluster)])),
    actions: options.actions ?? actions,
    sleep,
    stopping: stopping.signal,
    unhurried: createGate(8),
  };
  const roster = Object.assign(
    options.roster ?? { policy: options.botPolicy ? policy(options.botPolicy) : deps.settings.policy },
    { teamId: TEAM },
  );
  const front = createFront(deps, {
    roster,
    clusters: connected.map(({ name }) => name),
    ask: () => Promise.reject(new Error('nobody asks here')),
    health: async () => [],
  });

  const incident = (id: string) => fold(id, memory.events(id));
  const pending = async (id: string): Promise<Work[]> => {
    const session = await openSession(deps, id);
    return session ? owed(deps, session).sort((a, b) => a.at - b.at) : [];
  };

  return {
    deps,
    front,
    memory,
    simulated,
    connected,
    /** As the process is told to when it shuts down. */
    stop: () => stopping.abort(),
    incident,
    pending,
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
    cluster: (name = 'prod'): SimulatedCluster => {
      const found = simulated[name];
      if (!found) throw new Error(`no cluster ${name}`);
      return found;
    },
    leak: (token: string, alert: Partial<Finding['alert']> = {}) =>
      front.report({
        alert: { source: 'report', subject: { kind: 'token' }, ...alert },
        token: new Secret(token),
      }),
    click: (
      id: string,
      verb: Verb,
      by: string,
      extra: { reason?: string; hash?: string; groups?: string[]; together?: true } = {},
    ) => {
      const { groups = [], ...given } = extra;
      const { plan } = incident(id);
      const hash = verb === 'contain' ? plan?.containHash : plan?.hash;
      return front.decide(id, {
        verb,
        by: { id: by, teamId: TEAM, guest: false, bot: false, deactivated: false, groups },
        ...(hash === undefined ? {} : { hash }),
        ...given,
      });
    },
    /** Appends with a valid chain, as a bot could that was taken over. */
    async forge(id: string, ...events: EventBody[]): Promise<void> {
      const { version } = incident(id);
      const loaded = await deps.log.load(id);
      await deps.log.append({ id, expected: version, head: loaded?.head ?? '', events });
      await this.run(id);
    },
    /** A person has looked: nothing outside the cluster uses the old token. */
    async nobodyOutside(id: string): Promise<void> {
      await this.click(id, 'outside', 'UMAYA', { reason: 'nobody outside uses it' });
      await this.run(id);
    },
    /** Does whatever is owed, moving the clock to when it is, up to this much later. */
    async run(id: string, forMs = 0): Promise<void> {
      const until = now + forMs;
      for (let turns = 0; turns < 500; turns++) {
        const [next] = await pending(id);
        if (next === undefined || next.at > until) {
          now = Math.max(now, until);
          return;
        }
        now = Math.max(now, next.at);
        if (next.kind === 'escalate' && options.webhook)
          await doEscalate({ ...deps, webhook: options.webhook, link: async () => CARD }, id);
        else await doWork(deps, next);
      }
      throw new Error('still owed after 500 turns');
    },
    async close() {
      await Promise.all(connected.map((cluster) => cluster.close()));
      await Promise.all(Object.values(simulated).map((cluster) => cluster.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type Harness = Awaited<ReturnType<typeof startHarness>>;

/** A legacy token in payments/api, in Secret api-token. */
export async function seedLegacy(
  cluster: SimulatedCluster,
  labels?: Record<string, string>,
): Promise<string> {
  cluster.seed.namespace('payments');
  cluster.seed.serviceAccount('payments', 'api');
  return await cluster.seed.tokenSecret('payments', 'api-token', 'api', labels ? { labels } : {});
}

/** What each API server says to this token. */
export async function statusWith(connected: Cluster, token: string): Promise<string> {
  const { servers } = await connected.servers();
  const answers = await Promise.all(
    servers.map(({ address }) => connected.probe(address, new Secret(token))),
  );
  return answers.map(({ answer }) => answer).join(',');
}
