// Requests against a server that misbehaves in every way: each failure has its own code, and no value is in any of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectedCluster, connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret.ts';
import { CREDENTIAL, failure, LEAKED } from './failure.ts';
import { type Answer, type Scripted, startScripted } from './scripted-server.ts';

const secret = { resource: resources.secrets, namespace: 'shop', name: 'payments-token' };
const patch = [{ op: 'test', path: '/data/token', value: LEAKED } as const];
const status = (code: number, reason: string, extra: object = {}): Answer => ({
  status: code,
  body: { kind: 'Status', reason, code, message: `it said ${LEAKED}`, ...extra },
});

let server: Scripted;
let cluster: ConnectedCluster;

beforeEach(async () => {
  server = await startScripted();
  cluster = connectCluster(server.config({ token: CREDENTIAL }));
});

afterEach(async () => {
  await cluster.close();
  await server.close();
});

describe('whoever counts', () => {
  it('is told of each request once, by verb, resource and status, and of no name', async () => {
    const seen: unknown[] = [];
    const watched = connectCluster(server.config({ token: CREDENTIAL }), {
      watch: ({ ms, ...rest }) => void seen.push({ ...rest, took: ms >= 0 }),
    });
    const told = (verb: string, resource: string, code: string) => ({
      cluster: 'prod',
      verb,
      resource,
      code,
      took: true,
    });
    server.answer = status(403, 'Forbidden');
    await failure(watched.patch(secret, patch));
    server.answer = { status: 403, body: { message: 'admission webhook "x.test" denied the request: no' } };
    await failure(watched.patch(secret, patch));
    server.answer = { status: 200, body: { major: '1' } };
    await watched.ping();
    server.answer = status(401, 'Unauthorized');
    await watched.probe(server.url, new Secret(LEAKED));
    await server.stop();
    await failure(watched.ping());
    await watched.close();
    expect(seen).toEqual([
      told('patch', 'secrets', '403'),
      told('patch', 'secrets', 'denied'),
      told('get', '/version', '200'),
      told('get', '/openid/v1/jwks', '200'),
      told('probe', 'selfsubjectreviews', '401'),
      told('get', '/version', 'unreachable'),
    ]);
    expect(JSON.stringify(seen)).not.toContain('payments');
  });
});

