// `tourniquet report` over the wire, against the bot's own intake and a real Redis: every format, every token once, nothing lost.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { dumpRedis } from '../../../sandbox/traces.ts';
import type { CliCommand } from '../../../src/cli/command.ts';
import { report, runReport } from '../../../src/cli/report/report.ts';
import { base64, boundToken, jwt, legacyToken, wrap } from '../../domain/token/token-samples.ts';
import { startReceiver } from '../../receiver.ts';
import { type Intake, startIntake } from '../bot.ts';
import { documentedKeys, keyPaths } from '../documented.ts';
import { expectNoTrace, type Told, typed } from '../terminal.ts';

let bot: Intake;
beforeAll(async () => {
  bot = await startIntake();
});
afterAll(() => bot?.close());

const run = (stdin: string, ...argv: string[]): Promise<Told> => typed(report, argv, { stdin, env: bot.env });

/** The incidents that a JSON answer names, from the log itself. */
async function opened(told: Told) {
  const ids = (JSON.parse(told.out).leaks as { incidents: { id: string }[] }[]).flatMap(({ incidents }) =>
    incidents.map(({ id }) => id),
  );
  const incidents = await Promise.all(ids.map((id) => bot.front.incident(id)));
  return incidents.map((incident) => {
    if (!incident) throw new Error('It is not in the log.');
    return incident;
  });
}

const gitleaks = (secret: string, rest: object = {}) => ({
  RuleID: 'jwt',
  Description: 'Uncovered a JSON Web Token',
  StartLine: 4,
  Match: `token: ${secret}`,
  Secret: secret,
  File: 'deploy/kc.yaml',
  Commit: 'a'.repeat(40),
  Link: 'https://git.example/blob/a/deploy/kc.yaml#L4',
  Fingerprint: `${'a'.repeat(40)}:deploy/kc.yaml:jwt:4`,
  ...rest,
});

const trufflehog = (raw: string, rest: object = {}) =>
  JSON.stringify({
    SourceMetadata: {
      Data: {
        Git: { commit: 'b'.repeat(40), file: 'ci.yml', repository: 'https://git.example/shop', line: 9 },
      },
    },
    DetectorName: 'JWT',
    Verified: false,
    Raw: raw,
    RawV2: '',
    Redacted: '',
    ...rest,
  });

const sarif = (snippet: string) => ({
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'gitleaks' } },
      results: [
        {
          ruleId: 'jwt',
          level: 'error',
          message: { text: 'jwt has detected secret for file app.env.' },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: 'app.env' },
                region: { startLine: 12, snippet: { text: snippet } },
              },
            },
          ],
          partialFingerprints: { commitSha: 'c'.repeat(40) },
        },
      ],
    },
  ],
});

describe('what is odd in SARIF', () => {
  it('does not stop the rest, and is looked through all the same', async () => {
    const [token, hidden] = [legacyToken(), legacyToken()];
    const [run0] = sarif(token).runs;
    const log = {
      runs: [
        null,
        7,
        { tool: null, results: { text: `found ${hidden}` } },
        {
          results: [
            null,
            5,
            'text',
            [],
            { locations: [null, { physicalLocation: 7 }], level: 'constructor' },
          ],
        },
        run0,
      ],
    };
    const told = await run(JSON.stringify(log), '--json');
    expect(told).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(told.out)).toMatchObject({ format: 'sarif', found: 2, notReported: 0 });
    expectNoTrace(told, token, hidden);
  });

  it('is no reason for the other side to refuse it', async () => {
    const log = sarif('[redacted]');
    const place = log.runs[0]?.results[0]?.locations[0]?.physicalLocation;
    if (place) place.artifactLocation.uri = `a\n\u202eb   ${'c'.repeat(300)} `;
    const told = await run(JSON.stringify(log), '--json');
    expect(JSON.parse(told.out)).toMatchObject({ found: 1, notReported: 0 });
    const finding = { ...gitleaks(legacyToken()), Link: 'not an address' };
    expect(JSON.parse((await run(JSON.stringify([finding]), '--json')).out)).toMatchObject({
      notReported: 0,
    });
  });
});

