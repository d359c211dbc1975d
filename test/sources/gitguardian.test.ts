// Whether GitGuardian's deliveries are authenticated and every one of its events is understood.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parsed } from '../../src/contracts/alert-source.ts';
import { isAppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { gitguardian } from '../../src/sources/gitguardian.ts';
import { legacyToken } from '../domain/token/token-samples.ts';
import { guardianHeaders, raw } from './signing.ts';

const HASH = 'ab'.repeat(32);
const incident = (extra: Record<string, unknown> = {}) => ({
  id: 31542,
  date: '2026-01-20T07:45:32.930965Z',
  detector: { name: 'json_web_token', display_name: 'JSON Web Token', nature: 'generic', family: 'Other' },
  secret_hash: 'xxx',
  hmsl_hash: HASH,
  secret_revoked: false,
  validity: 'no_checker',
  status: 'triggered',
  severity: 'high',
  ignore_reason: null,
  gitguardian_url: 'https://dashboard.gitguardian.example/workspace/1/incidents/31542',
  ...extra,
});
const event = (
  action: string,
  extra: Record<string, unknown> = {},
  incidentExtra: Record<string, unknown> = {},
) => ({
  source: 'GitGuardian',
  timestamp: '2026-01-20T07:45:32.930965Z',
  action,
  message: 'A message',
  incident: incident(incidentExtra),
  ...extra,
});
const parse = (body: unknown): Parsed => gitguardian.parse(raw(JSON.stringify(body)));
const note = (body: unknown): string => {
  const parsed = parse(body);
  return parsed.kind === 'update' ? parsed.update.note : parsed.kind;
};

describe('verify', () => {
  const secret = new Secret('foo');
  const now = 1_700_000_000_000;
  const body = '{"a":1}';
  const check = (headers: Record<string, string>, sent: string | Buffer = body, tolerance?: number) =>
    gitguardian.verify(raw(sent, headers), secret, now, tolerance);
  const refused = (...of: Parameters<typeof check>): string => {
    try {
      check(...of);
    } catch (error) {
      if (isAppError(error, 'bad-signature')) return error.message;
    }
    return '(accepted)';
  };

  it('takes the published vector', () => {
    const signature = 'sha256=172fe3d694b734aa53dc892fd3b8d62163fc240064de570ba006900bb54a0fc2';
    const headers = { timestamp: '0', 'gitguardian-signature': signature };
    expect(gitguardian.verify(raw('bar', headers), secret, 0)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    '1700000000',
    '1700000000.930965',
    '1699999941',
    '1700000059',
    '2023-11-14T22:13:20Z',
    '2023-11-14T22:13:20.123456+00:00',
    '2023-11-14T23:13:20+01:00',
    '2023-11-14T22:13:20',
  ])('takes the timestamp %s', (timestamp) => {
    expect(check(guardianHeaders(body, 'foo', timestamp))).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    '1699999939',
    '1700000061',
    '0',
    '99999999999',
    '1700000000000',
    '2023-11-14T22:11:20Z',
    '',
    'now',
    '-1',
    '1e9',
    '0x6553F100',
    'Tue, 14 Nov 2023 22:13:20 GMT',
    'Infinity',
  ])('refuses the timestamp %j', (timestamp) => {
    expect(refused(guardianHeaders(body, 'foo', timestamp))).toMatch(/missing|timestamp is more than/);
  });

  it('obeys the tolerance', () => {
    const headers = guardianHeaders(body, 'foo', '1699999900');
    expect(refused(headers)).toMatch(/60 s off/);
    expect(check(headers, body, 120_000)).toBeTruthy();
  });

  const good = guardianHeaders(body, 'foo', '1700000000');
  const signature = good['gitguardian-signature'] ?? '';
  it.each<[string, Record<string, string>, string | Buffer]>([
    ['nothing', {}, body],
    ['no signature', { timestamp: '1700000000' }, body],
    ['no timestamp', { 'gitguardian-signature': signature }, body],
    ['another key', guardianHeaders(body, 'bar', '1700000000'), body],
    ['another body', good, '{"a":2}'],
    ['a body with one more byte', good, `${body}\n`],
    ['another timestamp', { ...good, timestamp: '1700000001' }, body],
    ['the timestamp written differently', { ...good, timestamp: '1700000000.0' }, body],
    ['no scheme', { ...good, 'gitguardian-signature': signature.slice(7) }, body],
    ['another scheme', { ...good, 'gitguardian-signature': signature.replace('256', '1') }, body],
    ['a short signature', { ...good, 'gitguardian-signature': signature.slice(0, -2) }, body],
    ['a long signature', { ...good, 'gitguardian-signature': `${signature}00` }, body],
    ['the deprecated header', { timestamp: '1700000000', 'x-gitguardian-signature': signature }, body],
  ])('refuses %s', (_, headers, sent) => {
    expect(refused(headers, sent)).not.toBe('(accepted)');
  });

  it('signs bytes, not text', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    const headers = guardianHeaders(bytes, 'foo', '1700000000');
    expect(check(headers, bytes)).toBeTruthy();
    expect(refused(headers, Buffer.from([0x7b, 0xfe, 0xff, 0x7d]))).not.toBe('(accepted)');
  });

  it('gives one delivery one id, however its signature is written', () => {
    const shouting = { ...good, 'gitguardian-signature': `sha256=${signature.slice(7).toUpperCase()}` };
    expect(check(shouting)).toBe(check(good));
    expect(check(guardianHeaders(body, 'foo', '1700000001'))).not.toBe(check(good));
  });
});

describe('parse', () => {
  it.each(['incident_triggered', 'new_occurrence', 'incident_reopened', 'incident_regression'])(
    '%s is a finding',
    (action) => {
      expect(parse(event(action))).toEqual({
        kind: 'findings',
        findings: [
          {
            alert: {
              source: 'gitguardian',
              externalId: '31542',
              subject: { kind: 'hmsl-hash', hash: HASH },
              where: {
                text: 'GitGuardian incident 31542 (JSON Web Token)',
                url: 'https://dashboard.gitguardian.example/workspace/1/incidents/31542',
              },
              severity: 'high',
            },
          },
        ],
      });
    },
  );

  const where = (occurrence: unknown) => {
    const parsed = parse(event('new_occurrence', { occurrence }));
    return parsed.kind === 'findings' ? parsed.findings[0]?.alert.where : undefined;
  };
  it('says where an occurrence is', () => {
    const url = 'https://git.example/rohan/mark/commit/1';
    expect(where({ url, filepath: 'a/b.js', source: { full_name: 'rohan/mark' } })).toEqual({
      text: 'rohan/mark: a/b.js',
      url,
    });
    expect(where({ url, element_type: 'x', filename: 'b.js', source: { name: 'gist' } })).toEqual({
      text: 'gist: b.js',
      url,
    });
    expect(where({ url: 'javascript:alert(1)', filepath: 'a' })?.url).toMatch(/^https:\/\/dashboard/);
    expect(where({ filepath: `a\u202e\u0007b\nc ${legacyToken()}` })?.text).toBe('a b c [token removed]');
    expect(where({ filepath: 'x'.repeat(5000) })?.text).toHaveLength(300);
    expect(where('nonsense')?.text).toMatch(/incident 31542/);
  });

  it.each([undefined, null, 'xxx', 'zz'.repeat(32), 'ab'.repeat(31), 7])(
    'a hash that is %j names nothing',
    (hmsl_hash) => {
      expect(parse(event('incident_triggered', {}, { hmsl_hash }))).toMatchObject({
        findings: [{ alert: { subject: { kind: 'unnamed' } } }],
      });
    },
  );

  it('takes upper-case words and unknown ones', () => {
    expect(
      parse(event('new_occurrence', {}, { severity: 'CRITICAL', hmsl_hash: HASH.toUpperCase() })),
    ).toMatchObject({
      findings: [{ alert: { severity: 'critical', subject: { hash: HASH } } }],
    });
    expect(
      parse(event('new_occurrence', {}, { severity: 'apocalyptic', detector: 'odd', future: {} })),
    ).toMatchObject({
      findings: [{ alert: { severity: 'unknown' } }],
    });
  });

  const specific = (name: string) => ({
    name,
    display_name: name,
    nature: 'specific',
    family: 'cloud_provider',
  });
  it('passes over what is clearly another kind of secret, unless there is a hash', () => {
    const kind = (detector: unknown, hmsl_hash?: string) =>
      parse(event('incident_triggered', {}, { detector, hmsl_hash })).kind;
    expect(kind(specific('aws_iam'))).toBe('ignored');
    expect(kind(specific('aws_iam'), HASH)).toBe('findings');
    expect(kind(specific('kubernetes_kubeconfig_token'))).toBe('findings');
    expect(kind({ name: 'generic_password', nature: 'generic' })).toBe('findings');
    expect(kind({})).toBe('findings');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['incident_resolved', {}, 'GitGuardian: marked resolved.'],
    [
      'incident_resolved',
      { secret_revoked: true },
      'GitGuardian: marked resolved, with the secret reported as revoked.',
    ],
    [
      'incident_ignored',
      { ignore_reason: 'false_positive' },
      'GitGuardian: marked ignored as false positive.',
    ],
    ['incident_ignored', { ignore_reason: 'because <@U1>' }, 'GitGuardian: marked ignored.'],
    ['incident_validity_changed', { validity: 'invalid' }, 'GitGuardian: validity is now "invalid".'],
    ['incident_validity_changed', { validity: '<script>' }, 'GitGuardian: validity is now "unknown".'],
    ['incident_severity_changed', {}, 'GitGuardian: severity is now high.'],
    ['incident_assigned', { assignee_email: 'a@b.example' }, 'GitGuardian: assigned to somebody.'],
    ['incident_reassigned', {}, 'GitGuardian: assigned to somebody else.'],
    ['incident_unassigned', {}, 'GitGuardian: no longer assigned to anybody.'],
    ['incident_feedback_received', {}, 'GitGuardian: feedback was received.'],
    ['incident_note_created', {}, 'GitGuardian: a note was added.'],
    ['incident_sent_to_the_moon', {}, 'GitGuardian: incident sent to the moon.'],
    ['constructor', {}, 'GitGuardian: constructor.'],
    ['<!channel> look', {}, 'GitGuardian: something happened.'],
  ])('%s %j is noted', (action, extra, sentence) => {
    expect(note(event(action, {}, extra))).toBe(sentence);
  });

  it('says nothing of what a person wrote', () => {
    const parsed = parse(
      event('incident_note_created', { incident_note: { id: 1, comment: 'a private remark' } }),
    );
    expect(JSON.stringify(parsed)).not.toContain('remark');
    expect(parsed).toMatchObject({ update: { source: 'gitguardian', externalId: '31542' } });
  });

  it.each([
    'incident_access_granted',
    'incident_access_revoked',
    'incident_shared_publicly',
    'incident_unshared_publicly',
  ])('%s is passed over', (action) => {
    expect(parse(event(action)).kind).toBe('ignored');
  });

  it('passes over the test message, which has another shape', () => {
    const test = {
      author: 'x',
      origin: 'y',
      type: 'Test',
      policy: 'z',
      gitguardian_link: 'l',
      matches: [{ match: legacyToken() }],
    };
    expect(parse(test)).toEqual({ kind: 'ignored', why: 'test message' });
  });

  it('passes over events of the future that are not about an incident', () => {
    expect(parse({ source: 'GitGuardian', action: 'honeytoken_triggered', honeytoken: {} }).kind).toBe(
      'ignored',
    );
  });

  it.each([
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"action":1}',
    '{"action":"incident_triggered"}',
    '{"action":"incident_triggered","incident":{"id":{}}}',
    '{"action":"new_occurrence","incident":{"id":"../x"}}',
  ])('refuses %j', (body) => {
    expect(() => gitguardian.parse(raw(body))).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('survives anything', () => {
    const anything = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
      fc
        .record({
          action: fc.constantFrom('incident_triggered', 'incident_ignored', 'x'),
          occurrence: fc.jsonValue(),
          incident: fc.record({
            id: fc.nat(),
            detector: fc.jsonValue(),
            severity: fc.jsonValue(),
            gitguardian_url: fc.jsonValue(),
          }),
        })
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(anything, (body) => {
        try {
          expect(['findings', 'update', 'ignored']).toContain(gitguardian.parse(raw(body)).kind);
        } catch (error) {
          if (!isAppError(error, 'bad-input')) throw error;
        }
      }),
    );
  });
});
