// Whether the HTTP server answers senders rightly over real sockets, and acknowledges nothing that is not received.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type HttpOptions, type HttpServer, startHttp } from '../../../src/adapters/http/intake.ts';
import type { AlertSource, Finding } from '../../../src/contracts/alert-source.ts';
import type { AlertUpdate } from '../../../src/domain/incident/alert.ts';
import { AppError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret.ts';
import { sources } from '../../../src/sources/index.ts';
import { legacyToken } from '../../domain/token/token-samples.ts';
import { guardianHeaders, newWhsec, standardHeaders } from '../../sources/signing.ts';

const whsec = newWhsec();
const guardianKey = 'a signature token';
const token = legacyToken();
const closing: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((server) => server.close()));
});

async function start(overrides: Partial<HttpOptions> = {}) {
  const findings: Finding[] = [];
  const updates: AlertUpdate[] = [];
  const logged: unknown[] = [];
  const handled = new Map<string, string>();
  const write = (...line: unknown[]) => void logged.push(line);
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 16_384,
    sources,
    secrets: { report: new Secret(whsec), gitguardian: new Secret(guardianKey) },
    toleranceMs: 60_000,
    clock: { now: () => Date.now() },
    receive: async (finding) => {
      findings.push(finding);
      return { incidentId: `incident-${findings.length}`, created: true };
    },
    update: async (update) => void updates.push(update),
    seen: async (id) => handled.get(id),
    remember: async (id, note) => void handled.set(id, note),
    ready: async () => [],
    log: { info: write, warn: write, error: write },
    ...overrides,
  });
  closing.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const post = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers: { 'content-type': 'application/json', ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  };
  return { server, url, post, findings, updates, logged, handled };
}

const body = JSON.stringify({ data: { token, id: 'scan-1' } });
const signed = (text: string | Buffer = body, options = {}) => standardHeaders(text, whsec, options);
const now = () => String(Math.floor(Date.now() / 1000));

