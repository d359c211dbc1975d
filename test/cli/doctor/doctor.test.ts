// Doctor: a sound installation is found sound, one that is spoiled in one place gets the cause and the remedy, and no secret is printed.
import { randomBytes } from 'node:crypto';
import { startWorkspace } from 'slack-sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configuration } from '../../../src/cli/doctor/configuration.ts';
import { runDoctor } from '../../../src/cli/doctor/doctor.ts';
import { policy } from '../../../src/cli/doctor/policy.ts';
import { slack } from '../../../src/cli/doctor/slack.ts';
import { sources } from '../../../src/cli/doctor/sources.ts';
import { type DoctorWorld, expectFound, openDoctorWorld, type Planted, SLACK, troubles } from './world.ts';

let world: DoctorWorld;
beforeAll(async () => {
  world = await openDoctorWorld();
});
afterAll(() => world.close());

/** A sound installation with these rules in its policy. */
const rules = (...written: object[]) => ({ policy: { rules: written } });

describe('a sound installation', () => {
  test('is found sound, and everything was looked at', async () => {
    const { code, report } = await world.doctor();
    expect(troubles(report)).toEqual([]);
    expect(code).toBe(0);
    expect(report.summary).toEqual({ fine: expect.any(Number), warning: 0, broken: 0, notChecked: 0 });
    expect(report.summary.fine).toBeGreaterThan(20);
  });

  test('of the bot alone: clusters are the worker’s matter', async () => {
    const { code, report } = await world.doctor({ argv: ['--role', 'bot'], list: [configuration, sources] });
    expect(code).toBe(0);
    expect(report.role).toBe('bot');
    const worker = await world.doctor({ argv: ['--role', 'worker'], list: [sources] });
    expect(worker.report.groups).toEqual([
      {
        group: 'Alert sources',
        checks: [{ name: 'Alert sources', status: 'not-checked', seen: "It is the bot's matter." }],
      },
    ]);
  });

  test('without --role it is what the environment holds', async () => {
    const noSlack = { SLACK_BOT_TOKEN: undefined, SLACK_APP_TOKEN: undefined };
    const role = async (look: object) => (await world.doctor({ argv: [], list: [], ...look })).report.role;
    expect(await role({})).toBe('all');
    expect(await role({ env: noSlack })).toBe('worker');
    expect(await role({ config: { clusters: [{ name: 'prod', kubeconfig: '/nowhere' }] } })).toBe('bot');
  });
});

