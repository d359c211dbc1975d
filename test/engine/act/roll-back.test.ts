// A rotation is taken back, at each of its stages: whoever runs has a token that is accepted at every moment.
import { afterEach, describe, expect, it } from 'vitest';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../../src/domain/kubernetes/pod-references.ts';
import type { Strategy } from '../../../src/domain/plan/goal.ts';
import type { Harness } from '../harness.ts';
import {
  ACCOUNTS,
  answers,
  approve,
  lastRun,
  MINUTE,
  NEXT,
  type Opened,
  opened as open,
  SECRETS,
  undo,
  usedBy,
  writesFrom,
} from './taking-back.ts';

const DAY = 24 * 60 * MINUTE;

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

async function opened(...given: Parameters<typeof open>): Promise<Opened> {
  const all = await open(...given);
  harness = all.h;
  return all;
}

describe('the roll-back of a finished rotation', () => {
  it('lifts the quarantine, moves the Pods back, and only then deletes the new Secret', async () => {
    const all = await opened('new-secret');
    await approve(all);
    expect(all.h.incident(all.id).proof?.outcome?.verdict).toBe('done');
    const writes = writesFrom(all);
    all.watch(true);
    await undo(all);
    await all.h.run(all.id, 10 * MINUTE);
    expect(lastRun(all)?.steps.map(({ outcome }) => outcome?.verdict)).toEqual(['done', 'done', 'done']);
    expect(writes()).toEqual([
      'PATCH secrets/api-token',
      // Once more, before anybody is moved back to it: a deletion that is still under way must miss it.
      'PATCH secrets/api-token',
      'PATCH deployments/mounted',
      'PATCH deployments/reads',
      `DELETE secrets/${NEXT}`,
    ]);
    expect([...all.lost]).toEqual([]);
    expect([usedBy(all, 'mounted'), usedBy(all, 'reads')]).toEqual([['api-token'], ['api-token']]);
    expect(await answers(all, all.token)).toBe('accepted');
    expect(lastRun(all)?.steps[0]?.outcome?.detail).toContain('accepted again by 1 of 1 API servers');
    expect(all.h.incident(all.id)).toMatchObject({ liveAgain: true });
    // Counted anew, and not from what the rotation had begun with.
    const [there, back] = [0, -1].map((at) => all.h.incident(all.id).runs.at(at)?.steps[1]?.memory);
    expect(there?.old).not.toEqual(back?.old);
    expect(Number(back?.began)).toBeGreaterThan(Number(there?.began));
  });

  it('works as well where the token was quarantined before anything else', async () => {
    const all = await opened('new-secret', { contained: true });
    await approve(all);
    expect(usedBy(all, 'mounted')).toEqual([NEXT]);
    all.watch(true);
    await undo(all);
    await all.h.run(all.id, 10 * MINUTE);
    expect([...all.lost]).toEqual([]);
    expect(usedBy(all, 'mounted')).toEqual(['api-token']);
    expect(all.h.cluster().get(`${SECRETS}/${NEXT}`)).toBeUndefined();
    expect(await answers(all, all.token)).toBe('accepted');
  });

  it('moves nobody to an old token that is not accepted, and takes the rest up when it is', async () => {
    const all = await opened('new-secret');
    await approve(all);
    // Somebody else switches it off again as soon as it is lifted.
    const again = all.h.deps.clusters.get('prod');
    if (again === undefined) throw new Error('no cluster');
    let isFought = true;
    const relabel = async (): Promise<void> => {
      const ref = { resource: SECRET, namespace: 'payments', name: 'api-token' };
      await again.patch(ref, [{ op: 'add', path: LABEL, value: '2026-11-25' }]);
    };
    all.h.deps.clusters = new Map([
      [
        'prod',
        {
          ...again,
          probe: async (address, token) => {
            if (isFought) await relabel();
            return await again.probe(address, token);
          },
        },
      ],
    ]);
    const writes = writesFrom(all);
    await undo(all);
    await all.h.run(all.id, 10 * MINUTE);
    expect(writes().some((write) => /deployments|DELETE/.test(write))).toBe(false);
    expect(usedBy(all, 'mounted')).toEqual([NEXT]);
    expect(all.h.cluster().get(`${SECRETS}/${NEXT}`)).toBeDefined();
    isFought = false;
    await undo(all);
    await all.h.run(all.id, 10 * MINUTE);
    expect(usedBy(all, 'mounted')).toEqual(['api-token']);
    expect(all.h.cluster().get(`${SECRETS}/${NEXT}`)).toBeUndefined();
  });

  it('keeps the new Secret while somebody uses it of whom the plan knew nothing, and names them', async () => {
    const all = await opened('new-secret');
    await approve(all);
    all.h.cluster().seed.deployment('payments', 'later', { secretMounts: [NEXT] });
    await undo(all);
    await all.h.run(all.id, 10 * MINUTE);
    expect(lastRun(all)?.stopped).toContain('used by Deployment/later. It was not deleted');
    expect(all.h.cluster().get(`${SECRETS}/${NEXT}`)).toBeDefined();
    expect(usedBy(all, 'mounted')).toEqual(['api-token']);
  });

  it('is not possible once the old Secret is deleted, and says so', async () => {
    const all = await opened('new-secret');
    await approve(all);
    await all.h.nobodyOutside(all.id);
    await all.h.run(all.id, DAY + MINUTE);
    expect(all.h.cluster().get(`${SECRETS}/api-token`)).toBeUndefined();
    const writes = writesFrom(all);
    expect(await undo(all)).toMatchObject({ decided: false, refusal: { code: 'nothing-to-do' } });
    await all.h.run(all.id, MINUTE);
    expect(writes()).toEqual([]);
  });
});