describe('a delivery', () => {
  it('is accepted once its finding is received', async () => {
    const { post, findings } = await start();
    const answer = await post('/hooks/report', body, signed());
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ status: 'accepted', incidents: [{ id: 'incident-1', created: true }] });
    expect(findings.map((finding) => finding.token?.reveal())).toEqual([token]);
  });

  it('is asked about while it is asked whether it came before: what is new waits for one answer only', async () => {
    const asked: string[] = [];
    const { promise: both, resolve } = Promise.withResolvers<void>();
    const ask = async (what: string): Promise<undefined> => {
      asked.push(what);
      if (asked.length === 2) resolve();
      await both;
    };
    const known: unknown[] = [];
    const { post } = await start({
      seen: () => ask('seen'),
      recognise: async () => {
        await ask('recognise');
        return { by: 'incident-7', counted: true };
      },
      receive: async (_finding, given) => {
        known.push(await given);
        return { incidentId: 'incident-7', created: false };
      },
    });
    expect((await post('/hooks/report', body, signed())).status).toBe(202);
    expect(asked.toSorted()).toEqual(['recognise', 'seen']);
    expect(known).toEqual([{ by: 'incident-7', counted: true }]);
  });

  it('is not answered before', async () => {
    const gate = Promise.withResolvers<{ incidentId: string; created: boolean }>();
    const called = Promise.withResolvers<void>();
    const { post } = await start({
      receive: () => {
        called.resolve();
        return gate.promise;
      },
    });
    const answered = vi.fn();
    const answer = post('/hooks/report', body, signed());
    void answer.then(answered);
    await called.promise;
    expect(answered).not.toHaveBeenCalled();
    gate.resolve({ incidentId: 'i', created: false });
    expect((await answer).json).toEqual({ status: 'accepted', incidents: [{ id: 'i', created: false }] });
  });

  it('of GitGuardian is told apart: finding, update, test message', async () => {
    const { post, findings, updates } = await start();
    const send = (event: unknown) => {
      const text = JSON.stringify(event);
      return post('/hooks/gitguardian', text, guardianHeaders(text, guardianKey, now()));
    };
    expect((await send({ action: 'incident_triggered', incident: { id: 1 } })).status).toBe(202);
    expect((await send({ action: 'incident_resolved', incident: { id: 1 } })).json).toEqual({
      status: 'noted',
    });
    expect((await send({ matches: [{ match: token }], type: 'test' })).json).toEqual({
      status: 'ignored',
      why: 'test message',
    });
    expect(findings).toHaveLength(1);
    expect(updates).toEqual([
      { source: 'gitguardian', externalId: '1', note: 'GitGuardian: marked resolved.' },
    ]);
  });

  it('that comes again is a success, and nothing is done', async () => {
    const { post, findings } = await start();
    const headers = signed();
    expect((await post('/hooks/report', body, headers)).status).toBe(202);
    const again = await post('/hooks/report', body, headers);
    const duplicate = { status: 'duplicate', incidents: [{ id: 'incident-1', created: false }] };
    expect([again.status, again.json]).toEqual([200, duplicate]);
    const later = signed(body, { id: headers['webhook-id'], seconds: Number(now()) - 5 });
    expect((await post('/hooks/report', body, later)).json).toEqual(duplicate);
    expect(findings).toHaveLength(1);
  });

  it('that was remembered is no secret of its sender: a wrong signature learns nothing', async () => {
    const { post } = await start();
    const headers = signed();
    await post('/hooks/report', body, headers);
    const stranger = standardHeaders(body, newWhsec(), { id: headers['webhook-id'] ?? '' });
    const answer = await post('/hooks/report', body, stranger);
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('incident-1');
  });

  it('that comes twice at once is received once', async () => {
    const gate = Promise.withResolvers<void>();
    const receive = vi.fn(async () => {
      await gate.promise;
      return { incidentId: 'i', created: true };
    });
    const seenTwice = Promise.withResolvers<void>();
    let verified = 0;
    const report = sources.find(({ name }) => name === 'report') as AlertSource;
    const counting: AlertSource = {
      ...report,
      verify: (...request) => {
        verified += 1;
        if (verified === 2) queueMicrotask(seenTwice.resolve);
        return report.verify(...request);
      },
    };
    const { post } = await start({ receive, sources: [counting] });
    const headers = signed();
    const answers = Promise.all([post('/hooks/report', body, headers), post('/hooks/report', body, headers)]);
    await seenTwice.promise;
    gate.resolve();
    expect((await answers).map(({ json }) => json.status).sort()).toEqual(['accepted', 'duplicate']);
    expect((await answers).map(({ json }) => json.incidents[0].id)).toEqual(['i', 'i']);
    expect(receive).toHaveBeenCalledTimes(1);
  });

  it('of one source does not hide the same id of another', async () => {
    const twin = (name: string): AlertSource => ({
      name,
      verify: () => 'same',
      parse: () => ({ kind: 'findings', findings: [] }),
    });
    const secret = new Secret('s');
    const { post } = await start({ sources: [twin('a'), twin('b')], secrets: { a: secret, b: secret } });
    expect((await post('/hooks/a', '{}')).json.status).toBe('accepted');
    expect((await post('/hooks/b', '{}')).json.status).toBe('accepted');
    expect((await post('/hooks/b', '{}')).json.status).toBe('duplicate');
  });
});

