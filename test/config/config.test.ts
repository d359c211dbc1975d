// Configuration: everything that is wrong is said at once, where it is and what to do; secrets come from the environment only.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig, type Role, takeEnvironment } from '../../src/config/config.ts';
import { isAppError } from '../../src/errors.ts';

const MINIMAL = `
slack: { channel: C012ABCDEF }
people: { approvers: [U012ABCDEF] }
clusters: [{ name: prod }]
`;
const KEY = randomBytes(32).toString('base64');

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-config-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

type Env = Record<string, string | undefined>;

test('what is secret in the environment is for us alone: no program that is started later inherits it', () => {
  const secrets = ['TOURNIQUET_KEY', 'TOURNIQUET_KEY_FILE', 'REDIS_URL', 'TOURNIQUET_SOURCE_LAB_SCANNER'];
  const before = { ...process.env };
  try {
    for (const name of secrets) process.env[name] = `value of ${name}`;
    process.env.TOURNIQUET_CONFIG = 'here.yaml';
    const env = takeEnvironment();
    for (const name of secrets) expect(env[name]).toBe(`value of ${name}`);
    const seen = JSON.parse(
      execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }),
    ) as Env;
    expect(Object.keys(seen).filter((name) => secrets.includes(name))).toEqual([]);
    expect(seen).toMatchObject({ PATH: before.PATH, TOURNIQUET_CONFIG: 'here.yaml' });
  } finally {
    for (const name of [...secrets, 'TOURNIQUET_CONFIG']) delete process.env[name];
    Object.assign(process.env, before);
  }
});

function environment(yaml = MINIMAL, more: Env = {}): Env {
  return {
    TOURNIQUET_CONFIG: write('tourniquet.yaml', yaml),
    REDIS_URL: 'redis://redis:6379',
    TOURNIQUET_KEY: KEY,
    SLACK_BOT_TOKEN: 'bot-token-value',
    SLACK_APP_TOKEN: 'app-token-value',
    ...more,
  };
}

/** The problems that are listed, without the list's dashes. */
function problems(env: Env, role: Role = 'all'): string[] {
  try {
    loadConfig(role, env);
  } catch (error) {
    if (!isAppError(error, 'bad-config')) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^ {2}- /, ''));
  }
  return [];
}