describe('what is read', () => {
  it.each<[string, (token: string) => string, string, RegExp]>([
    ['text', (token) => `line one\nfound: ${token}\n`, 'text', /^standard input, line 2$/],
    ['a token wrapped over lines', (token) => wrap(token, 76), 'text', /^standard input, line 1$/],
    [
      'a kubeconfig in base64',
      (token) => base64(stringify({ users: [{ user: { token } }] })),
      'text',
      /^standard input$/,
    ],
    [
      'gitleaks',
      (token) => JSON.stringify([gitleaks(token)]),
      'gitleaks',
      /^deploy\/kc\.yaml:4 at commit a{12} \(gitleaks: jwt\)$/,
    ],
    [
      'trufflehog',
      (token) => `{"level":"info-0","msg":"running"}\n${trufflehog(token)}\n`,
      'trufflehog',
      /^https:\/\/git\.example\/shop: ci\.yml:9 at commit b{12} \(trufflehog: JWT\)$/,
    ],
    [
      'SARIF',
      (token) => JSON.stringify(sarif(token)),
      'sarif',
      /^app\.env:12 at commit c{12} \(gitleaks: jwt\)$/,
    ],
  ])('%s: an incident with the token and where it was', async (_name, inputOf, format, where) => {
    const token = legacyToken();
    const told = await run(inputOf(token), '--json');
    expect(told).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(told.out)).toMatchObject({ version: 1, format, found: 1, notReported: 0 });
    const [incident] = await opened(told);
    expect(incident?.alerts[0]?.alert).toMatchObject({ source: 'report', subject: { kind: 'token' } });
    expect(incident?.alerts[0]?.alert.where?.text).toMatch(where);
    expect((await bot.deps.vault.open(incident?.id ?? ''))?.reveal()).toBe(token);
    expectNoTrace(told, token);
    const other = await run(inputOf(legacyToken()), '--format', format, '--json');
    expect(JSON.parse(other.out)).toMatchObject({ format, found: 1 });
  });

  it('a report in our own format goes as it is', async () => {
    const data = { namespace: 'rohan', serviceAccount: 'eowyn', reason: 'seen in a log', severity: 'low' };
    const told = await run(JSON.stringify({ data }), '--json');
    expect(told.code).toBe(1);
    expect((await opened(told))[0]?.alerts[0]?.alert).toMatchObject({
      subject: { kind: 'coordinates', at: { namespace: 'rohan', serviceAccount: 'eowyn' } },
      reason: 'seen in a log',
    });
  });

  it('a token found in several places is one incident that names them', async () => {
    const token = legacyToken();
    const found = [
      gitleaks(token),
      gitleaks(token, { File: 'copy.yaml' }),
      gitleaks(boundToken(), { File: 'b' }),
    ];
    const told = await run(JSON.stringify(found), '--json');
    expect(JSON.parse(told.out).found).toBe(2);
    expect(keyPaths(JSON.parse(told.out))).toEqual(expect.arrayContaining(documentedKeys('report')));
    const [first] = await opened(told);
    expect(first?.alerts).toHaveLength(1);
    expect(first?.alerts[0]?.alert.where?.text).toMatch(/kc\.yaml:4 .*and 1 more: copy\.yaml:4/);
    expect(first?.alerts[0]?.alert.where?.url).toBe('https://git.example/blob/a/deploy/kc.yaml#L4');
  });

  it('more tokens than one report may hold are all reported', async () => {
    const tokens = Array.from({ length: 22 }, () => legacyToken('ES256'));
    const padding = 'lorem ipsum dolor sit amet\n'.repeat(2500);
    const told = await run(tokens.join(`\n${padding}`), '--json');
    expect(JSON.parse(told.out)).toMatchObject({ found: 22, notReported: 0 });
    expect(new Set((await opened(told)).map(({ id }) => id)).size).toBe(22);
  });

  it.each([
    ['gitleaks that redacts', JSON.stringify([gitleaks('REDACTED')])],
    ['gitleaks that cuts', JSON.stringify([gitleaks(`${legacyToken().slice(0, 300)}...`, { File: 'cut' })])],
    ['SARIF without the value', JSON.stringify(sarif('[redacted]'))],
  ])('%s: a person is asked, with where to look', async (_name, input) => {
    const told = await run(input, '--json');
    expect(told.code).toBe(1);
    const [incident] = await opened(told);
    expect(incident?.alerts[0]?.alert.subject).toEqual({ kind: 'unnamed' });
    expect(incident?.alerts[0]?.alert.where?.text).toContain('(gitleaks: jwt)');
    expect(JSON.parse((await run(input, '--json')).out).leaks[0].incidents).toEqual([
      { id: incident?.id, created: false },
    ]);
  });

  it.each<[string, () => string, RegExp]>([
    [
      'a foreign JWT',
      () => jwt({ sub: 'user', iss: 'https://idp.example' }),
      /not of a Kubernetes ServiceAccount/,
    ],
    ['an OpenShift token', () => `sha256~${'a'.repeat(43)}`, /not a Kubernetes ServiceAccount token/],
    [
      'an AWS key by gitleaks',
      () => JSON.stringify([gitleaks('REDACTED', { RuleID: 'aws-access-token' })]),
      /No ServiceAccount token/,
    ],
    ['nothing', () => '', /No ServiceAccount token was found.*Nothing was sent/],
    ['an empty report of gitleaks', () => '[]', /read as gitleaks/],
  ])('%s is said to be nothing for us: exit code 0', async (_name, input, expected) => {
    const told = await run(input());
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(told.out).toMatch(expected);
  });
});