const PLANTED: Planted[] = [
  {
    title: 'a key that does not exist',
    look: () => ({ list: [configuration], config: { autoContian: 'off' } }),
    says: 'broken Configuration / file',
    cause: /autoContian/,
    remedy: /docs\/configuration\.md/,
  },
  {
    title: 'a key of half the length',
    look: () => ({ list: [configuration], env: { TOURNIQUET_KEY: randomBytes(16).toString('base64') } }),
    says: 'broken Configuration / TOURNIQUET_KEY',
    cause: /32 bytes/,
    remedy: /openssl rand -base64 32/,
  },
  {
    title: 'a key that somebody typed',
    look: () => ({
      list: [configuration],
      env: { TOURNIQUET_KEY: Buffer.alloc(32, 'secret').toString('base64') },
    }),
    says: 'warning Configuration / TOURNIQUET_KEY',
    cause: /not look random/,
    remedy: /openssl rand -base64 32/,
  },
  {
    title: 'an address that is none',
    look: () => ({ list: [configuration], env: { REDIS_URL: 'redis:6379' } }),
    says: 'broken Configuration / REDIS_URL',
    cause: /not the address of a Redis/,
    remedy: /rediss:\/\//,
  },
  {
    title: 'a token that is not set',
    look: () => ({ list: [configuration], env: { SLACK_APP_TOKEN: '' } }),
    says: 'broken Configuration / SLACK_APP_TOKEN',
    cause: /not set/,
    remedy: /connections:write/,
  },
  {
    title: 'an action that does not exist',
    look: () => ({ list: [policy], config: rules({ name: 'a', do: { 'delete-everything': 'never' } }) }),
    says: 'broken Policy / rules',
    cause: /delete-everything: there is no such action/,
    remedy: /quarantine-token/,
  },
  {
    title: 'a rule that never decides',
    look: () => ({
      list: [policy],
      config: rules({ name: 'all', do: { any: {} } }, { name: 'late', match: { cluster: ['prod'] }, do: {} }),
    }),
    says: 'warning Policy / rules',
    cause: /"late": it never decides/,
    remedy: /policy check/,
  },
  {
    title: 'a secret of a source that does not exist',
    look: () => ({
      list: [sources],
      env: { TOURNIQUET_SOURCE_GITGUARDAIN: randomBytes(32).toString('hex') },
    }),
    says: 'broken Alert sources / TOURNIQUET_SOURCE_GITGUARDAIN',
    cause: /no alert source gitguardain/,
    remedy: /TOURNIQUET_SOURCE_GITGUARDIAN/,
  },
  {
    title: 'a secret that is not in the form of its source',
    look: () => ({ list: [sources], env: { TOURNIQUET_SOURCE_REPORT: 'whsec_not base64 at all!' } }),
    says: 'broken Alert sources / TOURNIQUET_SOURCE_REPORT',
    cause: /not a Standard Webhooks secret/,
    remedy: /whsec_\$\(openssl/,
  },
  {
    title: 'a secret with a line break',
    look: ({ secrets }) => ({
      list: [sources],
      env: { TOURNIQUET_SOURCE_REPORT: `${secrets.TOURNIQUET_SOURCE_REPORT}\n` },
    }),
    says: 'broken Alert sources / TOURNIQUET_SOURCE_REPORT',
    cause: /line breaks/,
    remedy: /value alone/,
  },
  {
    title: 'a short secret',
    look: () => ({ list: [sources], env: { TOURNIQUET_SOURCE_GITGUARDIAN: 'hunter22' } }),
    says: 'warning Alert sources / TOURNIQUET_SOURCE_GITGUARDIAN',
    cause: /only 8 characters/,
    remedy: /openssl rand/,
  },
  {
    title: 'no source at all',
    look: () => ({ list: [sources], env: { TOURNIQUET_SOURCE_REPORT: undefined } }),
    says: 'warning Alert sources / sources',
    cause: /no scanner can report/,
    remedy: /TOURNIQUET_SOURCE_REPORT/,
  },
  {
    title: 'a rule for a source that is not served',
    look: () => ({
      list: [sources],
      config: rules({ name: 'a', match: { source: ['gitguardian'] }, do: { any: 'never' } }),
    }),
    says: 'warning Alert sources / TOURNIQUET_SOURCE_GITGUARDIAN',
    cause: /has no secret and is not served/,
    remedy: /take the rule out/,
  },
  {
    title: 'one secret for two things',
    look: ({ secrets }) => ({
      list: [sources],
      env: { TOURNIQUET_SOURCE_GITGUARDIAN: secrets.TOURNIQUET_SOURCE_REPORT },
    }),
    says: 'warning Alert sources / secrets',
    cause:
      /_REPORT and TOURNIQUET_SOURCE_GITGUARDIAN have the same value|_GITGUARDIAN and TOURNIQUET_SOURCE_REPORT have/,
    remedy: /value of its own/,
  },
  {
    title: 'a bot token that was revoked',
    look: () => ({ list: [slack], env: { SLACK_BOT_TOKEN: `xoxb-${randomBytes(8).toString('hex')}` } }),
    says: 'broken Slack / bot token',
    cause: /invalid_auth/,
    remedy: /SLACK_BOT_TOKEN/,
  },
  {
    title: 'the two tokens swapped',
    look: ({ secrets }) => ({
      list: [slack],
      env: { SLACK_BOT_TOKEN: secrets.SLACK_APP_TOKEN, SLACK_APP_TOKEN: secrets.SLACK_BOT_TOKEN },
    }),
    says: 'broken Slack / bot token',
    cause: /holds an app-level token/,
    remedy: /xoxb-/,
    also: ['broken Slack / app-level token: SLACK_APP_TOKEN holds a bot token'],
  },
  {
    title: 'an app-level token that is refused',
    look: () => ({ list: [slack], env: { SLACK_APP_TOKEN: `xapp-${randomBytes(8).toString('hex')}` } }),
    says: 'broken Slack / app-level token',
    cause: /invalid_auth/,
    remedy: /connections:write/,
  },
  {
    title: 'Slack that cannot be reached',
    look: ({ sound }) => ({
      list: [slack],
      config: { slack: { ...sound.slack, apiUrl: 'http://127.0.0.1:1/api/' } },
    }),
    says: 'broken Slack / bot token',
    cause: /cannot be reached/,
    remedy: /proxy, firewall/,
    also: ['broken Slack / app-level token: Slack cannot be reached'],
  },
  {
    title: 'a channel without the bot',
    look: ({ sound }) => ({ list: [slack], config: { slack: { ...sound.slack, channel: 'CGENERAL01' } } }),
    says: 'broken Slack / incident channel',
    cause: /not a member of CGENERAL01/,
    remedy: /\/invite @tourniquet/,
  },
  {
    title: 'a channel that is not there',
    look: ({ sound }) => ({ list: [slack], config: { slack: { ...sound.slack, channel: 'C0NOWHERE' } } }),
    says: 'broken Slack / incident channel',
    cause: /no channel C0NOWHERE/,
    remedy: /slack\.channel/,
  },
  ...[
    ['UNOBODY001', /knows nobody with the id UNOBODY001/, /Copy member ID/],
    ['UROLF00001', /is deactivated/, /name somebody else/],
    ['UGAIL00001', /is a guest/, /name somebody else/],
    ['UPETRA0001', /another workspace/, /name somebody else/],
    ['UTOURNIQUET', /is an app/, /name somebody else/],
  ].map(
    ([id, cause, remedy]): Planted => ({
      title: `an approver whose clicks do not count: ${id}`,
      look: ({ sound }) => ({
        list: [slack],
        config: { people: { ...sound.people, approvers: [...sound.people.approvers, id] } },
      }),
      says: 'broken Slack / people',
      cause: cause as RegExp,
      remedy: remedy as RegExp,
    }),
  ),
  {
    title: 'a user group that is not there',
    look: () => ({
      list: [slack],
      config: rules({ name: 'a', do: { any: { from: ['S0NOWHERE', 'approvers'] } } }),
    }),
    says: 'broken Slack / user groups',
    cause: /no user group S0NOWHERE/,
    remedy: /Copy the id/,
  },
  {
    title: 'approvals that nobody can give',
    look: () => ({
      list: [slack],
      config: rules({ name: 'three', do: { any: { approvals: 3, from: ['SSECONCALL'] } } }),
    }),
    says: 'broken Slack / who can approve',
    cause: /"three": any needs 3 approvals, and 2 people .* nobody can approve/,
    remedy: /user group/,
  },
  {
    title: 'approvers of whom only one is left',
    look: ({ sound }) => ({
      list: [slack],
      config: { people: { ...sound.people, approvers: ['UINES00001', 'UROLF00001'] } },
    }),
    says: 'warning Slack / who can approve',
    cause: /"default": any needs 1 approval, and 1 person .* If one of them reports the leak/,
    remedy: /people\.approvers/,
    also: [
      'broken Slack / people: UROLF00001 is deactivated',
      'warning Slack / who can approve: Everything in the protected',
    ],
  },
];

test.each(PLANTED)('$title', (planted) => expectFound(world, planted));

describe('Slack of another make', () => {
  test.each([
    [
      ['users:read', 'commands', 'chat:write', 'channels:history', 'groups:history'],
      'broken',
      'lacks usergroups:read',
      'Reinstall',
    ],
    [['admin'], 'warning', 'may do more than it needs: admin', 'Remove these scopes'],
  ])('scopes: %j', async (scopes, status, cause, remedy) => {
    const other = await startWorkspace({ ...SLACK, ...(status === 'broken' && { scopes }) });
    const more = await startWorkspace({ ...SLACK, scopes: [...(await defaultScopes()), ...scopes] });
    const used = status === 'broken' ? other : more;
    const { report } = await world.doctor({
      list: [slack],
      config: { slack: { ...world.sound.slack, apiUrl: used.apiUrl } },
      env: { SLACK_BOT_TOKEN: used.botToken, SLACK_APP_TOKEN: used.appToken },
    });
    expect(troubles(report)).toEqual([
      expect.stringMatching(new RegExp(`^${status} Slack / scopes: .*${cause}.* → .*${remedy}`)),
    ]);
    await Promise.all([other.close(), more.close()]);
  });

  test('an empty user group', async () => {
    const other = await startWorkspace({
      ...SLACK,
      userGroups: [{ id: 'SSECONCALL', handle: 'sec-oncall', name: 'Security', users: [] }],
    });
    const { report } = await world.doctor({
      list: [slack],
      config: { slack: { ...world.sound.slack, apiUrl: other.apiUrl } },
      env: { SLACK_BOT_TOKEN: other.botToken, SLACK_APP_TOKEN: other.appToken },
    });
    expect(troubles(report)).toEqual([
      expect.stringMatching(
        /^broken Slack \/ user groups: The user group SSECONCALL has no members\. → Add people/,
      ),
      expect.stringMatching(
        /^broken Slack \/ who can approve: Rule "payments".* 0 people .* nobody can approve/,
      ),
    ]);
    await other.close();
  });
});

const defaultScopes = async () => (await import('slack-sandbox')).defaultScopes;

test('what is wrong at one place does not hide the others', async () => {
  const { report } = await world.doctor({
    list: [configuration, policy, slack],
    config: { logLevel: 'loud' },
    env: { TOURNIQUET_KEY: '' },
  });
  expect(troubles(report)).toEqual([
    expect.stringMatching(/^broken Configuration \/ .*logLevel/),
    expect.stringMatching(/^broken Configuration \/ TOURNIQUET_KEY: not set/),
  ]);
  expect(report.groups.find(({ group }) => group === 'Slack')?.checks.length).toBeGreaterThan(4);
});

test('--strict makes a doubt a failure, and a wrong call is said', async () => {
  const look = { list: [sources], env: { TOURNIQUET_SOURCE_REPORT: undefined } };
  expect((await world.doctor(look)).code).toBe(0);
  expect((await world.doctor({ ...look, argv: ['--role', 'all', '--strict'] })).code).toBe(1);
  for (const argv of [['--role', 'owner'], ['everything'], ['--loud']])
    await expect(runDoctor(argv, { env: {}, stdout: { write: () => undefined } })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('tourniquet doctor'),
    });
});

