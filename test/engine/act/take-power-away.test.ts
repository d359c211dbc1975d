// Power goes from where it names nobody else, and comes back whole; the token stays alive, and nobody is told otherwise.
import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, statusWith } from '../harness.ts';
import { dyingLog, everyCrash, ignoreCrash, survive } from './crash.ts';
import { actionsOf, type Given, namesIn, notesOf, planned, RBAC, writes } from './moving.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

async function started(given: Given = {}): Promise<[Harness, string, string]> {
  const all = await planned({ strategy: 'unbind', ...given });
  harness = all[0];
  return all;
}
const OWN = `${RBAC}/namespaces/payments/rolebindings/own`;
const VIEW = `${RBAC}/clusterrolebindings/view`;
const approve = async (h: Harness, id: string) => {
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 60_000);
};

describe('taking power away', () => {
  it('deletes what names nobody else, and leaves the incident open with a live token', async () => {
    const [h, id, token] = await started();
    expect(actionsOf(h, id)).toEqual(['unbind-rbac']);
    await approve(h, id);
    expect(h.cluster().get(OWN)).toBeUndefined();
    expect(h.cluster().get(VIEW)).toBeUndefined();
    expect(await namesIn(h, 'roleBindings')).toEqual(['shared']);
    const [cluster] = h.connected;
    expect(cluster && (await statusWith(cluster, token))).toBe('accepted');
    expect(h.incident(id).status).toBe('needs-human');
    expect(h.incident(id).proof).toBeUndefined();
    expect(notesOf(h, id)).toContain('kubectl --context prod -n payments edit rolebinding shared');
  });

  it('gives it back as it was', async () => {
    const [h, id] = await started();
    const before = [OWN, VIEW].map((path) => h.cluster().get(path));
    await approve(h, id);
    await h.click(id, 'undo', 'UINES', { reason: 'the batch needs it' });
    await h.run(id, 60_000);
    const after = [OWN, VIEW].map((path) => h.cluster().get(path));
    const content = (one: unknown) => {
      const { roleRef, subjects } = one as Record<string, unknown>;
      return { roleRef, subjects };
    };
    expect(after.map(content)).toEqual(before.map(content));
    expect(after.map((one) => one?.metadata.uid)).not.toEqual(before.map((one) => one?.metadata.uid));
  });

  it('is not even begun where the worker could not give it back', async () => {
    const [h, id] = await started({ granted: false });
    expect(actionsOf(h, id)).toEqual([]);
    expect(notesOf(h, id)).toContain('verbs: [bind]');
    expect(writes(h)).toEqual([]);
  });

  it('leaves a binding alone that names somebody else by now', async () => {
    const [h, id] = await started();
    const ref = {
      resource: {
        group: 'rbac.authorization.k8s.io',
        version: 'v1',
        plural: 'rolebindings',
        namespaced: true,
      },
      namespace: 'payments',
      name: 'own',
    };
    const value = { kind: 'ServiceAccount', name: 'web', namespace: 'payments' };
    await h.connected[0]?.patch(ref, [{ op: 'add', path: '/subjects/-', value }]);
    await approve(h, id);
    expect(h.cluster().get(OWN)).toBeDefined();
    expect(h.incident(id).runs.at(-1)?.stopped).toContain('RoleBinding payments/own');
    await h.click(id, 'roll-back', 'UINES', { reason: 'no', hash: h.incident(id).runs.at(-1)?.id ?? '' });
    await h.run(id, 60_000);
    expect(h.cluster().get(VIEW)).toBeDefined();
  });
});

async function story(h: Harness, id: string): Promise<void> {
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 60_000);
  if (h.incident(id).runs.length === 0) await approve(h, id);
  await h.click(id, 'undo', 'UINES', { reason: 'again' }).catch(ignoreCrash);
  await survive(h, id, 60_000);
  if (h.incident(id).runs.at(-1)?.kind === 'undo') return;
  await h.click(id, 'undo', 'UINES', { reason: 'again' });
  await h.run(id, 60_000);
}

const crashes = await everyCrash(await planned({ strategy: 'unbind' }), story);

describe('a crash while power is taken away or given back', () => {
  it.each(crashes)('at append %i, %s it is written, loses no binding', async (k, when) => {
    const [h, id] = await started();
    const before = await namesIn(h, 'clusterRoleBindings');
    h.deps.log = dyingLog(h.deps.log, k, when);
    await story(h, id);
    expect(await namesIn(h, 'clusterRoleBindings')).toEqual(before);
    expect(await namesIn(h, 'roleBindings')).toEqual(['own', 'shared']);
    expect(writes(h).filter((write) => write.startsWith('DELETE'))).toHaveLength(2);
  });
});