describe('what is right', () => {
  test('a minimal file gets careful defaults', () => {
    expect(loadConfig('all', environment())).toMatchObject({
      role: 'all',
      autoContain: 'off',
      protectedNamespaces: ['kube-system'],
      approvalExpiry: 86_400_000,
      keepTokenFor: 90_000_000,
      soak: 86_400_000,
      rollOut: { percent: 25, most: 5, deadline: 600_000 },
      proof: { stability: 15_000, recheckAfter: [300_000, 3_600_000, 86_400_000] },
      clusters: [{ name: 'prod', timeout: 10_000, searchNamespaces: [] }],
      redis: { prefix: 'tourniquet' },
      people: { responders: [], approvers: ['U012ABCDEF'] },
      sourceSecrets: {},
    });
  });

  test.each([
    ['500ms', 500],
    ['15s', 15_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
  ])('the duration %s is %d ms', (text, ms) => {
    expect(loadConfig('all', environment(`${MINIMAL}\nsweepEvery: ${text}`)).sweepEvery).toBe(ms);
  });

  test('secrets are read from files too, without the final line break', () => {
    const config = loadConfig(
      'all',
      environment(MINIMAL, {
        SLACK_BOT_TOKEN: undefined,
        SLACK_BOT_TOKEN_FILE: write('bot', 'from-a-file\n'),
        TOURNIQUET_SOURCE_GITHUB: 'direct',
        TOURNIQUET_SOURCE_MY_SCANNER_FILE: write('scanner', 'mine\r\n'),
      }),
    );
    expect(config.slackBotToken?.reveal()).toBe('from-a-file');
    expect(Object.entries(config.sourceSecrets).map(([name, secret]) => [name, secret.reveal()])).toEqual([
      ['github', 'direct'],
      ['my-scanner', 'mine'],
    ]);
  });

  test('the worker needs no Slack tokens, and the bot does', () => {
    const none = { SLACK_BOT_TOKEN: undefined, SLACK_APP_TOKEN: undefined };
    expect(problems(environment(MINIMAL, none), 'worker')).toEqual([]);
    for (const role of ['bot', 'all'] as const)
      expect(problems(environment(MINIMAL, none), role)).toEqual([
        expect.stringMatching(/^SLACK_BOT_TOKEN: not set\. .*Bot User OAuth Token/),
        expect.stringMatching(/^SLACK_APP_TOKEN: not set\. .*connections:write/),
      ]);
  });

  test('no secret shows when a configuration is printed', () => {
    const config = loadConfig('all', environment(MINIMAL, { TOURNIQUET_SOURCE_GITHUB: 'source-value' }));
    for (const text of [inspect(config, { depth: null }), JSON.stringify(config)]) {
      expect(text).not.toMatch(/redis:\/\/|bot-token-value|app-token-value|source-value/);
      expect(text).not.toContain(KEY);
    }
  });
});

describe('what is wrong', () => {
  test.each<[string, string, RegExp]>([
    [
      'a name for a channel',
      MINIMAL.replace('C012ABCDEF', 'incidents'),
      /slack\.channel: write the channel id/,
    ],
    [
      'a name for a person',
      MINIMAL.replace('U012ABCDEF', 'maria'),
      /people\.approvers\.0: write a Slack user id/,
    ],
    [
      'nobody who approves',
      MINIMAL.replace('[U012ABCDEF]', '[]'),
      /people\.approvers: name at least one approver/,
    ],
    ['no cluster', MINIMAL.replace('[{ name: prod }]', '[]'), /clusters: name at least one cluster/],
    ['a cluster name in capitals', MINIMAL.replace('prod', 'PROD'), /clusters\.0\.name: write a lower-case/],
    [
      'one cluster twice',
      MINIMAL.replace('{ name: prod }', '{ name: prod }, { name: prod }'),
      /clusters: the name prod is used twice/,
    ],
    ['a number without a unit', `${MINIMAL}\nsweepEvery: "15"`, /sweepEvery: write a number and a unit/],
    [
      'a duration within a list',
      `${MINIMAL}\nproof: { recheckAfter: [5m, soon] }`,
      /proof\.recheckAfter\.1: write a number and a unit/,
    ],
    ['an unknown key', `${MINIMAL}\nautoContian: off`, /\(top level\): .*autoContian/],
    [
      'an unknown key further down',
      MINIMAL.replace('{ name: prod }', '{ name: prod, server: x }'),
      /clusters\.0: .*server/,
    ],
    ['a choice that does not exist', `${MINIMAL}\nautoContain: always`, /autoContain: .*token-in-hand/],
    ['a port that does not exist', `${MINIMAL}\nhttp: { port: 70000 }`, /http\.port: /],
    ['a part that is missing', MINIMAL.replace(/^slack.*$/m, ''), /slack: /],
    ['no YAML', 'slack: [', /tourniquet\.yaml: /],
  ])('%s', (_, yaml, said) => {
    const found = problems(environment(yaml));
    expect(found).toEqual([expect.stringMatching(said)]);
    expect(found[0]).toContain('tourniquet.yaml: ');
  });

  test.each<[string, Env, RegExp]>([
    [
      'no file',
      { TOURNIQUET_CONFIG: '/nonexistent.yaml' },
      /^TOURNIQUET_CONFIG: cannot read \/nonexistent\.yaml\. Write/,
    ],
    ['no Redis', { REDIS_URL: undefined }, /^REDIS_URL: not set\. .*redis:\/\//],
    ['an empty secret', { REDIS_URL: '' }, /^REDIS_URL: not set/],
    ['no key', { TOURNIQUET_KEY: undefined }, /^TOURNIQUET_KEY: not set\. .*openssl rand -base64 32/],
    [
      'a short key',
      { TOURNIQUET_KEY: Buffer.alloc(16).toString('base64') },
      /^TOURNIQUET_KEY: must be 32 bytes.*openssl/,
    ],
    [
      'a secret given twice',
      { SLACK_BOT_TOKEN_FILE: '/x' },
      /^SLACK_BOT_TOKEN: set both directly and by SLACK_BOT_TOKEN_FILE\. Unset/,
    ],
    [
      'a secret file that is not there',
      { SLACK_BOT_TOKEN: undefined, SLACK_BOT_TOKEN_FILE: '/nonexistent' },
      /^SLACK_BOT_TOKEN_FILE: cannot read \/nonexistent\. Check/,
    ],
  ])('%s', (_, env, said) => {
    expect(problems(environment(MINIMAL, env))).toContainEqual(expect.stringMatching(said));
  });

  test('all of it is said at once', () => {
    const yaml = MINIMAL.replace('C012ABCDEF', 'incidents')
      .replace('U012ABCDEF', 'maria')
      .replace('prod', 'PROD');
    const found = problems(
      environment(`${yaml}\nsweepEvery: soon\nfoo: 1`, {
        REDIS_URL: undefined,
        TOURNIQUET_KEY: 'short',
        SLACK_APP_TOKEN: undefined,
      }),
    );
    for (const place of [
      'slack.channel',
      'people.approvers.0',
      'clusters.0.name',
      'sweepEvery',
      'foo',
      'REDIS_URL',
      'TOURNIQUET_KEY',
      'SLACK_APP_TOKEN',
    ])
      expect(
        found.filter((line) => line.includes(place)),
        place,
      ).toHaveLength(1);
    expect(found).toHaveLength(8);
  });

  test('no message repeats the value of a secret', () => {
    const found = problems(
      environment(MINIMAL, {
        TOURNIQUET_KEY: 'a-key-value',
        SLACK_BOT_TOKEN_FILE: '/x',
        REDIS_URL: 'redis://:pw@x',
      }),
    );
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).not.toMatch(/a-key-value|bot-token-value|:pw@/);
  });
});

describe('the webhook for calls outside Slack', () => {
  const calling = (url: string): string => `${MINIMAL}escalation: { url: '${url}' }\n`;
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const env = (url: string, TOURNIQUET_ESCALATION_SECRET: string | undefined = secret): Env =>
    environment(calling(url), { TOURNIQUET_ESCALATION_SECRET });

  test.each([
    'https://pager.example/calls?team=1',
    'http://127.0.0.1:9/x',
    'http://localhost/x',
    'http://[::1]/',
  ])('%s may be called', (url) => {
    expect(problems(env(url))).toEqual([]);
  });

  test.each([
    'http://pager.example/',
    'http://127.0.0.1.example/',
    'ftp://127.0.0.1/',
    'https://a:b@pager.example/',
  ])('%s may not', (url) => {
    expect(problems(env(url))).toEqual([expect.stringMatching(/escalation\.url.*write an https/)]);
  });

  test('its secret is needed by the bot, not by the worker, and must be one', () => {
    const without = environment(calling('https://pager.example/'));
    expect(problems(without, 'bot')).toEqual([
      expect.stringMatching(/TOURNIQUET_ESCALATION_SECRET: not set.*whsec_/),
    ]);
    expect(problems(without, 'worker')).toEqual([]);
    expect(problems(env('https://pager.example/', 'secret'))).toEqual([
      expect.stringMatching(/at least 24 bytes/),
    ]);
  });
});