describe('the answer', () => {
  it('names the incident, and knows it again without a new entry in its log', async () => {
    const token = legacyToken();
    const first = await run(token);
    const id = /reported: incident (\w+)\. Follow it with: tourniquet status \1/.exec(first.out)?.[1] ?? '';
    const before = (await bot.front.incident(id))?.version;
    const again = await run(token);
    expect([first.code, again.code]).toEqual([1, 1]);
    expect(again.out).toContain(`already known: incident ${id}`);
    expect((await bot.front.incident(id))?.version).toBe(before);
    const elsewhere = await run(token, '--where', 'build log 17', '--exit-zero');
    expect(elsewhere.code).toBe(0);
    expect(elsewhere.out).toContain(`already known: incident ${id}`);
    expect((await bot.front.incident(id))?.alerts.at(-1)?.alert.where?.text).toBe('build log 17');
    expectNoTrace({ out: first.out + again.out, err: '' }, token);
  });

  it('of a dry run is what would be sent, without the token, and nothing is', async () => {
    const token = legacyToken();
    const before = (await bot.front.incidents(1000)).length;
    const told = await typed(report, ['--dry-run', '--severity', 'high'], {
      stdin: JSON.stringify([gitleaks(token)]),
    });
    expect(told.code).toBe(1);
    expect(told.out).toContain('would be sent: {"token":"[secret]","where":{"text":"deploy/kc.yaml:4 ');
    expect(told.out).toContain('"severity":"high"');
    expect((await bot.front.incidents(1000)).length).toBe(before);
    expectNoTrace(told, token);
  });

  it('of a dry run shows nothing of a report that holds more than a token', async () => {
    const [token, key] = [legacyToken(), base64(`private key ${crypto.randomUUID()}`)];
    const kubeconfig = stringify({ kind: 'Config', users: [{ user: { token, 'client-key-data': key } }] });
    const text = wrap(base64(token), 60);
    const data = { kubeconfig, text, where: { text: 'build log 17' } };
    const told = await typed(report, ['--dry-run'], { stdin: JSON.stringify({ data }) });
    expect(told.out).toContain('"kubeconfig":"[secret]","text":"[secret]","where":{"text":"build log 17"}');
    expect(told.out).not.toContain(key);
    expectNoTrace(told, token);
  });

  it('leaves no token in Redis in the clear', async () => {
    const token = legacyToken();
    await run(`${token}\n`, '--where', `pasted ${token}`);
    expectNoTrace({ out: await dumpRedis(bot), err: '' }, token);
  });
});