describe('answers', () => {
  const table: [number, string, ErrorCode, boolean][] = [
    [400, 'BadRequest', 'invalid', false],
    [401, 'Unauthorized', 'unauthorized', true],
    [403, 'Forbidden', 'forbidden', false],
    [404, 'NotFound', 'not-found', false],
    [406, 'NotAcceptable', 'unsupported', false],
    [409, 'Conflict', 'conflict', false],
    [410, 'Expired', 'gone', true],
    [422, 'Invalid', 'invalid', false],
    [429, 'TooManyRequests', 'throttled', true],
    [500, 'InternalError', 'unreachable', true],
    [501, 'NotImplemented', 'unsupported', false],
    [503, 'ServiceUnavailable', 'unreachable', true],
    [504, 'Timeout', 'timeout', true],
  ];
  it.each(table)('%i %s is %s', async (code, reason, expected, retry) => {
    server.answer = status(code, reason);
    const error = await failure(cluster.patch(secret, patch));
    expect(error).toMatchObject({ code: expected, retry });
    expect(error.message).toContain(`patch secrets shop/payments-token on cluster prod: ${code} ${reason}.`);
    expect(server.received).toHaveLength(1);
  });

  it('a 403 names the permission that is missing', async () => {
    server.answer = status(403, 'Forbidden', { message: 'User "w" cannot patch resource "secrets"' });
    const namespaced = await failure(cluster.patch(secret, patch));
    expect(namespaced.message).toContain('permission "patch" on secrets in namespace shop');
    const wide = await failure(cluster.list({ resource: resources.pods }));
    expect(wide.message).toContain('permission "list" on pods cluster-wide');
  });

  it('a 403 of an admission policy does not ask for permissions', async () => {
    server.answer = status(403, 'Forbidden', { message: 'exceeded quota' });
    expect((await failure(cluster.patch(secret, patch))).message).toContain('admission policy');
  });

  const hook = 'admission webhook "guard.example.test" denied the request: you cannot do that';
  const vap = `secrets "payments-token" is forbidden: ValidatingAdmissionPolicy 'frozen' with binding 'all' denied request: hands cannot touch this`;
  /** As recorded, and with the other statuses that a policy or webhook may choose for its denial. */
  const denials: [string, Record<string, unknown>][] = [
    ['ValidatingAdmissionPolicy frozen', { code: 422, reason: 'Invalid', message: vap }],
    ['ValidatingAdmissionPolicy frozen', { code: 403, reason: 'Forbidden', message: vap }],
    ['ValidatingAdmissionPolicy frozen', { code: 413, reason: 'RequestEntityTooLarge', message: vap }],
    ['admission webhook guard.example.test', { code: 400, message: hook }],
    ...[403, 404, 409, 410, 422, 429, 500, 503].map((code): [string, Record<string, unknown>] => [
      'admission webhook guard.example.test',
      { code, reason: 'Forbidden', message: hook },
    ]),
    [
      'ResourceQuota full',
      {
        code: 403,
        reason: 'Forbidden',
        message:
          'secrets "x" is forbidden: exceeded quota: full, requested: secrets=1, used: secrets=9, limited: secrets=5',
      },
    ],
  ];
  it.each(denials)('a denial by %s is a refusal, whichever its status: %j', async (by, body) => {
    server.answer = { status: Number(body.code), body: { kind: 'Status', status: 'Failure', ...body } };
    for (const write of [
      () => cluster.patch(secret, patch),
      () => cluster.remove(secret, {}),
      () => cluster.create(secret, {}),
    ]) {
      const error = await failure(write());
      expect(error.code).toBe('denied');
      expect(error.message).toContain(`${by}`);
      expect(error.message).toContain('Nothing was changed. ');
      expect(error.message).toMatch(/To see it: kubectl --context prod /);
      expect(error.message).not.toMatch(/permission|RBAC/);
    }
  });

  it('a webhook that asks to come back is asked again', async () => {
    server.answer = { status: 429, body: { kind: 'Status', message: hook } };
    expect(await failure(cluster.patch(secret, patch))).toMatchObject({ code: 'denied', retry: true });
    server.answer = { status: 403, body: { kind: 'Status', message: hook } };
    expect(await failure(cluster.patch(secret, patch))).toMatchObject({ code: 'denied', retry: false });
  });

  it('a policy that repeats what it was shown is not quoted so far', async () => {
    const value = Buffer.from(LEAKED).toString('base64');
    server.answer = { status: 400, body: { message: `${hook}: saw ${value} and ${LEAKED}` } };
    const { message } = await failure(cluster.patch(secret, [{ op: 'test', path: '/data/token', value }]));
    expect(message).toContain('you cannot do that: saw [value removed] and [value removed]');
    expect(message).not.toContain(value);
  });

  it('only the sentence of a patch that does not apply means that the object is not as expected', async () => {
    const message = 'the server rejected our request due to an error in our request';
    server.answer = status(422, 'Invalid', { message });
    expect((await failure(cluster.patch(secret, patch))).code).toBe('does-not-apply');
    expect((await failure(cluster.create(secret, {}))).code).toBe('invalid');
    server.answer = status(422, 'Invalid', { message: 'Secret "x" is invalid: metadata.labels: too long' });
    expect((await failure(cluster.patch(secret, patch))).code).toBe('invalid');
  });

  it('a webhook that does not answer is named, and asked again', async () => {
    const message =
      'Internal error occurred: failed calling webhook "guard.example.test": failed to call webhook: EOF';
    server.answer = status(500, 'InternalError', { message });
    const error = await failure(cluster.patch(secret, patch));
    expect(error).toMatchObject({ code: 'unreachable', retry: true });
    expect(error.message).toContain('webhook guard.example.test');
  });

  it('who hands out more than they hold lacks the verb bind', async () => {
    const message =
      'rolebindings.rbac.authorization.k8s.io "r" is forbidden: user "w" (groups=["g"]) is attempting to grant RBAC permissions not currently held:';
    server.answer = status(403, 'Forbidden', { message });
    const error = await failure(cluster.create({ resource: resources.roleBindings, namespace: 'shop' }, {}));
    expect(error).toMatchObject({ code: 'forbidden' });
    expect(error.message).toContain('"bind"');
  });

  it('a read is refused by no admission, so nothing but RBAC is said of it', async () => {
    server.answer = status(403, 'Forbidden', { message: 'secrets "x" is forbidden: cannot see this' });
    const error = await failure(cluster.get(secret));
    expect(error.code).toBe('forbidden');
    expect(error.message).not.toContain('lacks the permission');
  });

  it('a 422 names the fields and not the values', async () => {
    const causes = [{ field: 'spec.replicas', message: LEAKED }, { field: `data[${LEAKED} ]` }];
    server.answer = status(422, 'Invalid', { details: { causes } });
    expect((await failure(cluster.patch(secret, patch))).message).toContain('422 Invalid (spec.replicas).');
  });

  it('a reason that is no word of Kubernetes is left out', async () => {
    server.answer = status(409, LEAKED);
    expect((await failure(cluster.patch(secret, patch))).message).toContain('409. ');
  });

  it('a 429 says when to try again', async () => {
    server.answer = { status: 429, headers: { 'retry-after': '3' } };
    expect(await failure(cluster.patch(secret, patch))).toMatchObject({ retryAfterMs: 3000 });
  });

  it('a page of a proxy is not an answer', async () => {
    server.answer = { status: 200, body: `<html>${LEAKED}</html>` };
    expect(await failure(cluster.get(secret))).toMatchObject({ code: 'unreachable', retry: true });
  });

  it('get() answers null for 404', async () => {
    server.answer = status(404, 'NotFound');
    expect(await cluster.get(secret)).toBeNull();
  });
});

