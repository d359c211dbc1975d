// A ServiceAccount that is re-created in place keeps what it carried, and its token Secrets come back with other tokens.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { needles } from '../../../sandbox/traces.ts';
import { base64 } from '../../domain/token/token-samples.ts';
import { type Harness, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { dyingLog, everyCrash, ignoreCrash, survive } from './crash.ts';
import { ACCOUNTS, actionsOf, type Given, planned, SECRETS, writes } from './moving.ts';
import { podsOf, settled, uids } from './rolling.ts';

/** No token, and a secret all the same. */
const PASSWORD = `password-${randomUUID()}`;
const copy = (token: string): string =>
  JSON.stringify({
    kind: 'Secret',
    metadata: { name: 'api-token' },
    data: { token: base64(token), password: base64(PASSWORD) },
  });

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

async function started(given: Given = {}): Promise<[Harness, string, string]> {
  const all = await planned({ strategy: 'recreate', moves: false, granted: false, ...given });
  harness = all[0];
  return all;
}
const approve = async (h: Harness, id: string) => {
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 60_000);
};
const tokenIn = (h: Harness): string => {
  const secret = h.cluster().get(`${SECRETS}/api-token`) as { data?: { token?: string } } | undefined;
  return Buffer.from(secret?.data?.token ?? '', 'base64').toString();
};
const answer = async (h: Harness, token: string) => {
  const [cluster] = h.connected;
  return cluster && (await statusWith(cluster, token));
};

describe('a ServiceAccount that is re-created', () => {
  it('has its token Secret again, with another token, and the leaked one is dead', async () => {
    const [h, id, token] = await started();
    expect(actionsOf(h, id)).toEqual(['recreate-service-account', 'recreate-token-secrets']);
    const old = h.cluster().get(`${SECRETS}/api-token`)?.metadata;
    await approve(h, id);
    const fresh = h.cluster().get(`${SECRETS}/api-token`)?.metadata;
    expect(fresh?.uid).not.toBe(old?.uid);
    expect(fresh?.labels).toEqual({ team: 'a' });
    expect(tokenIn(h)).not.toBe(token);
    expect([await answer(h, token), await answer(h, tokenIn(h))]).toEqual(['refused', 'accepted']);
    await h.nobodyOutside(id);
    expect(h.incident(id).status).toBe('resolved');
  });

  it.each<[string, (token: string) => Record<string, string>]>([
    ['Hypershift', (token) => ({ 'hypershift.openshift.io/last-applied-configuration': copy(token) })],
    ['a tool of which nobody has heard', (token) => ({ 'tool.example/state': copy(token) })],
    ['the same, in base64', (token) => ({ 'tool.example/state': base64(copy(token)) })],
    ['in YAML', (token) => ({ 'tool.example/was': `kind: Secret\ndata:\n  token: ${base64(token)}\n` })],
    ['a person', (token) => ({ note: `it was ${token}` })],
  ])('takes no copy of the old token along that %s has noted, nor is one remembered', async (_, noted) => {
    for (const strategy of ['recreate', 'new-service-account'] as const) {
      const given = { strategy, granted: true, noted: (token: string) => ({ ...noted(token), team: 'a' }) };
      const [h, id, token] = await started(given);
      await approve(h, id);
      const [name, secret] =
        strategy === 'recreate' ? ['api', 'api-token'] : ['api-r20261124', 'api-token-r20261124'];
      const made = [h.cluster().get(`${ACCOUNTS}/${name}`), h.cluster().get(`${SECRETS}/${secret}`)];
      expect(made[0]?.metadata.annotations).toMatchObject({ team: 'a' });
      expect(Object.keys(made[1]?.metadata.annotations ?? {})).not.toEqual([]);
      const held = JSON.stringify([made.map((one) => one?.metadata), h.memory.events(id)]);
      for (const needle of [
        ...needles(token),
        base64(base64(token)).slice(200, 400),
        PASSWORD,
        base64(PASSWORD),
      ])
        expect(held).not.toContain(needle);
      await h.close();
    }
  });

  it('gets no token Secret that nothing uses', async () => {
    const [h, id] = await started({ moves: true });
    expect(actionsOf(h, id)).toEqual(['recreate-service-account']);
  });

  it('keeps its list of Secrets from the first moment, and the token Secrets on it come back before any Pod', async () => {
    const [h, id] = await started({
      moves: true,
      secrets: ['git-credentials', 'api-token', 'api-dockercfg-x2b4z'],
    });
    h.cluster().seed.secret('payments', 'git-credentials', { user: 'git' });
    expect(actionsOf(h, id)).toEqual(['recreate-service-account', 'recreate-token-secrets']);
    expect(h.incident(id).plan?.steps[0]?.breaks).toContain(
      'Its list of Secrets: git-credentials, api-token.',
    );
    expect(h.incident(id).plan?.steps[0]?.kubectl.join()).toContain('git-credentials');
    const [cluster] = h.connected;
    await approve(h, id);
    const made = h.cluster().requests.find(({ method, path }) => method === 'POST' && path === ACCOUNTS);
    expect(made).toBeDefined();
    expect(
      h.cluster().requests.some(({ method, path }) => method === 'PATCH' && path === `${ACCOUNTS}/api`),
    ).toBe(false);
    expect(h.cluster().get(`${ACCOUNTS}/api`)).toHaveProperty('secrets', [
      { name: 'git-credentials' },
      { name: 'api-token' },
    ]);
    expect(cluster && (await statusWith(cluster, tokenIn(h)))).toBe('accepted');
  });

  it.each(['at once', 'after the worker looked'])(
    'by a controller that is faster, %s, still gets what it carried',
    async (when) => {
      const [h, id] = await started({ secrets: ['git-credentials'] });
      const [cluster] = h.connected;
      if (cluster === undefined) throw new Error('no cluster');
      let made = false;
      const race = () => {
        if (made) return;
        made = true;
        const own = ['api-dockercfg-n7m2q'];
        const given = { labels: { other: 'b' }, imagePullSecrets: own, secrets: own };
        h.cluster().seed.serviceAccount('payments', 'api', given);
      };
      h.deps.clusters = new Map([
        [
          'prod',
          {
            ...cluster,
            remove: async (ref, options) => {
              await cluster.remove(ref, options);
              if (when === 'at once' && ref.name === 'api') race();
            },
            create: async (ref, body) => {
              if (ref.resource.plural === 'serviceaccounts') race();
              return await cluster.create(ref, body);
            },
          },
        ],
      ]);
      await approve(h, id);
      const found = h.cluster().get(`${ACCOUNTS}/api`);
      const own = { name: 'api-dockercfg-n7m2q' };
      expect(found).toMatchObject({
        imagePullSecrets: [own, { name: 'registry' }],
        secrets: [own, { name: 'git-credentials' }],
      });
      expect(found?.metadata.labels).toEqual({
        other: 'b',
        team: 'a',
        'app.kubernetes.io/managed-by': 'Helm',
      });
      expect(found?.metadata.annotations).toHaveProperty(['eks.amazonaws.com/role-arn']);
    },
  );

  it('is not touched once a finalizer would keep it from coming back', async () => {
    const [h, id, token] = await started();
    const ref = {
      resource: { group: '', version: 'v1', plural: 'serviceaccounts', namespaced: true },
      namespace: 'payments',
      name: 'api',
    };
    await h.connected[0]?.patch(ref, [
      { op: 'add', path: '/metadata/finalizers', value: ['example.test/hold'] },
    ]);
    await approve(h, id);
    expect(h.cluster().get(`${ACCOUNTS}/api`)?.metadata.deletionTimestamp).toBeUndefined();
    expect(h.incident(id).runs.at(-1)?.stopped).toContain('example.test/hold');
    expect(await answer(h, token)).toBe('accepted');
  });
});