describe('a failure', () => {
  it('of the store is a 503 that says when to retry, and the retry works', async () => {
    let down = true;
    const { post, handled } = await start({
      receive: async () => {
        if (down)
          throw new AppError('store-unavailable', 'The incident log does not answer.', {
            retry: true,
            retryAfterMs: 1500,
          });
        return { incidentId: 'i', created: true };
      },
    });
    const headers = signed();
    const answer = await post('/hooks/report', body, headers);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(answer.json.error).toMatch(/^The incident log does not answer/);
    expect(handled.size).toBe(0);
    down = false;
    expect((await post('/hooks/report', body, headers)).status).toBe(202);
  });

  it('to look up replays is a 503 too, and to remember is none', async () => {
    const fail = async () => {
      throw new AppError('store-unavailable', 'The incident log does not answer.');
    };
    const first = await start({ seen: fail });
    const answer = await first.post('/hooks/report', body, signed());
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(first.findings).toEqual([]);
    const second = await start({ remember: fail });
    expect((await second.post('/hooks/report', body, signed())).status).toBe(202);
    expect(second.findings).toHaveLength(1);
  });

  it('that nobody expected is a 500 with a reference, without the body in the log', async () => {
    const { post, logged } = await start({
      receive: async (finding) => {
        throw new TypeError(`cannot handle ${finding.token?.reveal()}`);
      },
    });
    const answer = await post('/hooks/report', body, signed());
    const reference = /reference (\w{8})\./.exec(answer.json.error)?.[1];
    expect(answer.status).toBe(500);
    expect(reference).toBeDefined();
    const log = JSON.stringify(logged);
    expect(log).toContain(reference);
    expect(log).toContain('TypeError');
    expect(log).toMatch(/intake\.test\.ts/);
    expect(log + answer.text).not.toContain(token.slice(-40));
  });

  it('of the configuration is logged with its remedy', async () => {
    const { post, logged } = await start({ secrets: { report: new Secret('whsec_***') } });
    const answer = await post('/hooks/report', body, signed());
    expect(answer.status).toBe(500);
    expect(JSON.stringify(logged)).toContain('openssl rand');
  });
});