describe('the wrong call', () => {
  const call = (argv: string[], env: Record<string, string | undefined>, stdin = legacyToken()) =>
    typed(report, argv, { stdin, env });
  it.each<[string, string[], () => Record<string, string | undefined>, RegExp]>([
    [
      'no address',
      [],
      () => ({ ...bot.env, TOURNIQUET_URL: undefined }),
      /TOURNIQUET_URL is not set.*Nothing was sent/,
    ],
    [
      'no secret',
      [],
      () => ({ ...bot.env, TOURNIQUET_SOURCE_REPORT: undefined }),
      /TOURNIQUET_SOURCE_REPORT is not set/,
    ],
    [
      'a secret that cannot sign',
      [],
      () => ({ ...bot.env, TOURNIQUET_SOURCE_REPORT: 'whsec_' }),
      /not a Standard Webhooks secret/,
    ],
    [
      'http over a network',
      [],
      () => ({ ...bot.env, TOURNIQUET_URL: 'http://tourniquet.example' }),
      /in the clear/,
    ],
    [
      'a password in the address',
      [],
      () => ({ ...bot.env, TOURNIQUET_URL: 'https://a:b@tourniquet.example' }),
      /user or a password/,
    ],
    ['an argument', ['leak.txt'], () => bot.env, /from standard input/],
    ['a wrong format', ['--format', 'gitleaks'], () => bot.env, /not a JSON report of gitleaks/],
    ['an unknown format', ['--format', 'xml'], () => bot.env, /--format: write one of text, sarif/],
  ])('%s is told, and nothing is sent', async (_name, argv, env, expected) => {
    const told = await call(argv, env());
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toMatch(expected);
    expect(told.err).not.toContain('a:b');
  });

  it('a wrong secret is told with the remedy, and the rest is not tried', async () => {
    const env = { ...bot.env, TOURNIQUET_SOURCE_REPORT: `whsec_${base64('x'.repeat(32))}` };
    const told = await call([], env, `${legacyToken()}\n${boundToken()}`);
    expect(told.code).toBe(2);
    expect(told.out).toMatch(
      /NOT REPORTED: 401: webhook-signature does not fit.*both sides hold the same secret/,
    );
    expect(told.out).toMatch(/2 of 2 NOT REPORTED\. To repeat, give the same input/);
  });
});

