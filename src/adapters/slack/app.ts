// Joins Slack's commands, clicks and forms with the engine: acknowledges first, always, and works then.
import { App } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Command } from '../../contracts/command.ts';
import { groupsOf } from '../../domain/rules/named.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import type { Front } from '../../engine/ground/front.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Secret } from '../../secret.ts';
import { commandNames } from './connection/command-names.ts';
import { type Deliveries, onceEach } from './connection/deliveries.ts';
import { type Directory, directory } from './connection/directory.ts';
import { TwinReceiver } from './connection/receiver.ts';
import {
  clientOptions,
  type SlackWorkspace,
  sdkLogger,
  slackCode,
  slackError,
  type Watch,
} from './connection/web-client.ts';
import type { Bot } from './conversation/bot.ts';
import { onClick } from './conversation/clicks.ts';
import { showHome } from './conversation/home.ts';
import { onSlash } from './conversation/slash.ts';
import { onSubmit } from './conversation/submissions.ts';
import type { CardStore } from './delivery/card-store.ts';

export interface SlackOptions {
  botToken: Secret;
  appToken: Secret;
  apiUrl: string;
  front: Front;
  commands: Command[];
  /** What their names begin with in this workspace; empty: they are called as they are. */
  commandPrefix?: string;
  policy: Policy;
  /** The incident channel. */
  channel: string;
  store: CardStore;
  /** What all bots know of each delivery. */
  deliveries: Deliveries;
  clock: Clock;
  log: Log;
  /** What `connectSlack` answered: the front must know the team before any click can come. */
  workspace: SlackWorkspace;
  watch?: Watch;
}

export interface Slack {
  /** Of the workspace, with its final slash. */
  url: string;
  /** For the reporter. */
  client: WebClient;
  /** For the reporter: who is in a user group. */
  members: Directory['members'];
  /** How many sockets are open; none means that nobody's click arrives. */
  sockets(): number;
  /** Resolves when every socket is closed and every handler has ended. */
  stop(): Promise<void>;
}

/** Throws AppError `slack-unavailable` or `unauthorized`. */
export async function startSlack(options: SlackOptions): Promise<Slack> {
  const { front, commands, clock, log, channel, store } = options;
  const names = commandNames(
    options.commandPrefix ?? '',
    commands.map(({ name }) => name),
  );
  const { workspace } = options;
  const { teamId, url, interactive, outbound } = workspace;
  const receiver = new TwinReceiver(options);
  const app = boltApp(options, workspace, receiver);
  const people = directory(interactive, () => clock.now(), groupsOf(options.policy));
  const bot: Bot = {
    front,
    commands,
    names,
    apiUrl: options.apiUrl,
    clock,
    log,
    client: interactive,
    roster: { policy: options.policy, teamId },
    shelf: { store, url, channel },
    directory: people,
    once: onceEach(options.deliveries),
  };
  listen(app, bot);
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw socketError(error);
  }
  const { members } = people;
  const stop = async () => void (await app.stop());
  return { url, client: outbound, members, sockets: () => receiver.sockets(), stop };
}

/** Acknowledged first, always; the work comes after. */
function listen(app: App, bot: Bot): void {
  app.command(/./, async ({ ack, payload }) => {
    await ack();
    await onSlash(bot, payload);
  });
  app.action(/./, async ({ ack, body }) => {
    await ack();
    if (body.type === 'block_actions') await onClick(bot, body);
  });
  app.view(/./, async (submission) => {
    if (submission.body.type === 'view_submission')
      await onSubmit(bot, submission as Parameters<typeof onSubmit>[1]);
  });
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await showHome(bot, event.user);
  });
  app.error(async (error) => {
    bot.log.error({ name: error.name, code: error.code }, 'slack: a handler failed');
  });
}

function boltApp(options: SlackOptions, { botId, botUserId }: SlackWorkspace, receiver: TwinReceiver): App {
  const { botToken, log } = options;
  return new App({
    token: botToken.reveal(),
    botId,
    botUserId,
    // Otherwise every event would cost a call of auth.test.
    tokenVerificationEnabled: false,
    convoStore: false,
    receiver,
    clientOptions: clientOptions(options, 2500),
    logger: sdkLogger(log),
  });
}

function socketError(error: unknown): unknown {
  const code = slackCode(error);
  if (code === undefined) return slackError(error);
  return new AppError(
    'unauthorized',
    `Slack refuses to open a socket (${code}). Set SLACK_APP_TOKEN to an app-level token with the scope connections:write.`,
  );
}
