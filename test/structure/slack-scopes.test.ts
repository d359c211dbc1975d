// The Slack app asks for exactly the scopes that the Web API methods called in src/ need: none is missing, none unused.
import { WebClient } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BOT_SCOPES } from '../../src/adapters/slack/connection/scopes.ts';
import { filesIn, read, type SourceFile } from './tree.ts';

/** Bot scopes by method. History needs one for public and one for private channels: the incident channel may be either. */
const SCOPES: Record<string, string[]> = {
  // With the app-level token: connections:write.
  'apps.connections.open': [],
  'auth.test': [],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history'],
  'conversations.replies': ['channels:history', 'groups:history'],
  'usergroups.users.list': ['usergroups:read'],
  'users.info': ['users:read'],
  'views.open': [],
  'views.publish': [],
  'views.update': [],
};

/** What an event needs so that Slack sends it. */
const EVENT_SCOPES: Record<string, string[]> = { app_home_opened: [] };

/** Every method that the client offers: `chat.postMessage`, `usergroups.users.list`. */
function methodsOf(client: object, prefix = '', depth = 0): string[] {
  return Object.entries(client).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    if (typeof value === 'function') return depth > 0 ? [path] : [];
    const isFamily = typeof value === 'object' && value !== null && value.constructor === Object;
    return isFamily && depth < 3 ? methodsOf(value, `${path}.`, depth + 1) : [];
  });
}

const OFFERED = methodsOf(new WebClient(undefined));

const FAMILIES = [...new Set(OFFERED.map((method) => method.split('.')[0]))].join('|');

/** `client.chat.postMessage(…)`, also over several lines, and the method that is named as text. `usergroups.users.list` is no `users.list`. */
const called = (files: readonly SourceFile[]): string[] =>
  OFFERED.filter((method) => {
    const path = method.split('.').join('\\s*\\.\\s*');
    const name = method.replaceAll('.', '\\.');
    const call = new RegExp(`(?<!\\b(?:${FAMILIES})\\s*)\\.\\s*${path}\\s*\\(|apiCall\\(\\s*['"]${name}['"]`);
    return files.some(({ text }) => call.test(text));
  }).toSorted();

interface Manifest {
  features: { slash_commands: unknown[] };
  oauth_config: { scopes: { bot: string[] } };
  settings: { event_subscriptions: { bot_events: string[] } };
}

const manifest = parse(read('manifest.yml')) as Manifest;
const methods = called(filesIn(['src', 'commands'], ['.ts']));

test('every method that is called is in the table, and the table has no other', () => {
  expect(methods).toEqual(Object.keys(SCOPES).toSorted());
});

test('manifest.yml asks for what these methods, the events and the slash commands need, and for nothing else', () => {
  const { features, oauth_config, settings } = manifest;
  const needed = new Set([
    ...(features.slash_commands.length > 0 ? ['commands'] : []),
    ...methods.flatMap((method) => SCOPES[method] ?? []),
    ...settings.event_subscriptions.bot_events.flatMap(
      (event) => EVENT_SCOPES[event] ?? [`unknown: ${event}`],
    ),
  ]);
  expect(oauth_config.scopes.bot.toSorted()).toEqual([...needed].toSorted());
});

test('doctor looks for the same scopes', () => {
  expect(Object.keys(BOT_SCOPES)).toEqual(manifest.oauth_config.scopes.bot);
});

test('each scope says why', () => {
  for (const scope of manifest.oauth_config.scopes.bot)
    expect(read('manifest.yml')).toMatch(new RegExp(`^ +- ${scope} # .{10,}$`, 'm'));
});

test('every event that is subscribed is handled', () => {
  const text = filesIn(['src/adapters/slack'], ['.ts']).map((file) => file.text);
  for (const event of manifest.settings.event_subscriptions.bot_events)
    expect(text.some((one) => one.includes(`event('${event}'`))).toBe(true);
});

describe('what is forgotten would be seen', () => {
  test.each([
    ['client.files.info({ file })', ['files.info']],
    ['bot.client\n  .reactions.add({})', ['reactions.add']],
    ["client.apiCall('users.lookupByEmail', {})", ['users.lookupByEmail']],
    ['client.usergroups.users.list({ usergroup })', ['usergroups.users.list']],
    ['new WebClient(token).team.info()', ['team.info']],
    ['members.users.map(nameOf)', []],
  ])('%s', (text, expected) => {
    expect(called([{ path: 'a.ts', text }])).toEqual(expected);
  });

  test('the client offers its methods by these names', () => {
    expect(OFFERED.length).toBeGreaterThan(150);
    expect(OFFERED).toEqual(expect.arrayContaining(Object.keys(SCOPES)));
  });
});
