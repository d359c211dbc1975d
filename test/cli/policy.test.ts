// The command line of the policy: mistakes with their lines, doubts, and one plain sentence for what would happen.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyJsonSchema, runPolicy } from '../../src/cli/policy.ts';
import { loadFileConfig } from '../../src/config/config.ts';
import { read } from '../structure/tree.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-policy-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const CONFIG = `
slack: { channel: C012ABCDEF }
people: { approvers: [U012ABCDEF, U034ABCDEF] }
clusters: [{ name: prod }]
`;

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function run(argv: string[], config = CONFIG, policy?: string): { code: number; said: string } {
  let [said, wrong] = ['', ''];
  const env = {
    TOURNIQUET_CONFIG: write('tourniquet.yaml', config),
    ...(policy === undefined ? {} : { TOURNIQUET_POLICY: write('policy.yaml', policy) }),
  };
  const stdout = { write: (text: string) => (said += text) };
  const stderr = { write: (text: string) => (wrong += text) };
  const code = runPolicy(argv, { load: () => loadFileConfig(env), stdout, stderr });
  // What went wrong is on stderr, and nothing else is.
  expect([said === '', wrong === '']).toEqual([code === 2, code !== 2]);
  return { code, said: said + wrong };
}

describe('policy check', () => {
  it('says the version of a valid policy', () => {
    const { code, said } = run(['check']);
    expect(code).toBe(0);
    expect(said).toMatch(/^The policy is valid: 0 rules before the default, version [0-9a-f]{12}\.\n$/);
  });

  it('names a file that is not there, and blames nothing else', () => {
    const { code, said } = run(['check', join(directory, 'gone.yaml')]);
    expect(code).toBe(2);
    expect(said).toMatch(/cannot read .*gone\.yaml/);
    expect(said).not.toContain('TOURNIQUET_POLICY');
  });

  it.each<[string, string, RegExp]>([
    [
      'a key that does not exist',
      'rules:\n  - name: a\n    dont: {}\n    do: {}\n',
      /line 3: rules\.0: .*dont/,
    ],
    [
      'a key within an approval',
      'rules:\n  - name: a\n    do:\n      any:\n        approvls: 2\n',
      /line 5: rules\.0\.do\.any: .*approvls/,
    ],
    [
      'a word that is no decision',
      'rules:\n  - name: a\n    do:\n      any: always\n',
      /line 4: rules\.0\.do\.any: write auto, never, or/,
    ],
    [
      'a name for a person',
      'rules:\n  - name: a\n    do:\n      any: { from: [ines] }\n',
      /line 4: rules\.0\.do\.any\.from\.0: write approvers, responders/,
    ],
    [
      'a tier that does not exist',
      'rules:\n  - name: a\n    match:\n      tier: [sever]\n    do: {}\n',
      /line 4: rules\.0\.match\.tier\.0: /,
    ],
    [
      'an action that does not exist',
      'rules:\n  - name: a\n    do: { delete-everything: never }\n',
      /policy\.rules\.0\.do\.delete-everything: there is no such action\. Write one of: quarantine-token/,
    ],
    ['no YAML', 'rules: [\n', /file\.yaml: .*line/],
  ])('%s is found, with its place', (_name, policy, expected) => {
    const { code, said } = run(['check', write('file.yaml', policy)]);
    expect(code).toBe(2);
    expect(said).toMatch(expected);
  });

  it('says what it doubts, and exits with 1', () => {
    const { code, said } = run(['check', write('file.yaml', 'rules: [{ name: a, do: { revoke: auto } }]')]);
    expect(code).toBe(1);
    expect(said).toContain('revoke cannot be undone');
  });

  it('reads the file that TOURNIQUET_POLICY names, and not two policies at once', () => {
    const file = 'rules: [{ name: mine, do: { contain: auto } }]';
    expect(run(['check'], CONFIG, file).said).toContain('1 rule before the default');
    const both = run(['check'], `${CONFIG}policy: { rules: [] }\n`, file);
    expect(both.code).toBe(2);
    expect(both.said).toContain('Keep one of the two');
  });

  it('says when there is no such file', () => {
    expect(run(['check', join(directory, 'gone.yaml')])).toMatchObject({ code: 2 });
  });
});

describe('policy explain', () => {
  const policy =
    'rules: [{ name: sec, match: { tier: [severe] }, do: { contain: auto, revoke: { approvals: 2, from: [S012ABCDEF], expiry: 30m } } }]';
  it.each<[string, string[], RegExp]>([
    ['a match', ['quarantine-token', '--tier', 'severe'], /runs by itself .*\(rule "sec"/],
    [
      'no match',
      ['quarantine-token', '--tier', 'low'],
      /needs one of responders or approvers.*\(rule "default"/,
    ],
    ['an unknown tier', ['quarantine-token'], /needs one of responders or approvers/],
    [
      'two of a group',
      ['delete-token-secret', '--tier', 'severe'],
      /needs 2 of @S012ABCDEF, not the reporter; the plan expires after 30 min/,
    ],
    ['an action that does not exist', ['delete'], /There is no action delete\. There are: quarantine-token/],
  ])('%s', (_name, [action = '', ...options], expected) => {
    expect(
      run(['explain', 'gitguardian', 'prod/payments/api', action, ...options], CONFIG, policy).said,
    ).toMatch(expected);
  });

  it.each([[['explain', 'x', 'prod/api', 'quarantine-token']], [['explain']], [[]], [['check', '--what']]])(
    'refuses %j with the usage',
    (argv) => {
      const { code, said } = run(argv);
      expect(code).toBe(2);
      expect(said).toContain('tourniquet policy explain');
    },
  );
});

describe('docs/policy.schema.json', () => {
  it('is what `policy schema` prints', () => {
    expect(JSON.parse(read('docs/policy.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(policyJsonSchema())),
    );
    expect(JSON.parse(run(['schema']).said)).toEqual(JSON.parse(read('docs/policy.schema.json')));
  });
});
