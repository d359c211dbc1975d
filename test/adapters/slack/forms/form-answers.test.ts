// Forms: what is wrong is said beside its field, and never repeats a token.
import { describe, expect, it } from 'vitest';
import { readAnswers, type Values } from '../../../../src/adapters/slack/forms/form-answers.ts';
import type { Field } from '../../../../src/adapters/slack/forms/forms.ts';
import { base64, jwt, legacyPayload, legacyToken, unsignedJwt } from '../../../domain/token/token-samples.ts';

const values = (given: Partial<Record<Field, string>>): Values =>
  Object.fromEntries(
    Object.entries(given).map(([field, value]) => [
      field,
      { [field]: field === 'cluster' ? { selected_option: { value } } : { value } },
    ]),
  );
const errors = (given: Partial<Record<Field, string>>) => {
  const answers = readAnswers(values(given));
  return 'errors' in answers ? answers.errors : {};
};

describe('readAnswers', () => {
  it('takes a token out of whatever holds it', () => {
    const token = legacyToken();
    for (const paste of [
      token,
      ` ${token}\n`,
      `apiVersion: v1\nkind: Secret\ndata:\n  token: ${base64(token)}`,
      `Authorization: Bearer ${token}`,
    ]) {
      const answers = readAnswers(values({ paste, where: 'a gist' }));
      expect(answers).toMatchObject({ filled: { where: 'a gist' } });
      expect('filled' in answers && answers.filled.token?.reveal()).toBe(token);
      expect(JSON.stringify(answers)).not.toContain(token.slice(0, 20));
    }
  });

  it('takes names', () => {
    expect(readAnswers(values({ cluster: 'prod', namespace: 'payments', account: 'api' }))).toEqual({
      filled: { at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' } },
    });
    expect(readAnswers(values({ namespace: 'payments', secret: 'api-token' }))).toEqual({
      filled: { at: { namespace: 'payments', secret: 'api-token' } },
    });
  });

  it.each<[string, Partial<Record<Field, string>>, Field, RegExp]>([
    ['nothing', {}, 'namespace', /Paste the token, or fill in/],
    ['only a cluster', { cluster: 'prod' }, 'namespace', /Paste the token/],
    ['no namespace', { account: 'api' }, 'namespace', /Which namespace/],
    ['no account', { namespace: 'payments' }, 'account', /Which ServiceAccount/],
    ['a bad name', { namespace: 'Payments', account: 'api' }, 'namespace', /Not a Kubernetes name/],
    ['no token', { paste: 'hello' }, 'paste', /No ServiceAccount token was found/],
    ['two tokens', { paste: `${legacyToken()}\n\n${legacyToken()}` }, 'paste', /2 tokens/],
    [
      'HS256',
      { paste: unsignedJwt(legacyPayload(), { alg: 'HS256' }, 32) },
      'paste',
      /no Kubernetes API server uses/,
    ],
    [
      "somebody else's",
      { paste: jwt({ sub: 'alice', iss: 'https://login.example' }) },
      'paste',
      /not of a Kubernetes ServiceAccount/,
    ],
    ['a token cut off', { paste: legacyToken().slice(0, 200) }, 'paste', /cut off|No ServiceAccount token/],
    [
      'a token in the wrong field',
      { namespace: 'payments', account: 'api', reason: `see ${legacyToken()}` },
      'reason',
      /Take it out/,
    ],
  ])('%s', (_name, given, field, message) => {
    const found = errors(given);
    expect(found[field]).toMatch(message);
    expect(JSON.stringify(found)).not.toMatch(/eyJ\w{8}/);
  });
});
