// Copies of a token in other Secrets, by the real engine and adapter: what is found, what breaks, what is said not to have been looked at.

import type { SimulatedCluster } from 'kube-sandbox';
import { afterEach, describe, expect, it } from 'vitest';
import { renderCard } from '../../../src/adapters/slack/cards/card.ts';
import { detailsView } from '../../../src/adapters/slack/cards/details.ts';
import type { Goal } from '../../../src/domain/plan/goal.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

const MINUTE = 60_000;

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const kubeconfig = (token: string): string =>
  `apiVersion: v1\nkind: Config\nusers:\n- name: ci\n  user:\n    token: ${token}\n`;

interface Given {
  goal?: Goal;
  prepare?: (cluster: SimulatedCluster) => void;
}

/** A leak whose token is also in a kubeconfig of `ci`, in a cluster Secret of `argocd`, and in another Secret at home. */
async function leaked(searched: string[], { goal, prepare }: Given = {}) {
  const h = await startHarness({
    settings: { autoContain: 'off', searchNamespaces: { prod: searched } },
  });
  harness = h;
  const { seed } = h.cluster();
  const token = await seedLegacy(h.cluster());
  const second = await seed.tokenSecret('payments', 'api-second', 'api');
  for (const namespace of ['ci', 'argocd']) seed.namespace(namespace);
  seed.secret('ci', 'deploy', { config: kubeconfig(token), other: 'nothing' });
  seed.deployment('ci', 'runner', { secretMounts: ['deploy'] });
  seed.deployment('ci', 'bystander', { secretMounts: ['else'] });
  const labels = { 'argocd.argoproj.io/secret-type': 'cluster' };
  seed.secret('argocd', 'prod', { config: JSON.stringify({ bearerToken: token }) }, { labels });
  seed.secret('argocd', 'second', { '.env': `TOKEN=${second}` });
  seed.secret('payments', 'settings', { token: `${token}\n` });
  seed.deployment('payments', 'batch', { envSecret: 'settings' });
  prepare?.(h.cluster());
  const { incidentId: id } = goal
    ? await h.front.report({
        alert: {
          source: 'slash',
          reporter: 'UMAYA',
          subject: {
            kind: 'coordinates',
            at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
          },
          goal,
        },
      })
    : await h.leak(token);
  await h.run(id);
  return { h, id, token, second };
}

const foundIn = (h: Harness, id: string) =>
  h
    .incident(id)
    .situations[0]?.copies?.found.map(({ namespace, name, key, shape, holds, usedBy }) =>
      [`${namespace}/${name}`, key, shape, holds, ...usedBy].join(' '),
    );
const card = (h: Harness, id: string): string =>
  JSON.stringify(renderCard(h.incident(id), { now: h.now(), head: '', policy: h.deps.settings.policy }));

const ALL = ['payments', 'ci', 'argocd'];

describe('copies of a leaked token', () => {
  it('are found by their hash in every namespace that may be searched, with who uses them', async () => {
    const { h, id } = await leaked(ALL);
    expect(foundIn(h, id)).toEqual([
      'argocd/prod config argo-cd leaked',
      'argocd/second .env text secret',
      'ci/deploy config kubeconfig leaked Deployment/runner',
      'payments/settings token plain leaked Deployment/batch',
    ]);
    const notes = h.incident(id).plan?.notes.join('\n') ?? '';
    expect(notes).toContain('Secret ci/deploy key config (a kubeconfig; used by Deployment/runner)');
    expect(notes).not.toContain('argocd/second');
    expect(card(h, id)).toContain('4 in payments, ci, argocd; not looked for elsewhere (searchNamespaces)');
  });

  it('keep the incident open until a person says that they were moved, and leave no value anywhere', async () => {
    const { h, id, token, second } = await leaked(ALL);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
    expect(h.incident(id).status).toBe('needs-human');
    expect(card(h, id)).toContain(
      'argocd/prod key config (an Argo CD cluster Secret): put the new token into bearerToken',
    );
    await h.click(id, 'outside', 'UMAYA', { reason: 'all three have the new one' });
    expect(card(h, id)).not.toContain('Still to be moved');
    await h.run(id, 25 * 60 * MINUTE);
    expect(h.incident(id).status).toBe('resolved');
    expect(h.cluster().get('/api/v1/namespaces/ci/secrets/deploy')).toBeDefined();
    const kept = JSON.stringify([h.memory.events(id), card(h, id), detailsView(h.incident(id), h.now())]);
    expect(kept).toContain('argocd/prod');
    for (const value of [token, second])
      for (const piece of [
        ...value.split('.').slice(1),
        Buffer.from(value).toString('base64').slice(200, 400),
      ])
        expect(kept).not.toContain(piece);
  });

  it('were not looked for where no namespace is opted in, which the card says', async () => {
    const { h, id } = await leaked([]);
    expect(foundIn(h, id)).toEqual([]);
    expect(card(h, id)).toContain('not looked for; add namespaces to searchNamespaces');
    const asked = h
      .cluster()
      .requests.filter(({ path }) => path.includes('type!') || path.includes('limit=50&'));
    expect(asked).toEqual([]);
  });

  it('were not looked for where the worker may not list Secrets, which is said, and the others are found', async () => {
    const { h, id } = await leaked(['argocd', 'ci'], {
      prepare: ({ faults }) =>
        faults.failNext(99, 403, ({ path }) => path.includes('namespaces/argocd/secrets')),
    });
    expect(foundIn(h, id)).toEqual(['ci/deploy config kubeconfig leaked Deployment/runner']);
    expect(h.incident(id).situations[0]?.copies?.searched).toEqual(['ci']);
    expect(card(h, id)).toContain('Secrets of argocd were not looked into for copies');
  });
});

describe('a planned rotation', () => {
  it('finds copies of what is in the token Secrets, without any leaked token', async () => {
    const { h, id } = await leaked(['ci', 'argocd'], {
      goal: { do: 'rotate', strategy: 'recreate' },
    });
    expect(foundIn(h, id)).toEqual([
      'argocd/prod config argo-cd secret',
      'argocd/second .env text secret',
      'ci/deploy config kubeconfig secret Deployment/runner',
    ]);
    expect(h.incident(id).plan?.notes.join('\n')).toContain('argocd/second');
  });
});
