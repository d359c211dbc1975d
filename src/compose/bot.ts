// The bot: webhooks in, Slack out, and no Kubernetes credential.
import { commands } from '../../commands/index.ts';
import { createDesk } from '../adapters/bullmq/desk.ts';
import { startHttp } from '../adapters/http/intake.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { createCardStore } from '../adapters/redis/card-store.ts';
import { createReplayGuard, type ReplayGuard } from '../adapters/redis/replay-guard.ts';
import { type Slack, startSlack } from '../adapters/slack/app.ts';
import { commandNames } from '../adapters/slack/connection/command-names.ts';
import type { Deliveries } from '../adapters/slack/connection/deliveries.ts';
import { connectSlack, type Watch } from '../adapters/slack/connection/web-client.ts';
import type { Keeping } from '../adapters/slack/delivery/kept-message.ts';
import { slackPublisher } from '../adapters/slack/delivery/ledger-publisher.ts';
import { slackReporter } from '../adapters/slack/delivery/reporter.ts';
import { burstSummaries } from '../adapters/slack/delivery/summaries.ts';
import type { Refusal } from '../domain/decision/click.ts';
import type { Policy } from '../domain/rules/policy.ts';
import { createFront } from '../engine/door/create-front.ts';
import { sweep } from '../engine/door/sweep.ts';
import type { Front } from '../engine/ground/front.ts';
import { openSession } from '../engine/ground/session.ts';
import { receiveAlert, receiveUpdate, recognise } from '../engine/intake/receive-alert.ts';
import { isAppError } from '../errors.ts';
import { every } from '../every.ts';
import type { Desk } from '../ports/desk.ts';
import type { Reporter } from '../ports/reporter.ts';
import { sources } from '../sources/index.ts';
import type { Assembly } from './assembly.ts';
import { WALL } from './clock.ts';
import { lossDoubts } from './loss.ts';
import { openOutlets } from './outlets.ts';
import type { Shared } from './shared.ts';
import type { Answered, SlackLine } from './slack-line.ts';
import { alive } from './vitals.ts';

/** Shortest time between two updates of the summary of a burst. */
const SUMMARY_EVERY_MS = 2000;

/** How long a person waits for the worker to answer a question. */
const ASK_DEADLINE_MS = 2500;

/** Within which Slack may deliver the same click again. */
const REPEATED_MS = 10 * 60_000;

/** How long a click waits for a bot that died over it; a living one keeps it for as long as it takes. */
const CLICK_HELD_MS = 5000;

/** Returns the port of the webhooks. */
export async function startBotRole(assembly: Assembly, shared: Shared, line: SlackLine): Promise<number> {
  const { config, log, stack } = assembly;
  const { deps, store, prefix, problems, telemetry } = shared;
  const { metrics, vitals } = telemetry;
  // Alerts are accepted before Slack answers: they are durable without it, and shown when it is back.
  const http = await startHttp({
    ...config.http,
    ...createReplayGuard({ store, prefix }),
    sources,
    secrets: config.sourceSecrets,
    toleranceMs: config.sources.tolerance,
    clock: WALL,
    receive: (finding, known) => receiveAlert(deps, finding, known),
    recognise: (finding) => recognise(deps, finding),
    update: (update) => receiveUpdate(deps, update),
    ready: problems,
    alive: () => alive(vitals, problems),
    counted: (source, outcome) => metrics.count('tourniquet_deliveries_total', { source, outcome }),
    log,
  });
  stack.defer(() => http.close());
  openOutlets(assembly, shared, line);
  const desk = createDesk(shared.queueOptions);
  stack.defer(() => desk.close());
  await keepTrying(assembly, async () => {
    line.open(await openSlack(assembly, shared, desk));
    await sweep(deps).catch((err: unknown) => log.warn({ err }, 'sweeping failed; it is tried again'));
  });
  return http.port;
}

/** Which workspace people must belong to is known once Slack has answered; until then nobody can decide. */
function frontFor({ config }: Assembly, shared: Shared, desk: Pick<Desk, 'ask'>, teamId: string): Front {
  const { deps, store, problems, telemetry } = shared;
  const front = createFront(deps, {
    roster: { policy: deps.settings.policy, teamId },
    clusters: config.clusters.map(({ name }) => name),
    ask: (question) => desk.ask(question, ASK_DEADLINE_MS),
    health: async () => [...(await problems()), ...(await lossDoubts(store, config).catch(() => []))],
  });
  return countRefusals(telemetry.metrics, front);
}

