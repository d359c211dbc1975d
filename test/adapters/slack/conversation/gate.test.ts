// What leaves for Slack: no token in whatever call it is, and answers go to Slack's own host, without detours.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { needles } from '../../../../sandbox/traces.ts';
import { commandNames } from '../../../../src/adapters/slack/connection/command-names.ts';
import { sayTo } from '../../../../src/adapters/slack/conversation/answer.ts';
import { base64, legacyToken } from '../../../domain/token/token-samples.ts';
import { CHANNEL, startWorld, type World } from '../world.ts';

let world: World;
let stranger: Server;
let asked: string[];

beforeAll(async () => {
  world = await startWorld({ bolt: false });
  asked = [];
  stranger = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url === '/detour' ? 307 : 200, { location: '/elsewhere' }).end('ok');
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  stranger.close();
  await world.close();
});

it('whatever the call, and whatever way the token stands in it', async () => {
  const token = legacyToken();
  const text = `${token} ; ${base64(token)} ; ${token.replaceAll('.', '&#46;')}`;
  const section = { type: 'section' as const, text: { type: 'mrkdwn' as const, text } };
  const sent = await world.client.chat.postMessage({ channel: CHANNEL, text, blocks: [section] });
  await world.client.chat.update({ channel: CHANNEL, ts: sent.ts ?? '', text, blocks: [section] });
  await world.client.chat.postEphemeral({ channel: CHANNEL, user: 'UMAYA00001', text });
  await world.client.views.publish({ user_id: 'UMAYA00001', view: { type: 'home', blocks: [section] } });
  const dump = world.workspace.dump();
  expect(dump).toContain('[token removed]');
  for (const needle of [...needles(token), ...needles(base64(token))]) expect(dump).not.toContain(needle);
});

/** Says something where the event told to, and resolves to what was said in the channel instead. */
async function said(responseUrl: string, apiUrl: string): Promise<string[]> {
  const { client } = world;
  const before = world.workspace.ephemerals('maya').length;
  const bot = { client, names: commandNames('', []), log: world.log, apiUrl };
  await sayTo(bot, { user: 'UMAYA00001', channel: CHANNEL, responseUrl })('This is the answer.');
  const texts = world.workspace.ephemerals('maya').map(({ text }) => text);
  return texts.slice(before);
}

const port = (): number => (stranger.address() as AddressInfo).port;
const SLACK = 'https://slack.com/api/';

it.each<[string, () => string, () => string]>([
  ['another host', () => `http://127.0.0.1:${port()}/hook`, () => SLACK],
  [
    'another host, where the API is an emulator',
    () => `http://127.0.0.1:${port()}/hook`,
    () => world.workspace.apiUrl,
  ],
  [
    'a host that only begins like it',
    () => `http://hooks.slack.com.127.0.0.1.nip.test:${port()}/hook`,
    () => SLACK,
  ],
  ['a host behind a name', () => `http://hooks.slack.com@127.0.0.1:${port()}/hook`, () => SLACK],
  ['the host without TLS', () => `http://hooks.slack.com:${port()}/hook`, () => SLACK],
  ['no address', () => 'hooks.slack.com/x', () => SLACK],
])('%s is never asked; the person is answered another way', async (_, responseUrl, apiUrl) => {
  expect(await said(responseUrl(), apiUrl())).toEqual(['This is the answer.']);
  expect(asked).toEqual([]);
});

it('a redirect is not followed; the person is answered another way', async () => {
  const own = `http://127.0.0.1:${port()}`;
  expect(await said(`${own}/detour`, `${own}/api/`)).toEqual(['This is the answer.']);
  expect(asked.splice(0)).toEqual(['/detour']);
});

it('the emulator that the configuration names is answered at its own address', async () => {
  const own = `http://127.0.0.1:${port()}`;
  expect(await said(`${own}/hook`, `${own}/api/`)).toEqual([]);
  expect(asked.splice(0)).toEqual(['/hook']);
});
