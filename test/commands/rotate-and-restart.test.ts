// `/rotate-sa` and `/restart-sa`: what is read from what people type, and what is asked for.
import { describe, expect, it } from 'vitest';
import { restartSa } from '../../commands/restart-sa.ts';
import { rotateSa } from '../../commands/rotate-sa.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { commandTools } from './command-tools.ts';

describe.each([
  ['rotate-sa', rotateSa, 'rotate'],
  ['restart-sa', restartSa, 'restart'],
] as const)('/%s', (name, command, does) => {
  const opened = async (text: string) => {
    const tools = commandTools({ found: ['prod'] });
    const reply = await command.run(tools, text);
    return { reply, alert: tools.reports[0]?.alert };
  };

  it.each<[string, Omit<Goal, 'do'>, string | undefined]>([
    ['payments/api', {}, undefined],
    ['`prod/payments/api` yearly rotation', {}, 'yearly rotation'],
    ['payments/api --dry-run', { dryRun: true }, undefined],
    ['--dry-run payments/api why not', { dryRun: true }, 'why not'],
    ['payments/api \u2014dry-run', { dryRun: true }, undefined],
    ['payments/api --all --dry-run', { consent: true, dryRun: true }, undefined],
    ['system:serviceaccount:payments:api', {}, undefined],
  ])('%s', async (text, wish, reason) => {
    const { reply, alert } = await opened(text);
    expect(reply).toMatchObject({ kind: 'opened' });
    expect(alert?.goal).toEqual({ do: does, ...wish });
    expect(alert?.reason).toBe(reason);
    expect(alert?.subject).toEqual({
      kind: 'coordinates',
      at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
    });
  });

  it.each([
    ['payments', /does not name a ServiceAccount.*Nothing was opened/],
    ['Pay_ments/api', /is not a namespace/],
    ['payments/api --force', /There is no `--force`: there are `--dry-run` and `--all`\. Nothing was opened/],
    ['payments/api --<script>', /`--&lt;script&gt;`|There is no/],
    ['payments/api eyJhbGciOiJSUzI1NiJ9.e30.abc', /holds a token.*`\/revoke-sa`.*Nothing was opened/],
  ])('refuses %s', async (text, message) => {
    const { reply, alert } = await opened(text);
    expect(reply).toMatchObject({ kind: 'text', text: expect.stringMatching(message) });
    expect(JSON.stringify(reply)).not.toContain('eyJ');
    expect(alert).toBeUndefined();
  });

  it('alone opens its form', async () => {
    const { reply } = await opened(' ');
    expect(reply).toEqual({ kind: 'request-form', command: name, ways: name === 'rotate-sa' });
  });

  it('takes whatever follows a bare -- for the reason', async () => {
    const { alert } = await opened('payments/api --dry-run -- --all of it, new-secret or not');
    expect(alert).toMatchObject({ goal: { dryRun: true }, reason: '--all of it, new-secret or not' });
    expect(alert?.goal).not.toHaveProperty('consent');
  });

  it.each(['help', '--dry-run'])('answers "%s" with its help', async (text) => {
    const { reply } = await opened(text);
    expect(reply).toMatchObject({ kind: 'text', text: expect.stringContaining(`/${name} `) });
  });

  it('names itself where several clusters have it', async () => {
    const reply = await command.run(commandTools({ found: ['prod', 'staging'] }), 'payments/api');
    expect(reply).toMatchObject({ text: expect.stringContaining(`/${name} prod/payments/api`) });
  });
});

describe('a strategy', () => {
  const goalOf = async (text: string) => {
    const tools = commandTools({ found: ['prod'] });
    const reply = await rotateSa.run(tools, text);
    return { reply, alert: tools.reports[0]?.alert };
  };

  it.each(['recreate', 'new-secret', 'new-service-account', 'replace-pod'])(
    '%s is taken',
    async (strategy) => {
      const { alert } = await goalOf(`payments/api ${strategy} because`);
      expect(alert).toMatchObject({ goal: { do: 'rotate', strategy }, reason: 'because' });
    },
  );

  it('that is misspelled is asked about, and not taken for a reason', async () => {
    const { reply, alert } = await goalOf('payments/api new-secrets');
    expect(reply).toMatchObject({ text: expect.stringContaining('Did you mean `new-secret`?') });
    expect(alert).toBeUndefined();
  });

  it('is not seen in a reason that merely has a dash', async () => {
    const { alert } = await goalOf('payments/api half-yearly duty');
    expect(alert).toMatchObject({ goal: { do: 'rotate' }, reason: 'half-yearly duty' });
  });

  it('is part of the reason of a restart', async () => {
    const tools = commandTools({ found: ['prod'] });
    await restartSa.run(tools, 'payments/api recreate the Pods');
    expect(tools.reports[0]?.alert).toMatchObject({ goal: { do: 'restart' }, reason: 'recreate the Pods' });
  });
});