/** An endpoint that misbehaves before it passes on to the bot. */
async function flaky(answers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  const ids: unknown[] = [];
  const server = createServer((request, response) => {
    ids.push(request.headers['webhook-id']);
    const next = answers.shift();
    if (next) return next(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const {
        'content-type': type = '',
        'webhook-id': id = '',
        'webhook-timestamp': at = '',
        'webhook-signature': by = '',
      } = headers;
      const answer = await fetch(`${bot.env.TOURNIQUET_URL}${request.url}`, {
        method: 'POST',
        headers: { 'content-type': type, 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': by },
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const waits: number[] = [];
  const command = {
    ...report,
    run: (argv: string[], terminal: Parameters<typeof runReport>[1]) =>
      runReport(argv, terminal, { sleep: async (ms) => void waits.push(ms), now: Date.now }),
  };
  return {
    ids,
    waits,
    run: (stdin: string) => typed(command, [], { stdin, env: { ...bot.env, TOURNIQUET_URL: url } }),
    close: () => server.close(),
  };
}

describe('an endpoint in trouble', () => {
  it('is asked again with the same id, after the time that it says', async () => {
    const endpoint = await flaky([
      (_, response) => response.writeHead(429, { 'retry-after': '7' }).end('busy'),
      (_, response) => response.writeHead(503).end('{"error":"Redis cannot be reached."}'),
      (request) => request.socket.destroy(),
    ]);
    const told = await endpoint.run(legacyToken());
    endpoint.close();
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/reported: incident \w+/);
    expect(endpoint.waits).toEqual([7000, 2000, 4000]);
    expect(new Set(endpoint.ids).size).toBe(1);
    expect(endpoint.ids).toHaveLength(4);
  });

  it('that took the report but lost the answer is told apart from a new one', async () => {
    const token = legacyToken();
    const first = await run(token, '--json');
    const endpoint = await flaky([(request) => request.socket.destroy()]);
    const told = await endpoint.run(token);
    endpoint.close();
    expect(told.out).toContain(`already known: incident ${(await opened(first))[0]?.id}`);
  });

  it('is given up in the end, and what was not reported is named: exit code 2', async () => {
    const down = Array.from({ length: 6 }, () => (_: unknown, response: ServerResponse) => {
      response.writeHead(503).end('<html>a proxy</html>');
    });
    const endpoint = await flaky(down);
    const tokens = [legacyToken(), boundToken()];
    const told = await endpoint.run(tokens.join('\n'));
    endpoint.close();
    expect(told.code).toBe(2);
    expect(told.out).toMatch(
      /1\. Long-lived token of rohan\/eomer, standard input, line 1\n +NOT REPORTED: 503\n/,
    );
    expect(told.out).toMatch(/2\. Pod-bound token of gondor\/faramir.*\n +NOT REPORTED: it was not tried/);
    expect(told.out).not.toContain('proxy');
    expect(endpoint.ids).toHaveLength(6);
    expectNoTrace(told, ...tokens);
    expect((await run(tokens.join('\n'))).out).toMatch(/reported: incident \w+.*reported: incident \w+/s);
  });

  it('that redirects gets no second request, wherever it leads', async () => {
    const thief: string[] = [];
    const elsewhere = createServer((request, response) => {
      thief.push(String(request.url));
      response.end('{}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/hooks/report`;
    const endpoint = await flaky([(_, response) => response.writeHead(307, { location }).end()]);
    const told = await endpoint.run(legacyToken());
    endpoint.close();
    elsewhere.close();
    expect(told.code).toBe(2);
    expect(told.out).toMatch(/307: a redirect, which is not followed/);
    expect(thief).toEqual([]);
  });

  it('whose certificate nobody vouches for gets nothing, also where the environment would let it', async () => {
    const { keyPem: key, certPem: cert } = issueServingCertificate('receiver', ['127.0.0.1']);
    const receiver = await startReceiver({ key, cert });
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const env = { TOURNIQUET_URL: receiver.url, TOURNIQUET_SOURCE_REPORT: receiver.secret.reveal() };
    const run: CliCommand['run'] = (argv, terminal) =>
      runReport(argv, terminal, { sleep: async () => undefined, now: Date.now });
    const told = await typed({ ...report, run }, [], { stdin: legacyToken(), env });
    vi.unstubAllEnvs();
    await receiver.close();
    expect(told.code).toBe(2);
    expect(told.out).toMatch(/did not answer \(.*(CERT|SIGNATURE|SIGNED)/);
    expect(receiver.deliveries).toEqual([]);
  });

  it('that is something else is not believed', async () => {
    const endpoint = await flaky([(_, response) => response.writeHead(200).end('<html>welcome</html>')]);
    const told = await endpoint.run(legacyToken());
    endpoint.close();
    expect(told.code).toBe(2);
    expect(told.out).toContain('What answered is not Tourniquet: check TOURNIQUET_URL.');
  });
});
