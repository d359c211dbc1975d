// Asks Slack what the app may do and whom the configuration names, with no scope that the bot would not have anyway.
import { WebClient } from '@slack/web-api';
import type { Person } from '../../../domain/decision/click.ts';
import type { Log } from '../../../log.ts';
import type { Secret } from '../../../secret.ts';
import { personOf } from './directory.ts';
import { clientOptions, slackCode, slackError } from './web-client.ts';

export interface BotFacts {
  team: string;
  teamId: string;
  user: string;
  /** Undefined: Slack did not say. */
  scopes: readonly string[] | undefined;
}

/** `code`: Slack's word for why not, such as `channel_not_found`. Everything throws AppError where Slack does not answer. */
type Answer<T> = { found: T } | { code: string };

export interface SlackInspection {
  bot(): Promise<Answer<BotFacts>>;
  /** Whether the app-level token opens Socket Mode; nothing is connected. */
  socket(appToken: Secret): Promise<Answer<boolean>>;
  /** Whether the bot can read the channel, which it can where it is a member. */
  channel(id: string): Promise<Answer<boolean>>;
  person(id: string): Promise<Answer<Person>>;
  members(group: string): Promise<Answer<readonly string[]>>;
}

export function inspectSlack(apiUrl: string, botToken: Secret, log: Log): SlackInspection {
  const clientFor = (token: Secret) => new WebClient(token.reveal(), clientOptions({ apiUrl, log }, 10_000));
  const client = clientFor(botToken);
  return {
    bot: () =>
      ask(async () => {
        const { team = '', team_id: teamId = '', user = '', response_metadata } = await client.auth.test();
        return { team, teamId, user, scopes: response_metadata?.scopes };
      }),
    socket: (appToken) =>
      ask(async () => {
        await clientFor(appToken).apps.connections.open({});
        return true;
      }),
    channel: (channel) =>
      ask(async () => {
        await client.conversations.history({ channel, limit: 1 });
        return true;
      }),
    person: (id) => ask(async () => personOf(id, (await client.users.info({ user: id })).user)),
    members: (usergroup) => ask(async () => (await client.usergroups.users.list({ usergroup })).users ?? []),
  };
}

async function ask<T>(call: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { found: await call() };
  } catch (error) {
    const code = slackCode(error);
    if (code !== undefined) return { code };
    throw slackError(error);
  }
}
