// /revoke-sa: what people type is understood, and nothing is opened for what is not there.
import { describe, expect, it } from 'vitest';
import { parse, revokeSa } from '../../commands/revoke-sa.ts';
import { AppError } from '../../src/errors.ts';
import { legacyToken } from '../domain/token/token-samples.ts';
import { commandTools } from './command-tools.ts';

const at = (namespace: string, name: string, cluster?: string) => ({
  namespace,
  name,
  ...(cluster ? { cluster } : {}),
});

describe('parse', () => {
  it.each([
    ['payments/api', { kind: 'target', at: at('payments', 'api') }],
    ['prod/payments/api', { kind: 'target', at: at('payments', 'api', 'prod') }],
    ['`prod/payments/api`', { kind: 'target', at: at('payments', 'api', 'prod') }],
    ['"payments/api", it leaked', { kind: 'target', at: at('payments', 'api'), reason: 'it leaked' }],
    ['payments/api.', { kind: 'target', at: at('payments', 'api') }],
    [
      'payments/api  seen &lt;here&gt; &amp; there',
      { kind: 'target', at: at('payments', 'api'), reason: 'seen <here> & there' },
    ],
    [
      '<http://payments/api|payments/api> in CI',
      { kind: 'target', at: at('payments', 'api'), reason: 'in CI' },
    ],
    ['system:serviceaccount:payments:api', { kind: 'target', at: at('payments', 'api') }],
    ['prod/system:serviceaccount:payments:api', { kind: 'target', at: at('payments', 'api', 'prod') }],
    ['payments/build.robot', { kind: 'target', at: at('payments', 'build.robot') }],
    ['', { kind: 'form', token: false }],
    ['  ``  ', { kind: 'form', token: false }],
    ['help', { kind: 'help' }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['api', /does not name a ServiceAccount/],
    ['a/b/c/d', /does not name a ServiceAccount/],
    ['Payments/api', /`Payments` is not a namespace/],
    ['payments/Api_1', /`Api_1` is not a ServiceAccount name/],
    ['pay.ments/api', /`pay.ments` is not a namespace/],
    ['-prod/payments/api', /`-prod` is not a cluster name/],
    [`${'a'.repeat(64)}/api`, /…` is not a namespace/],
    ['pay&lt;ments/api', /`pay&lt;ments` is not a namespace/],
  ])('refuses %s', (text, message) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
    expect(parsed).toMatchObject({ message: expect.stringContaining('Nothing was opened.') });
  });

  it('keeps no part of a token', () => {
    const token = legacyToken();
    for (const text of [token, `payments/api ${token} oops`, `\`${token}\``, token.slice(0, 60)]) {
      const parsed = parse(text);
      expect(parsed).toMatchObject({ kind: 'form', token: true });
      expect(JSON.stringify(parsed)).not.toContain(token.slice(0, 12));
    }
    expect(parse(`payments/api ${token} oops`)).toMatchObject({ at: at('payments', 'api'), reason: 'oops' });
  });
});

describe('run', () => {
  it('opens where exactly one cluster has it', async () => {
    const tools = commandTools({ found: ['prod'] });
    expect(await revokeSa.run(tools, 'payments/api in a gist')).toEqual({
      kind: 'opened',
      incidentId: 'inc-0001',
      created: true,
    });
    expect(tools.asked).toEqual([{ ask: 'find-service-account', namespace: 'payments', name: 'api' }]);
    expect(tools.reports).toEqual([
      {
        alert: {
          source: 'slash',
          subject: {
            kind: 'coordinates',
            at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
          },
          reporter: 'UMAYA00001',
          goal: { do: 'revoke' },
          reason: 'in a gist',
        },
      },
    ]);
  });

  it('asks which cluster where several have it', async () => {
    const tools = commandTools({ found: ['prod', 'staging'] });
    const reply = await revokeSa.run(tools, 'payments/api');
    expect(reply).toMatchObject({ text: expect.stringContaining('`/revoke-sa staging/payments/api`') });
    expect(tools.reports).toEqual([]);
  });

  it.each([
    ['payments/apii', { near: ['payments/api'] }, /Did you mean `payments\/api`\? Nothing was opened/],
    [
      'payments/api',
      {},
      /No ServiceAccount `payments\/api` on `prod`, `staging`.*`\/revoke-sa` alone opens a form/,
    ],
    ['prod/api', {}, /`prod` is a cluster/],
    ['prd/payments/api', {}, /There is no cluster `prd`.*Did you mean `prod`\?.*`prod`, `staging`/],
    [
      'payments/api',
      { problems: ['The cluster prod does not answer.'] },
      /prod does not answer.*Nothing was opened/,
    ],
  ])('%s: nothing is opened', async (text, answer, message) => {
    const tools = commandTools(answer);
    expect(await revokeSa.run(tools, text)).toMatchObject({
      kind: 'text',
      text: expect.stringMatching(message),
    });
    expect(tools.reports).toEqual([]);
  });

  it('does not wait for a worker that is away where the cluster is known', async () => {
    const away = new AppError('timeout', 'No worker answers.', { retry: true });
    const named = commandTools(away);
    expect(await revokeSa.run(named, 'prod/payments/api')).toMatchObject({ kind: 'opened' });
    const single = commandTools(away, { clusters: ['prod'] });
    expect(await revokeSa.run(single, 'payments/api')).toMatchObject({ kind: 'opened' });
    expect(single.reports[0]?.alert.subject).toMatchObject({ at: { cluster: 'prod' } });
    const unsure = commandTools(away);
    expect(await revokeSa.run(unsure, 'payments/api')).toMatchObject({
      text: expect.stringContaining('No worker answers.'),
    });
    expect(unsure.reports).toEqual([]);
  });

  it('opens the form, filled in as far as known', async () => {
    expect(await revokeSa.run(commandTools(), '')).toEqual({ kind: 'leak-form' });
    expect(await revokeSa.run(commandTools(), `prod/payments/api ${legacyToken()} oops`)).toEqual({
      kind: 'leak-form',
      at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
      reason: 'oops',
    });
  });
});
