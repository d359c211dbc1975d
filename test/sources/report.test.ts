// Whether signed reports are authenticated, and whatever they carry becomes findings or a clear answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Finding } from '../../src/contracts/alert-source.ts';
import { isAppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { report } from '../../src/sources/report.ts';
import { base64, boundToken, jwt, legacyToken } from '../domain/token/token-samples.ts';
import { newWhsec, raw, standardHeaders } from './signing.ts';

const token = legacyToken();
const findings = (body: unknown): Finding[] => {
  const parsed = report.parse(raw(JSON.stringify(body)));
  return parsed.kind === 'findings' ? parsed.findings : [];
};
const refusal = (body: unknown): string => {
  try {
    findings(body);
  } catch (error) {
    if (isAppError(error, 'bad-input')) return error.message;
  }
  return '(accepted)';
};

describe('verify', () => {
  const whsec = newWhsec();
  const now = 1_700_000_000_000;
  const body = '{"data":{}}';
  const sign = (seconds: number, id = 'msg_1', key = whsec) => standardHeaders(body, key, { id, seconds });
  const check = (headers: Record<string, string>, sent = body, key = whsec, tolerance?: number) =>
    report.verify(raw(sent, headers), new Secret(key), now, tolerance);
  const refused = (...of: Parameters<typeof check>): string => {
    try {
      check(...of);
    } catch (error) {
      if (isAppError(error, 'bad-signature', 'bad-config')) return `${error.code}: ${error.message}`;
    }
    return '(accepted)';
  };

  it('takes the published vector', () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const request = raw('{"test": 2432232314}', headers);
    expect(report.verify(request, secret, 1_614_265_330_000)).toBe('msg_p5jXN8AQM9LWM0D4loKWxJek');
  });

  it.each([1_700_000_000, 1_699_999_940, 1_700_000_060])('takes a delivery of %d', (seconds) => {
    expect(check(sign(seconds))).toBe('msg_1');
  });

  it('takes one good signature among others', () => {
    const headers = sign(1_700_000_000);
    const many = `v1a,AAAA v1,AAAA nonsense ${headers['webhook-signature']}`;
    expect(check({ ...headers, 'webhook-signature': many })).toBe('msg_1');
  });

  it('obeys the tolerance', () => {
    expect(check(sign(1_699_999_800), body, whsec, 300_000)).toBe('msg_1');
  });

  const good = sign(1_700_000_000);
  it.each<[string, Record<string, string>, string?, string?]>([
    ['nothing', {}],
    ['no id', { ...good, 'webhook-id': '' }],
    ['no signature', { ...good, 'webhook-signature': '' }],
    ['an old delivery', sign(1_699_999_939)],
    ['a delivery of the future', sign(1_700_000_061)],
    ['a timestamp that is no number', { ...good, 'webhook-timestamp': '1700000000abc' }],
    ['a fractional timestamp', { ...good, 'webhook-timestamp': '1700000000.5' }],
    ['another id', { ...good, 'webhook-id': 'msg_2' }],
    ['an id with a blank', sign(1_700_000_000, 'a b')],
    ['another body', good, '{"data":{} }'],
    ['another secret', good, body, newWhsec()],
    ['the wrong version', { ...good, 'webhook-signature': `v2,${good['webhook-signature']?.slice(3)}` }],
    ['no version', { ...good, 'webhook-signature': good['webhook-signature']?.slice(3) ?? '' }],
    ['a secret that is none', good, body, 'whsec_***'],
  ])('refuses %s', (_, headers, sent, key) => {
    expect(refused(headers, sent, key)).toMatch(/^bad-/);
  });
});