/** An outage of Slack is waited out in the background; a wrong token is a mistake in the configuration and ends the start. */
async function keepTrying({ config, log, stack }: Assembly, connect: () => Promise<void>): Promise<void> {
  const tryOnce = async (): Promise<boolean> => {
    try {
      await connect();
      return true;
    } catch (err) {
      if (!isAppError(err) || !err.retry) throw err;
      log.warn({ err }, 'Slack does not answer; trying again. Alerts are accepted meanwhile');
      return false;
    }
  };
  if (await tryOnce()) return;
  const tryAgain = async (): Promise<void> => {
    if (await tryOnce()) retrying.end();
  };
  const retrying = every(config.sweepEvery, tryAgain, (err) =>
    log.error({ err }, 'Slack cannot be connected'),
  );
  stack.defer(() => retrying.stop());
}

/** Throws AppError. */
async function openSlack(assembly: Assembly, shared: Shared, desk: Pick<Desk, 'ask'>): Promise<Answered> {
  const { config, log, stack } = assembly;
  const { deps, store, prefix, clock, telemetry } = shared;
  const { slack, slackBotToken, slackAppToken } = config;
  const { policy } = deps.settings;
  if (!slackBotToken || !slackAppToken)
    throw new Error('unreachable: loadConfig refuses a bot without its tokens');
  const shown = { policy, channel: slack.channel, store: createCardStore({ store, prefix }), clock, log };
  const access = { apiUrl: slack.apiUrl, botToken: slackBotToken, log, watch: counting(telemetry.metrics) };
  const named = commandNames(
    slack.commandPrefix,
    commands.map(({ name }) => name),
  );
  const workspace = await connectSlack({ ...access, names: named });
  const front = frontFor(assembly, shared, desk, workspace.teamId);
  const app = await startSlack({
    ...shown,
    ...access,
    workspace,
    deliveries: slackDeliveries(createReplayGuard({ store, prefix })),
    appToken: slackAppToken,
    front,
    commands,
    commandPrefix: slack.commandPrefix,
  });
  stack.defer(() => app.stop());
  const reporter = slackReporting(assembly, shared, front, { ...shown, ...app });
  const publisher = slackPublisher({ ...shown, client: app.client });
  const { url, sockets } = app;
  return { url, sockets, reporter, publishers: config.audit.anchorInChannel ? [publisher] : [] };
}

const counting =
  (metrics: Metrics): Watch =>
  (method, code, ms) => {
    metrics.count('tourniquet_slack_requests_total', { method, code });
    metrics.observe('tourniquet_slack_request_seconds', {}, ms / 1000);
    if (code === '429') metrics.count('tourniquet_slack_throttled_total');
  };

const slackDeliveries = ({ begin }: ReplayGuard): Deliveries => ({
  async begin(id) {
    const begun = await begin(`slack:${id}`, CLICK_HELD_MS);
    return typeof begun === 'string' ? begun : { done: () => begun.done(REPEATED_MS) };
  },
});

type Shown = Pick<Slack, 'client' | 'members' | 'url'> & Keeping & { policy: Policy };

/** From here on the log is shown: cards, threads, and summaries where there is too much of it. */
function slackReporting(
  { config, log, stack }: Assembly,
  { deps }: Shared,
  front: Front,
  shown: Shown,
): Reporter {
  const { slack } = config;
  const summaries = burstSummaries({
    ...shown,
    limits: slack.burst,
    locks: deps.locks,
    incident: front.incident,
  });
  const drawing = every(Math.max(SUMMARY_EVERY_MS, slack.updateEvery), summaries.redraw, (err) =>
    log.warn({ err }, 'the summaries of bursts could not be looked at; it is tried again'),
  );
  stack.defer(() => drawing.stop());
  return slackReporter({
    ...shown,
    summaries,
    updateEvery: slack.updateEvery,
    newest: (id) => openSession(deps, id),
  });
}

/** People are told why; how often each reason comes up is a number. */
function countRefusals(metrics: Metrics, front: Front): Front {
  const counted = <T extends object>(answer: T): T => {
    if ('refusal' in answer) {
      const { code } = answer.refusal as Refusal;
      metrics.count('tourniquet_refusals_total', { reason: code });
    }
    return answer;
  };
  return {
    ...front,
    decide: async (...click) => counted(await front.decide(...click)),
    pause: async (...given) => counted(await front.pause(...given)),
  };
}
