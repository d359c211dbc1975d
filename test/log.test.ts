// Logs: no token gets into a line, wherever in it somebody put one, and the line stays JSON.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLog, type Log } from '../src/log.ts';
import { Secret } from '../src/secret.ts';
import { makeToken } from './adapters/redis/support.ts';

function recorder(level: 'debug' | 'warn' = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => lines.push(line) } });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const token = makeToken();
const encoded = Buffer.from(token).toString('base64');

/** As an SDK's error: with what was asked and answered hanging on it. */
function sdkError(message: string): Error {
  return Object.assign(new Error(message), {
    code: 403,
    body: 'body-marker',
    headers: { authorization: 'header-marker' },
    request: { url: 'request-marker' },
  });
}

describe.each([
  ['a JWT', token],
  ['a JWT in base64, as a Secret holds it', encoded],
])('%s', (_, value) => {
  test.each<[string, (log: Log) => void]>([
    ['in the message', (log) => log.info({}, `got ${value}, sorry`)],
    ['at the start of the message', (log) => log.info({}, value)],
    ['after a line break', (log) => log.info({}, `token:\n${value}\n`)],
    ['after a tab', (log) => log.info({ text: `token:\t${value}` }, 'x')],
    ['in quotes', (log) => log.info({ text: `{"token":"${value}"}` }, 'x')],
    ['in a field', (log) => log.info({ anything: value }, 'x')],
    ['deep in objects and lists', (log) => log.info({ a: [{ b: { c: { d: { e: [value] } } } }] }, 'x')],
    ['as a key', (log) => log.info({ [value]: 1 }, 'x')],
    ['in an error', (log) => log.error({ err: new Error(`401 for ${value}`) }, 'x')],
    ['at the start of an error, so in its stack too', (log) => log.error({ err: new Error(value) }, 'x')],
    [
      'in the cause of a cause',
      (log) =>
        log.error({ err: new Error('a', { cause: new Error('b', { cause: new Error(value) }) }) }, 'x'),
    ],
    ['in a cause that is no error', (log) => log.error({ err: new Error('a', { cause: value }) }, 'x')],
    ['in an error under another name', (log) => log.error({ problem: new Error(value) }, 'x')],
    ['in a URL', (log) => log.info({ url: new URL(`https://api.test/?access_token=${value}&x=1`) }, 'x')],
    ['in a URL as text', (log) => log.info({ url: `https://api.test/?access_token=${value}&x=1` }, 'x')],
    ['in a header line', (log) => log.info({ line: `Authorization: Bearer ${value}` }, 'x')],
    ['in the bindings of a child', (log) => log.child({ bound: value }).info({}, 'x')],
    [
      'JSON within JSON',
      (log) => log.info({ text: JSON.stringify(JSON.stringify({ t: `\n${value}` })) }, 'x'),
    ],
  ])('%s', (__, write) => {
    const { log, lines, parsed } = recorder();
    write(log);
    expect(lines).toHaveLength(1);
    expect(() => parsed()).not.toThrow();
    for (const part of value.split('.')) expect(lines[0]).not.toContain(part);
  });
});

test('the rest of a line survives', () => {
  const { log, parsed } = recorder();
  log
    .child({ role: 'worker' })
    .warn({ incident: 'inc-1', where: { cluster: 'prod' }, count: 3 }, `saw ${token} twice`);
  expect(parsed()).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      role: 'worker',
      incident: 'inc-1',
      where: { cluster: 'prod' },
      count: 3,
      msg: expect.stringMatching(/^saw .*removed.* twice$/),
    },
  ]);
});

test('known places are redacted whatever they hold', () => {
  const { log, lines } = recorder();
  log.info(
    { token: 'marker', a: { password: 'marker', b: { headers: { x: 'marker' }, c: { body: 'marker' } } } },
    'x',
  );
  expect(lines[0]).not.toContain('marker');
  expect(lines[0]).toContain('[redacted]');
});

test('of an error stay code, message, stack and causes, and nothing that an SDK hung on it', () => {
  const { log, lines, parsed } = recorder();
  log.error({ err: new Error('outer', { cause: sdkError('inner') }) }, 'x');
  log.error({ err: sdkError('direct'), error: sdkError('other name') }, 'x');
  expect(lines.join('')).not.toMatch(/(body|header|request)-marker/);
  expect(parsed()[0]?.err).toEqual({
    name: 'Error',
    message: 'outer',
    stack: expect.stringContaining('log.test.ts'),
    cause: { name: 'Error', code: 403, message: 'inner', stack: expect.stringContaining('inner') },
  });
});

test('a Secret is [secret] in a log', () => {
  const { log, lines } = recorder();
  log.info({ key: new Secret('marker'), list: [{ deep: new Secret('marker') }] }, `${new Secret('marker')}`);
  log.error({ err: new Error(inspect({ s: new Secret('marker') })) }, 'x');
  expect(lines.join('')).not.toContain('marker');
  expect(lines[0]).toContain('"key":"[secret]"');
});

test('an error that points at itself does not hang or throw', () => {
  const { log, parsed } = recorder();
  const loop = new Error('loop');
  loop.cause = loop;
  log.error({ err: loop }, 'x');
  expect(parsed()[0]).toMatchObject({ err: { message: 'loop', cause: { message: 'loop' } } });
});

test('levels below the one that is set are not written', () => {
  const { log, parsed } = recorder('warn');
  log.debug({}, 'no');
  log.info({}, 'no');
  log.warn({}, 'yes');
  expect(parsed().map((line) => line.msg)).toEqual(['yes']);
});
