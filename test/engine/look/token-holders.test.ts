// After a ServiceAccount was made anew, every Pod that holds a token of the old one is replaced, and none that holds no token.
import { afterEach, describe, expect, it } from 'vitest';
import type { Goal } from '../../../src/domain/plan/goal.ts';
import { podsOf, settled, uids } from '../act/rolling.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let h: Harness;
afterEach(() => h?.close());

const recreate: Goal = { do: 'rotate', strategy: 'recreate' };

async function world(automount?: boolean): Promise<string> {
  h = await startHarness({ settings: { autoContain: 'off' } });
  const { seed } = h.cluster();
  seed.namespace('payments');
  seed.serviceAccount('payments', 'api', automount === undefined ? {} : { automount });
  return await seed.tokenSecret('payments', 'api-token', 'api');
}

/** Which of these applications have other Pods afterwards. */
async function replacedBy(id: string, ...apps: string[]): Promise<string[]> {
  const before = await podsOf(h);
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 60_000);
  await settled(h);
  await h.run(id, 60_000);
  const after = await podsOf(h);
  return apps.filter((app) => uids(before, app).every((uid) => !uids(after, app).includes(uid)));
}

async function planned(token: string, goal: Goal): Promise<string> {
  await settled(h);
  const { incidentId: id } = await h.leak(token, { goal });
  await h.run(id);
  return id;
}

const notes = (id: string) => (h.incident(id).plan?.notes ?? []).join('\n');
const APPS = ['asks', 'quiet', 'silent', 'vault'];

function seedApps(): void {
  const { seed } = h.cluster();
  seed.deployment('payments', 'silent', { serviceAccount: 'api' });
  seed.deployment('payments', 'asks', { serviceAccount: 'api', automount: true });
  seed.deployment('payments', 'quiet', { serviceAccount: 'api', automount: false });
  seed.deployment('payments', 'vault', { serviceAccount: 'api', automount: false, tokenFor: 'vault' });
}

describe('re-created', () => {
  it('with tokens for whoever does not say no: those without one are left alone, and the plan says so', async () => {
    const token = await world();
    seedApps();
    const id = await planned(token, recreate);
    expect(notes(id)).toContain('No token is put into the Pods of Deployment/quiet, so they are left alone.');
    expect(await replacedBy(id, ...APPS)).toEqual(['asks', 'silent', 'vault']);
  });

  it('with tokens for nobody who does not say yes: the same, as the Pods say', async () => {
    const token = await world(false);
    seedApps();
    const id = await planned(token, recreate);
    expect(notes(id)).toContain('Deployment/quiet, Deployment/silent');
    expect(await replacedBy(id, ...APPS)).toEqual(['asks', 'vault']);
  });

  it('and used by nobody who holds a token: no Pod is replaced', async () => {
    const token = await world(false);
    h.cluster().seed.deployment('payments', 'quiet', { serviceAccount: 'api' });
    const id = await planned(token, recreate);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).not.toContain('restart-workloads');
    expect(await replacedBy(id, 'quiet')).toEqual([]);
  });

  it('those that came after the plan hold a dead token as well', async () => {
    const token = await world();
    seedApps();
    h.cluster().seed.deployment('payments', 'reader', { secretMounts: ['api-token'] });
    const id = await planned(token, recreate);
    expect(h.incident(id).plan?.steps.at(-1)?.breaks).toContain('Whatever else holds a token of api');
    const { seed } = h.cluster();
    seed.deployment('payments', 'late', { serviceAccount: 'api' });
    seed.deployment('payments', 'late-reader', { secretMounts: ['api-token'] });
    seed.deployment('payments', 'late-quiet', { serviceAccount: 'api', automount: false });
    seed.deployment('payments', 'bystander', {});
    await settled(h);
    const apps = ['late', 'late-reader', 'late-quiet', 'bystander', ...APPS];
    expect(await replacedBy(id, ...apps)).toEqual(['late', 'late-reader', 'asks', 'silent', 'vault']);
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
  });

  it('one that came after the plan and that nobody would start again is named', async () => {
    const token = await world();
    seedApps();
    const id = await planned(token, recreate);
    h.cluster().seed.pod('payments', 'alone', { serviceAccount: 'api' });
    await settled(h);
    await replacedBy(id);
    expect(h.incident(id).runs.at(-1)?.stopped).toMatch(/Pod\/alone: It has no owner/);
  });

  it('those that came after it was made anew hold a token of the new one', async () => {
    const token = await world();
    seedApps();
    const id = await planned(token, recreate);
    await h.click(id, 'approve', 'UINES');
    // When the re-creation is written down, and before the roll-out that follows it.
    const { log } = h.deps;
    let seeded = false;
    h.deps.log = {
      ...log,
      append: async (entry) => {
        const ended = entry.events.some(
          (event) => event.type === 'step-ended' && event.step.startsWith('recreate-service-account'),
        );
        if (!seeded && ended) {
          seeded = true;
          h.advance(2000);
          h.cluster().seed.pod('payments', 'fresh', { serviceAccount: 'api' });
        }
        return await log.append(entry);
      },
    };
    await h.run(id);
    await settled(h);
    await h.run(id, 60_000);
    expect(seeded).toBe(true);
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
    expect(h.incident(id).runs.at(-1)?.steps.at(-1)?.outcome?.verdict).toBe('done');
  });
});

it('a restart leaves those alone that hold no token', async () => {
  h = await startHarness({ settings: { autoContain: 'off' } });
  const token = await seedLegacy(h.cluster());
  seedApps();
  const id = await planned(token, { do: 'restart' });
  expect(notes(id)).toContain('Deployment/quiet, so they are left alone');
  expect(await replacedBy(id, ...APPS)).toEqual(['asks', 'silent', 'vault']);
});

it('a new ServiceAccount is given to those as well, because without the old one no Pod of them could be made', async () => {
  const token = await world();
  seedApps();
  const id = await planned(token, { do: 'rotate', strategy: 'new-service-account' });
  expect(notes(id)).not.toContain('left alone');
  expect(h.incident(id).situations[0]?.workloads.map(({ name }) => name)).toEqual(APPS);
});