describe('parse', () => {
  const kubeconfig = stringify({ apiVersion: 'v1', kind: 'Config', users: [{ name: 'u', user: { token } }] });
  it.each([
    ['token', token],
    ['token', base64(token)],
    ['kubeconfig', kubeconfig],
    ['kubeconfig', base64(kubeconfig)],
    ['manifest', stringify({ apiVersion: 'v1', kind: 'Secret', data: { token: base64(token) } })],
    ['text', `see: Bearer ${token}!`],
  ])('takes a token from %s', (field, value) => {
    const [finding, ...rest] = findings({
      type: 'leak.reported',
      timestamp: '2026-01-01T00:00:00Z',
      data: { [field]: value },
    });
    expect(rest).toEqual([]);
    expect(finding?.token?.reveal()).toBe(token);
    expect(finding?.alert).toEqual({ source: 'report', subject: { kind: 'token' } });
  });

  it('makes one finding of each token, with ids of their own', () => {
    const other = boundToken('ES256');
    const found = findings({ data: { text: `${token}\n${other}`, token, id: 'scan-7' } });
    expect(found.map(({ token, alert }) => [token?.reveal(), alert.externalId])).toEqual([
      [token, 'scan-7/1'],
      [other, 'scan-7/2'],
    ]);
  });

  it('takes coordinates', () => {
    const at = {
      cluster: 'edoras',
      namespace: 'rohan',
      serviceAccount: 'eomer',
      secret: 'eomer-token',
      jti: 'j-1',
    };
    expect(findings({ data: { ...at, id: 7, severity: 'high', reason: 'seen in a log' } })).toEqual([
      {
        alert: {
          source: 'report',
          externalId: '7',
          subject: { kind: 'coordinates', at },
          severity: 'high',
          reason: 'seen in a log',
        },
      },
    ]);
  });

  it('takes coordinates from a manifest without its token', () => {
    const manifest = stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'eomer-token', namespace: 'rohan' },
    });
    expect(findings({ data: { manifest, cluster: 'edoras' } })[0]?.alert.subject).toEqual({
      kind: 'coordinates',
      at: { cluster: 'edoras', namespace: 'rohan', secret: 'eomer-token' },
    });
  });

  it('asks for a person where the credential is another kind', () => {
    const [finding] = findings({ data: { text: `sha256~${'a'.repeat(43)}`, reason: 'in a gist' } });
    expect(finding?.alert).toMatchObject({
      subject: { kind: 'unnamed' },
      reason: expect.stringMatching(/^in a gist .*a person/),
    });
  });

  it('asks for a person where the sender says that it left the value out, and only there', () => {
    const data = { redacted: true, id: 'scan-8', where: { text: 'kc.yaml:4' } };
    expect(
      findings({ data }).map(({ alert, token: held }) => [alert.subject, alert.externalId, held]),
    ).toEqual([[{ kind: 'unnamed' }, 'scan-8', undefined]]);
    expect(findings({ data: { ...data, token } })[0]?.alert.subject).toEqual({ kind: 'token' });
  });

  it('keeps no token, control character or foreign address in what is shown', () => {
    const hidden = `${token.slice(0, 50)}\u200b${token.slice(50)}`;
    const [finding] = findings({
      data: {
        token,
        where: {
          text: `line\u0000one\n${token}\u202e`,
          url: `https://user:pass@git.example/a?t=${token}#L1`,
        },
        reason: `because ${hidden} and ${base64(token)}`,
      },
    });
    expect(finding?.alert.where?.text).toBe('line one [token removed]');
    expect(finding?.alert.where?.url).toMatch(/^https:\/\/git\.example\/a\?t=\[token%20removed\]/);
    expect(finding?.alert.reason).toBe('because [token removed] and [token removed]');
    expect(JSON.stringify(finding)).not.toContain(token.slice(-40));
  });

  it('cuts what is too long to show', () => {
    expect(findings({ data: { token, reason: 'x'.repeat(5000) } })[0]?.alert.reason).toHaveLength(500);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /data/],
    ['no data', { data: null }, /data: /],
    ['data without anything usable', { data: {} }, /names no token.*namespace/],
    ['a namespace alone', { data: { namespace: 'rohan' } }, /names no token/],
    ['text without a token', { data: { text: 'hello' } }, /names no token/],
    ['a token that is cut off', { data: { token: token.slice(0, -40) } }, /cut off/],
    ["a person's token", { data: { token: jwt({ iss: 'https://x', sub: 'arwen' }) } }, /not of a Kubernetes/],
    ['a field that it does not know', { data: { token, TOKENN: 1 } }, /^data has a field/],
    ['a field beside data', { data: { token }, extra: 1 }, /other than type/],
    ['another type', { type: 'x', data: { token } }, /^type: /],
    ['a namespace that is a path', { data: { namespace: '../x', secret: 'a' } }, /^data\.namespace: must be/],
    ['a Secret that is a path', { data: { namespace: 'x', secret: 'a/b' } }, /^data\.secret: must be/],
    [
      'a script as address',
      { data: { token, where: { url: 'javascript:alert(1)' } } },
      /^data\.where\.url: must be/,
    ],
    [
      'a file as address',
      { data: { token, where: { url: 'file:///etc/passwd' } } },
      /^data\.where\.url: must be/,
    ],
    ['an unknown severity', { data: { token, severity: 'huge' } }, /^data\.severity: /],
    ['too much text', { data: { text: 'x'.repeat(1_100_000) } }, /^data\.text: must be at most 1 MiB/],
    ['a token as id', { data: { token, id: token } }, /^data\.id: /],
    ['a number as token', { data: { token: 1 } }, /^data\.token: /],
  ])('refuses %s and says what to send', (_, body, message) => {
    expect(refusal(body)).toMatch(message);
  });

  it('never gives back what was sent', () => {
    const marker = 'mellon-mellon';
    for (const data of [
      { [marker]: 1 },
      { severity: marker },
      { token: { a: marker } },
      { namespace: `${marker}/` },
      { id: `${marker}\n` },
      { where: { [marker]: 1 } },
      { where: { url: `ftp://${marker}` } },
      { text: marker },
    ])
      expect(refusal({ data })).not.toContain(marker);
    expect(refusal({ data: { token }, [marker]: 1 })).not.toContain(marker);
    expect(refusal({ data: { token }, type: marker })).not.toContain(marker);
  });

  it.each(['', '[]', '"x"', '{"data":', 'null'])('refuses the body %j', (body) => {
    expect(() => report.parse(raw(body))).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('survives anything', () => {
    const field = fc.constantFrom(
      'token',
      'text',
      'id',
      'where',
      'namespace',
      'serviceAccount',
      'reason',
      '__proto__',
    );
    const anything = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc
        .dictionary(field, fc.oneof(fc.string(), fc.jsonValue()))
        .map((data) => Buffer.from(JSON.stringify({ data }))),
    );
    fc.assert(
      fc.property(anything, (body) => {
        try {
          expect(report.parse(raw(body)).kind).toBe('findings');
        } catch (error) {
          if (!isAppError(error, 'bad-input')) throw error;
        }
      }),
    );
  });
});