describe('a refusal', () => {
  const marker = 'mellon-mellon';
  it.each<[string, number, RegExp, string, string | Buffer, Record<string, string>]>([
    ['no signature', 401, /webhook-id/, '/hooks/report', body, {}],
    ['a wrong signature', 401, /does not fit/, '/hooks/report', body, signed(`${body} `)],
    ['a stale signature', 401, /60 s off/, '/hooks/report', body, signed(body, { seconds: 1_700_000_000 })],
    ['no body', 401, /does not fit/, '/hooks/report', '', signed()],
    ['malformed JSON', 400, /not a JSON object/, '/hooks/report', `{${marker}`, signed(`{${marker}`)],
    [
      'bytes that are no text',
      400,
      /not a JSON object/,
      '/hooks/gitguardian',
      Buffer.from([255, 254]),
      guardianHeaders(Buffer.from([255, 254]), guardianKey, now()),
    ],
    ['nothing usable', 400, /names no token/, '/hooks/report', '{"data":{}}', signed('{"data":{}}')],
    [
      'text',
      415,
      /content-type: application\/json/,
      '/hooks/report',
      body,
      { ...signed(), 'content-type': 'text/plain' },
    ],
    [
      'a form',
      415,
      /application\/json/,
      '/hooks/report',
      body,
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    [
      'nearly JSON',
      415,
      /application\/json/,
      '/hooks/report',
      body,
      { ...signed(), 'content-type': 'application/jsonx' },
    ],
    ['too much', 413, /too large/, '/hooks/report', 'x'.repeat(20_000), {}],
    ['an unknown source', 404, /\/hooks\/gitguardian, \/hooks\/report/, `/hooks/${marker}`, body, {}],
    [
      'an unknown source and text',
      404,
      /\/hooks\/report/,
      `/hooks/${marker}`,
      body,
      { 'content-type': 'text/plain' },
    ],
    ['an unknown path', 404, /nothing here/, `/${marker}`, body, {}],
    ['a malformed path', 400, /malformed/, `/%zz${marker}`, body, {}],
  ])('of %s is %d', async (_, status, message, path, sent, headers) => {
    const { post, findings } = await start();
    const answer = await post(path, sent, headers);
    expect(answer.status).toBe(status);
    expect(answer.json.error).toMatch(message);
    expect(answer.text).not.toContain(marker);
    expect(findings).toEqual([]);
  });

  it('of a source without a secret is 404', async () => {
    const { post } = await start({ secrets: { gitguardian: new Secret('x') } });
    const answer = await post('/hooks/report', body, signed());
    expect([answer.status, answer.json.error]).toEqual([404, expect.stringContaining('/hooks/gitguardian.')]);
  });

  it('may be corrected: the same id with the right signature is accepted', async () => {
    const { post } = await start();
    const headers = signed();
    expect((await post('/hooks/report', `${body} `, headers)).status).toBe(401);
    expect((await post('/hooks/report', body, headers)).status).toBe(202);
  });

  it('obeys the configured tolerance', async () => {
    const { post } = await start({ toleranceMs: 5000 });
    expect((await post('/hooks/report', body, signed(body, { seconds: Number(now()) - 30 }))).status).toBe(
      401,
    );
  });

  it('takes a charset', async () => {
    const { post } = await start();
    const headers = { ...signed(), 'content-type': 'application/json; charset=utf-8' };
    expect((await post('/hooks/report', body, headers)).status).toBe(202);
  });
});

describe('what becomes of deliveries', () => {
  it('is counted by source, whatever it is, and nothing else is', async () => {
    const counted: string[] = [];
    const gone = new AppError('store-unavailable', 'Redis is away.', { retry: true });
    let away = false;
    const { post, url } = await start({
      counted: (source, outcome) => void counted.push(`${source} ${outcome}`),
      receive: async () => {
        if (away) throw gone;
        return { incidentId: 'one', created: true };
      },
    });
    const once = signed();
    await post('/hooks/report', body, once);
    await post('/hooks/report', body, once);
    await post('/hooks/report', body, { ...signed(), 'webhook-signature': 'v1,AAAA' });
    await post('/hooks/report', 'x'.repeat(20_000), signed());
    away = true;
    await post('/hooks/report', body, signed());
    await post('/hooks/nobody', body, signed());
    await fetch(`${url}/healthz`);
    expect(counted).toEqual([
      'report accepted',
      'report duplicate',
      'report bad-signature',
      'report too-large',
      'report not-kept',
    ]);
  });
});

describe('health', () => {
  it('is served without any source', async () => {
    const { url, post } = await start({ sources: [], secrets: {} });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', problems: [] });
    expect((await post('/hooks/report', body)).json.error).toContain('No alert source is set up');
  });

  it('says what is missing', async () => {
    const { url } = await start({ ready: async () => ['Redis does not answer.'] });
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: 'not ready', problems: ['Redis does not answer.'] },
    ]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('a process that is stuck', () => {
  it('says so, so that it is started again', async () => {
    const { url } = await start({ alive: async () => ['The queue was not asked for work.'] });
    const answer = await fetch(`${url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: 'stuck', problems: ['The queue was not asked for work.'] },
    ]);
  });
});

describe('close', () => {
  it('answers what is under way, then takes nothing more', async () => {
    const gate = Promise.withResolvers<void>();
    const called = Promise.withResolvers<void>();
    const { server, url, post } = await start({
      receive: async () => {
        called.resolve();
        await gate.promise;
        return { incidentId: 'i', created: true };
      },
    });
    const answer = post('/hooks/report', body, signed());
    await called.promise;
    const closed = server.close();
    await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
    gate.resolve();
    expect((await answer).status).toBe(202);
    await closed;
  });

  it('does not wait for idle connections', async () => {
    const { server } = await start();
    const idle = connect(server.port, '127.0.0.1');
    await once(idle, 'connect');
    idle.on('error', () => {});
    await server.close();
    idle.destroy();
  });

  it('does not wait for ever for half a request', async () => {
    const { server, url } = await start();
    const half = connect(server.port, '127.0.0.1');
    half.on('error', () => {});
    await once(half, 'connect');
    half.write(
      'POST /hooks/report HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-type: application/json\r\n\r\n{',
    );
    await fetch(`${url}/healthz`).then((response) => response.text());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const closed = server.close();
      await vi.advanceTimersByTimeAsync(10_000);
      await closed;
    } finally {
      vi.useRealTimers();
    }
    half.destroy();
  });
});