describe('what is sent', () => {
  it('a conditional patch that asks for metadata alone', async () => {
    server.answer = {
      status: 200,
      body: { kind: 'PartialObjectMetadata', metadata: { name: 'payments-token' } },
    };
    await cluster.patch(secret, patch);
    expect(server.received[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/shop/secrets/payments-token',
      headers: {
        'content-type': 'application/json-patch+json',
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
        'user-agent': expect.stringMatching(/^tourniquet\/\d/),
        authorization: `Bearer ${CREDENTIAL}`,
      },
      body: JSON.stringify(patch),
    });
  });

  it('a delete with its preconditions', async () => {
    await cluster.remove(secret, { uid: 'u-1', resourceVersion: '7', gracePeriodSeconds: 1 });
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u-1', resourceVersion: '7' },
      gracePeriodSeconds: 1,
    });
  });

  it.each(['', '.', '..', 'a/b', 'a%2fb', 'a b'])(
    'the name %j never leaves, since it could mean every object',
    async (name) => {
      const byName = await failure(cluster.remove({ ...secret, name }, {}));
      const byNamespace = await failure(cluster.remove({ ...secret, namespace: name }, {}));
      expect([byName.code, byNamespace.code, server.received.length]).toEqual(['bad-input', 'bad-input', 0]);
    },
  );

  it('a name with a colon, as roles have, arrives as it is', async () => {
    await cluster.get({ resource: resources.clusterRoles, name: 'system:basic-user' });
    expect(decodeURIComponent(server.received[0]?.path ?? '')).toBe(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user',
    );
  });
});

