// Slack: are the tokens the right ones, may the app do what the bot does, and is it where the cards go?

import {
  type BotFacts,
  inspectSlack,
  type SlackInspection,
} from '../../adapters/slack/connection/inspection.ts';
import { BOT_SCOPES } from '../../adapters/slack/connection/scopes.ts';
import { broken, type Diagnosis, fine, notChecked, warning } from '../../config/diagnosis.ts';
import { isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { type Check, failed, type Given } from './check.ts';
import { checkPeople } from './people.ts';

const APP_PAGE = 'api.slack.com/apps';
const LATER = 'If Slack is up, check the way to it: proxy, firewall, slack.apiUrl.';

export const slack: Check = {
  group: 'Slack',
  role: 'bot',
  async run(given) {
    const { slackBotToken, slackAppToken } = given.reading.secrets;
    const { slack: settings } = given.reading.file;
    if (slackBotToken === undefined) return [notChecked('bot token', 'SLACK_BOT_TOKEN is not set.')];
    const inspection = inspectSlack(settings?.apiUrl ?? 'https://slack.com/api/', slackBotToken, given.log);
    const [bot, socket] = await Promise.all([
      lookAtBot(inspection, slackBotToken),
      slackAppToken ? lookAtSocket(inspection, slackAppToken) : [],
    ]);
    if (bot.facts === undefined) return [...bot.found, ...socket];
    const [channel, people] = await Promise.all([
      settings ? lookAtChannel(inspection, settings.channel, bot.facts) : [],
      checkPeople(inspection, given, bot.facts.teamId),
    ]);
    return [...bot.found, ...socket, ...channel, ...people];
  },
} satisfies Check & { run(given: Given): Promise<Diagnosis[]> };

async function lookAtBot(
  inspection: SlackInspection,
  token: Secret,
): Promise<{ facts?: BotFacts; found: Diagnosis[] }> {
  const name = 'bot token';
  const remedy = `Copy "Bot User OAuth Token" (xoxb-…) from your app's page at ${APP_PAGE}, OAuth & Permissions, into SLACK_BOT_TOKEN.`;
  if (token.reveal().startsWith('xapp-'))
    return { found: [broken(name, 'SLACK_BOT_TOKEN holds an app-level token (xapp-…).', remedy)] };
  try {
    const answer = await inspection.bot();
    if ('code' in answer) return { found: [broken(name, `Slack refuses it (${answer.code}).`, remedy)] };
    const { found: facts } = answer;
    return {
      facts,
      found: [fine(name, `${facts.user} in the workspace ${facts.team}`), ...judgeScopes(facts)],
    };
  } catch (error) {
    return { found: [failed(name, error, LATER)] };
  }
}

function judgeScopes({ scopes }: BotFacts): Diagnosis[] {
  if (scopes === undefined) return [notChecked('scopes', 'Slack did not say which scopes the token has.')];
  const missing = Object.entries(BOT_SCOPES).filter(([scope]) => !scopes.includes(scope));
  const more = scopes.filter((scope) => !Object.hasOwn(BOT_SCOPES, scope));
  const found: Diagnosis[] = missing.map(([scope, why]) =>
    broken(
      'scopes',
      `The bot token lacks ${scope}, which is needed ${why.startsWith('to ') ? why : `for ${why}`}.`,
      `At ${APP_PAGE}, OAuth & Permissions, add the bot scope ${scope} (manifest.yml has them all), then "Reinstall to Workspace".`,
    ),
  );
  if (more.length > 0)
    found.push(
      warning(
        'scopes',
        `The bot token may do more than it needs: ${more.join(', ')}.`,
        `Remove these scopes at ${APP_PAGE} and reinstall, unless something else uses this app.`,
      ),
    );
  return found.length > 0 ? found : [fine('scopes', `all ${scopes.length} that are needed, and no more`)];
}

async function lookAtSocket(inspection: SlackInspection, token: Secret): Promise<Diagnosis[]> {
  const name = 'app-level token';
  const remedy = `At ${APP_PAGE}, Basic Information, App-Level Tokens, make one with the scope connections:write (xapp-…), switch Socket Mode on, and set SLACK_APP_TOKEN.`;
  if (token.reveal().startsWith('xoxb-'))
    return [broken(name, 'SLACK_APP_TOKEN holds a bot token (xoxb-…).', remedy)];
  try {
    const answer = await inspection.socket(token);
    if ('code' in answer) return [broken(name, `Slack does not open Socket Mode (${answer.code}).`, remedy)];
    return [fine(name, 'opens Socket Mode')];
  } catch (error) {
    return [failed(name, error, LATER)];
  }
}

async function lookAtChannel(inspection: SlackInspection, id: string, bot: BotFacts): Promise<Diagnosis[]> {
  const name = 'incident channel';
  try {
    const answer = await inspection.channel(id);
    if ('found' in answer) return [fine(name, `the bot is a member of ${id}`)];
    return [judgeChannel(name, id, answer.code, bot)];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [failed(name, error, LATER)];
  }
}

function judgeChannel(name: string, id: string, code: string, { user, team }: BotFacts): Diagnosis {
  if (code === 'not_in_channel')
    return broken(name, `The bot is not a member of ${id}.`, `In that channel type: /invite @${user}`);
  if (code === 'channel_not_found')
    return broken(
      name,
      `There is no channel ${id} in the workspace ${team}, or it is private and the bot is not in it.`,
      `Copy the id from the end of "View channel details" into slack.channel. If the channel is private, type there: /invite @${user}`,
    );
  if (code === 'missing_scope')
    return notChecked(name, 'The scope channels:history or groups:history is missing.');
  return broken(name, `Slack refuses to show ${id} (${code}).`, 'Name another channel in slack.channel.');
}