const SECRET = { group: '', version: 'v1', plural: 'secrets', namespaced: true };
const LABEL = `/metadata/labels/${INVALID_SINCE.replace('/', '~1')}`;

describe('the roll-back of a rotation that stopped', () => {
  /** Mounts a Secret that is not there: its new Pods do not start. */
  async function stuck(strategy: Strategy, contained = false): Promise<Opened> {
    const all = await opened(strategy, { contained });
    all.h.cluster().seed.deployment('payments', 'broken', {
      serviceAccount: strategy === 'new-secret' ? 'default' : 'api',
      secretMounts: ['api-token', 'missing'],
      replicas: 1,
    });
    await all.h.leak(all.token, { goal: { do: 'rotate', strategy, consent: true } });
    await all.h.run(all.id);
    await approve(all, 60 * MINUTE);
    expect(lastRun(all)?.stopped).toContain('did not become Ready');
    return all;
  }

  it.each<Strategy>(['new-secret', 'new-service-account'])('%s: serves everybody on the way', async (way) => {
    const all = await stuck(way);
    all.watch(true);
    const hash = lastRun(all)?.id ?? '';
    await all.h.click(all.id, 'roll-back', 'UINES', { reason: 'no', hash });
    await all.h.run(all.id, 60 * MINUTE);
    expect([...all.lost].filter((one) => !one.startsWith('broken'))).toEqual([]);
    // What cannot become Ready holds the roll-back up as well, and a person says so again.
    expect(lastRun(all)?.stopped).toContain('Deployment/broken');
    await all.h.click(all.id, 'skip', 'UINES', { hash: lastRun(all)?.id ?? '' });
    await all.h.run(all.id, 60 * MINUTE);
    expect([...all.lost].filter((one) => !one.startsWith('broken'))).toEqual([]);
    expect([usedBy(all, 'mounted'), usedBy(all, 'reads')]).toEqual([['api-token'], ['api-token']]);
    expect(await answers(all, all.token)).toBe('accepted');
  });

  it('brings back what a person had skipped on the way there', async () => {
    const all = await stuck('new-secret');
    await all.h.click(all.id, 'skip', 'UINES', { hash: lastRun(all)?.id ?? '' });
    await all.h.run(all.id, 10 * MINUTE);
    const template = () => {
      const found = all.h.cluster().get('/apis/apps/v1/namespaces/payments/deployments/broken');
      return [
        ...secretsOf((found as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec),
      ];
    };
    expect(template()).toContain(NEXT);
    await undo(all);
    await all.h.run(all.id, 60 * MINUTE);
    expect(template()).toContain('api-token');
  });

  it('moves nobody back to a token that is quarantined: that is lifted by the Undo that takes back everything', async () => {
    const all = await stuck('new-secret', true);
    const moved = usedBy(all, 'mounted');
    const hash = lastRun(all)?.id ?? '';
    await all.h.click(all.id, 'roll-back', 'UINES', { reason: 'no', hash });
    await all.h.run(all.id, 10 * MINUTE);
    expect(lastRun(all)?.stopped).toContain('Where it is quarantined, undo that first');
    expect(usedBy(all, 'mounted')).toEqual(moved);
    all.watch(true);
    expect(await undo(all)).toMatchObject({ decided: true });
    await all.h.run(all.id, 60 * MINUTE);
    expect([...all.lost].filter((one) => !one.startsWith('broken'))).toEqual([]);
    expect(usedBy(all, 'mounted')).toEqual(['api-token']);
  });
});

describe('the undo of', () => {
  it('a re-creation is its quarantine, until the ServiceAccount has gone', async () => {
    const all = await opened('recreate');
    expect(await all.h.click(all.id, 'contain', 'UINES')).toMatchObject({ decided: true });
    await all.h.run(all.id, MINUTE);
    expect(await answers(all, all.token)).toBe('refused');
    await undo(all);
    await all.h.run(all.id, MINUTE);
    expect(await answers(all, all.token)).toBe('accepted');
    await approve(all);
    expect(await answers(all, all.token)).toBe('refused');
    expect(await undo(all)).toMatchObject({ decided: false });
  });

  it('a new ServiceAccount is nothing once the old one is deleted', async () => {
    const all = await opened('new-service-account');
    await approve(all);
    expect(all.h.cluster().get(`${ACCOUNTS}/api`)).toBeUndefined();
    expect(await undo(all)).toMatchObject({ decided: false });
  });
});