describe('values that come although nobody asked', () => {
  const sent = {
    apiVersion: 'v1',
    kind: 'Secret',
    data: { token: LEAKED },
    metadata: {
      name: 's',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': LEAKED,
        'hypershift.openshift.io/last-applied-configuration': LEAKED,
        'tool.example/was': JSON.stringify({ data: { password: LEAKED } }),
        a: 'b',
      },
    },
  };

  it('are dropped at once', async () => {
    server.answer = ({ method, path }) => ({
      status: 200,
      body: method === 'GET' && !path.includes('payments') ? { items: [sent] } : sent,
    });
    const seen = [
      await cluster.get(secret, { metadataOnly: true }),
      await cluster.patch(secret, patch),
      ...(await cluster.list({ resource: resources.secrets, metadataOnly: true })),
    ];
    expect(seen).toHaveLength(3);
    for (const object of seen) expect(Object.keys(object ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(JSON.stringify(seen)).not.toContain(LEAKED);
    expect(seen[0]?.metadata.annotations).toMatchObject({ a: 'b' });
  });
});

describe('lists', () => {
  const page = (path: string) => new URL(path, 'https://x').searchParams;

  it('follow `continue` to the end', async () => {
    server.answer = ({ path }) =>
      page(path).has('continue')
        ? { status: 200, body: { items: [{ metadata: { name: 'b' } }], metadata: {} } }
        : { status: 200, body: { items: [{ metadata: { name: 'a' } }], metadata: { continue: 'more' } } };
    const pods = await cluster.list({
      resource: resources.pods,
      namespace: 'shop',
      fieldSelector: 'spec.serviceAccountName=x',
    });
    expect(pods.map((pod) => pod.metadata.name)).toEqual(['a', 'b']);
    expect(server.received.map(({ path }) => Object.fromEntries(page(path)))).toEqual([
      { fieldSelector: 'spec.serviceAccountName=x', limit: '500' },
      { fieldSelector: 'spec.serviceAccountName=x', limit: '500', continue: 'more' },
    ]);
  });

  it('start again once when they expired, and only once', async () => {
    let expired = 0;
    server.answer = ({ path }) => {
      if (page(path).has('continue') && expired++ < 1) return status(410, 'Expired');
      const more = page(path).has('continue') ? {} : { continue: 'more' };
      return { status: 200, body: { items: [{ metadata: { name: 'p' } }], metadata: more } };
    };
    expect(await cluster.list({ resource: resources.pods })).toHaveLength(2);
    expired = Number.NEGATIVE_INFINITY;
    expect((await failure(cluster.list({ resource: resources.pods }))).code).toBe('gone');
  });

  it('of Secrets hand each to whoever looks, and keep what was made of it alone, also where they begin again', async () => {
    let expired = 0;
    server.answer = ({ path }) => {
      const isNext = page(path).has('continue');
      if (isNext && expired++ < 1) return status(410, 'Expired');
      const data = { token: Buffer.from(LEAKED).toString('base64') };
      const items = [{ metadata: { name: isNext ? 'b' : 'a' }, data }];
      return { status: 200, body: { items, metadata: isNext ? {} : { continue: 'more' } } };
    };
    const seen: boolean[] = [];
    const found = await cluster.searchSecrets({ namespace: 'shop', fieldSelector: 'type!=x' }, (one) => {
      seen.push(Buffer.from(one.data?.token ?? '', 'base64').toString() === LEAKED);
      return [one.metadata.name];
    });
    expect(found).toEqual(['a', 'b']);
    expect(seen).toEqual([true, true, true]);
    expect(page(server.received[0]?.path ?? '').get('limit')).toBe('50');
  });

  it('of Secrets that fail say nothing of what was in them', async () => {
    server.answer = () => ({ status: 200, body: `{"items":[{"data":{"token":"${LEAKED}"` });
    const error = await failure(cluster.searchSecrets({ namespace: 'shop' }, () => []));
    expect(`${error.message}${error.stack}`).not.toContain(LEAKED);
    server.answer = () => status(403, 'Forbidden');
    const refused = await failure(cluster.searchSecrets({ namespace: 'shop' }, () => []));
    expect(refused.code).toBe('forbidden');
    expect(JSON.stringify(refused)).not.toContain(LEAKED);
  });
});