describe('a workload that only reads a token Secret', () => {
  it('is restarted after the re-creation, whatever it runs as and whichever of the Secrets it reads', async () => {
    const h = await startHarness({ settings: { autoContain: 'off' } });
    harness = h;
    const token = await seedLegacy(h.cluster());
    const { seed } = h.cluster();
    await seed.tokenSecret('payments', 'api-second', 'api');
    seed.serviceAccount('payments', 'web');
    await seed.tokenSecret('payments', 'web-token', 'web');
    seed.deployment('payments', 'api', { serviceAccount: 'api' });
    seed.deployment('payments', 'reader', { serviceAccount: 'web', envSecret: 'api-token' });
    seed.deployment('payments', 'second', { serviceAccount: 'web', envSecret: 'api-second' });
    seed.deployment('payments', 'bystander', { serviceAccount: 'web', envSecret: 'web-token' });
    await settled(h);
    const before = await podsOf(h);
    const { incidentId: id } = await h.leak(token, { goal: { do: 'rotate', strategy: 'recreate' } });
    await h.run(id);
    expect(h.incident(id).situations[0]?.pods.map(({ owner, via }) => [owner, via])).toEqual([
      ['Deployment/api', 'serviceAccountName'],
      ['Deployment/reader', 'secret'],
    ]);
    await approve(h, id);
    await settled(h);
    await h.run(id, 60_000);
    const after = await podsOf(h);
    for (const app of ['api', 'reader', 'second']) expect(uids(after, app)).not.toEqual(uids(before, app));
    expect(uids(after, 'bystander')).toEqual(uids(before, 'bystander'));
    expect(
      h
        .incident(id)
        .runs.at(-1)
        ?.steps.every(({ outcome }) => outcome?.verdict === 'done'),
    ).toBe(true);
  });
});

async function story(h: Harness, id: string): Promise<void> {
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 60_000);
  if (h.incident(id).runs.length === 0) await approve(h, id);
}

const crashes = await everyCrash(await planned({ strategy: 'recreate', moves: false }), story);

describe('a crash while it is re-created', () => {
  it.each(crashes)('at append %i, %s it is written, makes each object once', async (k, when) => {
    const [h, id, token] = await started();
    h.deps.log = dyingLog(h.deps.log, k, when);
    await story(h, id);
    await h.nobodyOutside(id);
    expect(h.incident(id).status).toBe('resolved');
    expect([await answer(h, token), await answer(h, tokenIn(h))]).toEqual(['refused', 'accepted']);
    expect(writes(h).filter((write) => write.startsWith('POST'))).toHaveLength(2);
  });
});
