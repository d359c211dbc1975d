// Real Bolt over the wire: an emulated workspace, the adapter, and a reporter that follows the log.
import { startWorkspace, type Workspace } from 'slack-sandbox';
import { commands } from '../../../commands/index.ts';
import { type Slack, type SlackOptions, startSlack } from '../../../src/adapters/slack/app.ts';
import { commandNames } from '../../../src/adapters/slack/connection/command-names.ts';
import { connectSlack, type SlackWorkspace } from '../../../src/adapters/slack/connection/web-client.ts';
import type { CardStore } from '../../../src/adapters/slack/delivery/card-store.ts';
import { type ReporterOptions, slackReporter } from '../../../src/adapters/slack/delivery/reporter.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import type { Policy } from '../../../src/domain/rules/policy.ts';
import type { Log } from '../../../src/log.ts';
import type { Reporter } from '../../../src/ports/reporter.ts';
import { Secret } from '../../../src/secret.ts';
import { aPolicy } from '../../builders.ts';
import { type MemoryFront, type MemoryStore, memoryFront, memoryStore } from './memory-front.ts';

export const CHANNEL = 'CINCIDENTS';

export interface World {
  workspace: Workspace;
  front: MemoryFront;
  store: MemoryStore;
  /** What the adapter logged. */
  logged: string[];
  log: Log;
  /** Calls of the Web API, each with the HTTP status of its answer. */
  calls: string[];
  client: SlackWorkspace['outbound'];
  reporter: Reporter;
  /** As a new process would make it. */
  newReporter(changes?: Partial<ReporterOptions>): Reporter;
  /** Opens an incident with these events. */
  open(id: string, bodies: EventBody[]): Promise<void>;
  /** Reports once, from the cursor that the engine would hold. */
  report(id: string, reporter?: Reporter): Promise<number>;
  /** From now on, whatever is appended is reported. */
  follow(): void;
  cardTs(id: string): string;
  /** What the bots share to know a delivery that both got. */
  deliveries: SlackOptions['deliveries'];
  /** A second bot in the same workspace, as after a restart. */
  startAnother(): Promise<Slack>;
  /** Stops the bot alone. */
  stopSlack(): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(
  given: {
    rates?: 'slack' | 'off';
    bolt?: boolean;
    policy?: Policy;
    cards?: CardStore;
    commandPrefix?: string;
  } = {},
): Promise<World> {
  const { commandPrefix = '' } = given;
  const workspace = await startWorkspace({
    rates: given.rates ?? 'off',
    commands: commands.map(({ name, help }) => ({
      command: `/${commandPrefix}${name}`,
      description: help.summary,
      usageHint: help.usage,
    })),
  });
  const policy = given.policy ?? aPolicy();
  const logged: string[] = [];
  const write = (facts: object, message: string) => void logged.push(`${message} ${JSON.stringify(facts)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  const store = memoryStore();
  const front = memoryFront({ policy, teamId: () => workspace.teamId });
  const calls: string[] = [];
  const watch = (method: string, code: string) => void calls.push(`${method} ${code}`);
  const names = commandNames(
    commandPrefix,
    commands.map(({ name }) => name),
  );
  const access = { botToken: new Secret(workspace.botToken), apiUrl: workspace.apiUrl, log, watch, names };
  const connected = await connectSlack(access);
  const clock = { now: () => Date.now() };
  const delivered = new Map<string, 'handled' | 'under-way'>();
  const options: SlackOptions = {
    ...access,
    appToken: new Secret(workspace.appToken),
    front,
    commands,
    commandPrefix,
    policy,
    channel: CHANNEL,
    store: given.cards ?? store,
    deliveries: { begin: (id) => world.deliveries.begin(id) },
    clock,
    workspace: connected,
  };
  const slack: Slack | undefined = given.bolt === false ? undefined : await startSlack(options);
  const cursors = new Map<string, number>();
  const members = slack && { members: slack.members };
  const newReporter = (changes: Partial<ReporterOptions> = {}) =>
    slackReporter({
      client: connected.outbound,
      channel: CHANNEL,
      store: given.cards ?? store,
      policy,
      ...members,
      updateEvery: 0,
      clock,
      log,
      ...changes,
    });
  let stopped: Promise<void> | undefined;
  async function report(id: string, reporter: Reporter): Promise<number> {
    const events = front.events(id);
    const version = await reporter.report(fold(id, events), events, cursors.get(id) ?? 0, 'head');
    cursors.set(id, version);
    return version;
  }
  let queue: Promise<unknown> = Promise.resolve();
  const world: World = {
    workspace,
    front,
    store,
    logged,
    log,
    calls,
    client: connected.outbound,
    reporter: newReporter(),
    newReporter,
    deliveries: {
      async begin(id) {
        const known = delivered.get(id);
        if (known) return known;
        delivered.set(id, 'under-way');
        return { done: async () => void delivered.set(id, 'handled') };
      },
    },
    async open(id, bodies) {
      front.append(id, ...bodies);
      await world.report(id);
    },
    report(id, reporter = world.reporter) {
      // One at a time, as the engine does it.
      const reporting = queue.then(() => report(id, reporter));
      queue = reporting.catch(() => undefined);
      return reporting;
    },
    follow() {
      front.onAppend = (id) => {
        world.report(id).catch(() => undefined);
      };
    },
    cardTs(id) {
      const card = store.cards.get(id);
      if (card === undefined || card === 'posting') throw new Error(`There is no card of ${id}.`);
      return card.ts;
    },
    async startAnother() {
      return startSlack({ ...options, workspace: await connectSlack(access) });
    },
    stopSlack: () => (stopped ??= slack?.stop() ?? Promise.resolve()),
    async close() {
      await world.stopSlack();
      await queue;
      await workspace.close();
    },
  };
  return world;
}
