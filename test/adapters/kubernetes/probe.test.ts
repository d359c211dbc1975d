// What a probe and a TokenReview conclude from every answer, and what they send to get it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectedCluster, connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { Secret } from '../../../src/secret.ts';
import { type Scripted, startScripted } from './scripted-server.ts';

const leaked = new Secret(`leaked-${crypto.randomUUID()}`);
let server: Scripted;
let cluster: ConnectedCluster;

beforeEach(async () => {
  server = await startScripted();
  cluster = connectCluster(server.config());
});

afterEach(async () => {
  await cluster.close();
  await server.close();
});

describe('probe', () => {
  it.each([
    [401, 'refused', '401 Unauthorized'],
    [201, 'accepted', '201 Created'],
    [200, 'accepted', '200 OK'],
    [403, 'accepted', '403 Forbidden'],
    [404, 'inconclusive', '404 Not Found'],
    [429, 'inconclusive', '429 Too Many Requests'],
    [500, 'inconclusive', '500 Internal Server Error'],
    [302, 'inconclusive', '302 Found'],
  ] as const)('%i: %s', async (status, answer, seen) => {
    server.answer = { status, headers: { location: `${server.url}/elsewhere` } };
    expect(await cluster.probe(server.url, leaked)).toEqual({ answer, seen });
    expect(server.received).toHaveLength(1);
  });

  it('sends the leaked token alone, each time over a connection of its own', async () => {
    for (let i = 0; i < 3; i++) await cluster.probe(server.url, leaked);
    expect(server.connections).toBe(3);
    expect(server.received[0]).toMatchObject({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: { authorization: `Bearer ${leaked.reveal()}`, 'user-agent': 'tourniquet-probe' },
    });
  });

  it('cut connection, closed port, wrong certificate, nonsense: inconclusive, with a word', async () => {
    server.answer = 'cut';
    expect(await cluster.probe(server.url, leaked)).toEqual({
      answer: 'inconclusive',
      seen: 'connection cut',
    });
    const impostor = await startScripted();
    expect(await cluster.probe(impostor.url, leaked)).toEqual({
      answer: 'inconclusive',
      seen: expect.stringContaining('certificate not trusted'),
    });
    expect(impostor.received).toHaveLength(0);
    await impostor.close();
    expect(await cluster.probe(impostor.url, leaked)).toEqual({
      answer: 'inconclusive',
      seen: 'connection refused',
    });
    expect((await cluster.probe('nonsense', leaked)).answer).toBe('inconclusive');
    const broken = await cluster.probe(server.url, new Secret('two\nlines'));
    expect(broken.answer).toBe('inconclusive');
    expect(broken.seen).not.toContain('lines');
  });

  it('never shows the certificate of the worker, as a review does', async () => {
    const certified = connectCluster(server.config(server.certifiedUser));
    await certified.probe(server.url, leaked);
    expect([server.connections, server.certified]).toEqual([1, 0]);
    await certified.review(server.url, leaked, []);
    expect([server.connections, server.certified]).toEqual([2, 1]);
    await certified.close();
  });

  it('works without the credential of the worker', async () => {
    const lost = connectCluster(server.config({ tokenFile: '/nonexistent/token' }));
    server.answer = { status: 401 };
    expect((await lost.probe(server.url, leaked)).answer).toBe('refused');
    await lost.close();
  });
});

describe('review', () => {
  const review = (status: unknown) => {
    server.answer = { status: 201, body: { kind: 'TokenReview', status } };
    return cluster.review(server.url, leaked, ['vault']);
  };

  it.each([
    [{ authenticated: true, user: { username: 'u' } }, 'accepted'],
    [{ user: {}, error: '[invalid bearer token, service account token has been invalidated]' }, 'refused'],
    [{ authenticated: false }, 'refused'],
    [
      {
        error: '[invalid bearer token, token audiences ["x"] is invalid for the target audiences ["vault"]]',
      },
      'inconclusive',
    ],
    [
      {
        error: `[invalid bearer token, token audiences ["${'x'.repeat(400)}" "y"] is invalid for the target audiences ["vault"]]`,
      },
      'inconclusive',
    ],
    [{ error: '[invalid bearer token, serviceaccounts "audience-api" not found]' }, 'refused'],
    [{ error: '[invalid bearer token, service account audience/audiences has been deleted]' }, 'refused'],
    [
      {
        error:
          '[invalid bearer token, the token in secret a/token-audiences for service account a/b has been marked invalid.]',
      },
      'refused',
    ],
    [undefined, 'inconclusive'],
  ] as const)('%j: %s', async (status, answer) => {
    expect((await review(status)).answer).toBe(answer);
  });

  it('sends the audiences by the credential of the worker, over a connection of its own', async () => {
    await review({ authenticated: true });
    await review({ authenticated: true });
    expect(server.connections).toBe(2);
    expect(server.received[0]?.headers).toMatchObject({ authorization: 'Bearer worker' });
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
      spec: { token: leaked.reveal(), audiences: ['vault'] },
    });
  });

  it('never repeats the token', async () => {
    expect((await review({ error: `no such token ${leaked.reveal()}` })).seen).toContain(
      'no such token [secret]',
    );
  });

  it('any failure is inconclusive', async () => {
    server.answer = { status: 403 };
    expect(await cluster.review(server.url, leaked, [])).toEqual({
      answer: 'inconclusive',
      seen: expect.stringContaining('permission "create" on tokenreviews'),
    });
    server.answer = 'hang';
    const impatient = connectCluster({ ...server.config(), timeout: 500 });
    expect(await impatient.review(server.url, leaked, [])).toEqual({
      answer: 'inconclusive',
      seen: expect.stringContaining('no answer in time'),
    });
    await impatient.close();
  });
});