test('no secret is in what it prints, in either form, whatever is wrong', async () => {
  const canaries = {
    REDIS_URL: world.redis.url.replace('//', `//user:${randomBytes(12).toString('hex')}@`),
    TOURNIQUET_KEY: randomBytes(16).toString('base64'),
    SLACK_BOT_TOKEN: `xapp-${randomBytes(12).toString('hex')}`,
    SLACK_APP_TOKEN: `xoxb-${randomBytes(12).toString('hex')}`,
    TOURNIQUET_SOURCE_REPORT: ` whsec_${randomBytes(32).toString('base64')}`,
    TOURNIQUET_SOURCE_OTHER: randomBytes(12).toString('hex'),
  };
  const token = world.cluster.seed.requestToken('tourniquet', 'worker');
  const config = { clusters: [{ name: 'prod', kubeconfig: world.file(`users: [{ token: ${token} }]: [`) }] };
  const { out: json } = await world.doctor({ config, env: canaries });
  const plain = await world.people({ config, env: canaries });
  expect(plain).toContain('BROKEN');
  const password = /:([0-9a-f]{24})@/.exec(canaries.REDIS_URL)?.[1] ?? '';
  for (const value of [...Object.values(canaries), password, token])
    for (const out of [json, plain]) expect(out).not.toContain(value.trim());
});

test('people read one line for each finding, what to do below it, and a summary', async () => {
  const out = await world.people({ list: [sources], env: { TOURNIQUET_SOURCE_GITGUARDIAN: 'hunter22' } });
  expect(out.split('\n')).toEqual([
    'Alert sources',
    expect.stringMatching(/^ {2}(fine|WARNING) +TOURNIQUET_SOURCE_/),
    expect.stringMatching(/^ {2}|→/),
    expect.stringMatching(/^ {2}|→/),
    '',
    '0 broken, 1 warning, 1 fine, 0 not checked (role all)',
    '',
  ]);
});
