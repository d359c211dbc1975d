// A new ServiceAccount with the same rights takes over, or nothing is changed at all; the old one goes when nobody uses it.
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { type Harness, statusWith } from '../harness.ts';
import { dyingLog, everyCrash, ignoreCrash, survive } from './crash.ts';
import { ACCOUNTS, actionsOf, type Given, namesIn, notesOf, planned, RBAC, writes } from './moving.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const NEW = 'api-r20261124';
const COPIES = {
  roleBindings: [`own-${NEW}`, `shared-${NEW}`],
  clusterRoleBindings: [`view-payments-${NEW}`],
};

async function started(given: Given = {}): Promise<[Harness, string, string]> {
  const all = await planned(given);
  harness = all[0];
  return all;
}
const refused = async (h: Harness, token: string) => {
  const [cluster] = h.connected;
  return cluster && (await statusWith(cluster, token));
};
const approve = async (h: Harness, id: string) => {
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 60_000);
};
const stepsOf = (h: Harness, id: string) =>
  h
    .incident(id)
    .runs.at(-1)
    ?.steps.map(({ step, outcome }) => [step.action, outcome?.verdict]);

describe('a new ServiceAccount', () => {
  it('takes over with the same rights, and then every token of the old one is dead', async () => {
    const [h, id, token] = await started();
    expect(actionsOf(h, id)).toEqual(['replace-service-account', 'move', 'delete-service-account']);
    expect(writes(h)).toEqual([]);
    await approve(h, id);
    await h.nobodyOutside(id);
    expect(h.incident(id)).toMatchObject({ status: 'resolved', proof: { outcome: { verdict: 'done' } } });
    expect(await refused(h, token)).toBe('refused');
    expect(h.cluster().get(`${ACCOUNTS}/api`)).toBeUndefined();
    const made = h.cluster().get(`${ACCOUNTS}/${NEW}`);
    expect(made?.metadata.labels).toEqual({ team: 'a' });
    expect(made?.metadata.annotations).toMatchObject({
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/api',
    });
    expect(made).toMatchObject({ imagePullSecrets: [{ name: 'registry' }] });
    expect(h.cluster().get(`${RBAC}/namespaces/payments/rolebindings/shared-${NEW}`)).toMatchObject({
      roleRef: { kind: 'Role', name: 'own' },
      subjects: [{ kind: 'ServiceAccount', name: NEW, namespace: 'payments' }],
    });
    expect(await namesIn(h, 'roleBindings')).toEqual(expect.arrayContaining(COPIES.roleBindings));
    expect(await namesIn(h, 'clusterRoleBindings')).toEqual(
      expect.arrayContaining(COPIES.clusterRoleBindings),
    );
    expect(notesOf(h, id)).toContain('arn:aws:iam::1:role/api');
  });

  it('brings a token Secret where workloads mount one', async () => {
    const [h, id] = await started({ moves: false });
    await approve(h, id);
    const secret = h.cluster().get('/api/v1/namespaces/payments/secrets/api-token-r20261124');
    expect(secret?.metadata.annotations).toMatchObject({
      'kubernetes.io/service-account.name': NEW,
      'kubernetes.io/service-account.uid': h.cluster().get(`${ACCOUNTS}/${NEW}`)?.metadata.uid,
    });
  });

  it('has the list of Secrets of the old one, with the new name of each token Secret on it', async () => {
    const [h, id] = await started({ secrets: ['git-credentials', 'api-token'] });
    expect(h.incident(id).plan?.steps[0]?.breaks).toContain('git-credentials, api-token-r20261124');
    await approve(h, id);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)).toHaveProperty('secrets', [
      { name: 'git-credentials' },
      { name: 'api-token-r20261124' },
    ]);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token-r20261124')).toBeDefined();
  });

  it('is not even begun without the right to bind, and the rules are named', async () => {
    const [h, id] = await started({ granted: false });
    expect(actionsOf(h, id)).toEqual([]);
    expect(h.incident(id).status).toBe('needs-human');
    expect(notesOf(h, id)).toContain('system:serviceaccount:tourniquet:worker');
    expect(notesOf(h, id)).toContain('verbs: [bind], resourceNames: [own]');
    expect(writes(h)).toEqual([]);
  });

  it('takes bindings that a person made as the plan said', async () => {
    const [h, id] = await started({ granted: false });
    const subjects = [{ kind: 'ServiceAccount' as const, name: NEW, namespace: 'payments' }];
    const { seed } = h.cluster();
    const own = { role: { kind: 'Role' as const, name: 'own' }, subjects };
    for (const name of COPIES.roleBindings) seed.roleBinding('payments', name, own);
    const view = { role: { kind: 'ClusterRole' as const, name: 'view' }, subjects };
    seed.clusterRoleBinding(`view-payments-${NEW}`, view);
    await h.front.report({
      alert: {
        source: 'slash',
        reporter: 'UMAYA',
        subject: { kind: 'coordinates', at: { namespace: 'payments', serviceAccount: 'api' } },
        goal: { do: 'rotate', strategy: 'new-service-account' },
      },
    });
    const again = (await h.front.incidents(5)).find((one) => one.id !== id)?.id ?? id;
    await h.run(again);
    expect(actionsOf(h, again)).toContain('replace-service-account');
    await approve(h, again);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)).toBeDefined();
  });

  it('is not the name that somebody else took meanwhile: that is left alone', async () => {
    const [h, id] = await started();
    const other = h.cluster().seed.serviceAccount('payments', NEW);
    await approve(h, id);
    expect(stepsOf(h, id)?.[0]).toEqual(['replace-service-account', 'not-done']);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)?.metadata.uid).toBe(other.metadata.uid);
    await h.click(id, 'roll-back', 'UINES', { reason: 'no', hash: h.incident(id).runs.at(-1)?.id ?? '' });
    await h.run(id);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)?.metadata.uid).toBe(other.metadata.uid);
    expect(h.cluster().get(`${ACCOUNTS}/api`)).toBeDefined();
  });

  it('is named in the next plan where an earlier try left one', async () => {
    const [h, id] = await started({ moves: false });
    await approve(h, id);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)).toBeDefined();
    expect(notesOf(h, id)).toContain(`delete serviceaccount ${NEW}`);
  });
});

describe('the old ServiceAccount', () => {
  it('stays while anything uses it, which is named', async () => {
    const [h, id, token] = await started({ moves: false });
    await approve(h, id);
    expect(stepsOf(h, id)?.at(-1)).toEqual(['delete-service-account', 'not-done']);
    expect(h.incident(id).runs.at(-1)?.stopped).toContain('Deployment/api');
    expect(await refused(h, token)).toBe('accepted');
  });

  it('is brought back by a roll-back, which takes only what this try made', async () => {
    const [h, id, token] = await started({ moves: false });
    const before = await namesIn(h, 'clusterRoleBindings');
    await approve(h, id);
    expect(await namesIn(h, 'clusterRoleBindings')).not.toEqual(before);
    await h.click(id, 'roll-back', 'UINES', { reason: 'no', hash: h.incident(id).runs.at(-1)?.id ?? '' });
    await h.run(id, 60_000);
    expect(await namesIn(h, 'serviceAccounts')).toEqual(['api', 'default']);
    expect(await namesIn(h, 'roleBindings')).toEqual(['own', 'shared']);
    expect(await namesIn(h, 'clusterRoleBindings')).toEqual(before);
    expect(await namesIn(h, 'secrets')).toEqual(['api-token']);
    expect(await refused(h, token)).toBe('accepted');
  });

  it('that was made anew meanwhile is not deleted, nor given a successor', async () => {
    const [h, id] = await started();
    await h.connected[0]?.remove(
      {
        resource: { group: '', version: 'v1', plural: 'serviceaccounts', namespaced: true },
        namespace: 'payments',
        name: 'api',
      },
      {},
    );
    const fresh = h.cluster().seed.serviceAccount('payments', 'api');
    await approve(h, id);
    expect(stepsOf(h, id)?.[0]).toEqual(['replace-service-account', 'not-done']);
    expect(h.cluster().get(`${ACCOUNTS}/api`)?.metadata.uid).toBe(fresh.metadata.uid);
    expect(h.cluster().get(`${ACCOUNTS}/${NEW}`)).toBeUndefined();
  });

  it('that a finalizer holds is said to be so, and its tokens die all the same', async () => {
    const [h, id, token] = await started({ finalizers: ['example.test/hold'] });
    expect(notesOf(h, id)).toContain('example.test/hold');
    await approve(h, id);
    await h.run(id, 120_000);
    expect(h.cluster().get(`${ACCOUNTS}/api`)?.metadata.deletionTimestamp).toBeDefined();
    expect(await refused(h, token)).toBe('refused');
    expect(h.incident(id).proof?.outcome?.verdict).toBe('done');
  });
});

describe('a question about rights', () => {
  it('that is not answered is asked again, and is no refusal', async () => {
    let left = 2;
    const wrap: Given['wrap'] = (cluster) => ({
      ...cluster,
      create: (ref, body) => {
        if (ref.resource.plural === 'selfsubjectaccessreviews' && left-- > 0)
          throw new AppError('timeout', 'no answer', { retry: true });
        return cluster.create(ref, body);
      },
    });
    const [h, id] = await started({ wrap });
    await h.run(id, 60_000);
    expect(actionsOf(h, id)).toContain('replace-service-account');
  });

  it('is not asked where the way needs no such right', async () => {
    const [h] = await started({ strategy: 'recreate' });
    expect(h.cluster().requests.filter(({ path }) => path.includes('accessreviews'))).toEqual([]);
  });

  it('is asked once for each role and place', async () => {
    const [h] = await started();
    const asked = h.cluster().requests.filter(({ path }) => path.includes('accessreviews'));
    // create and delete for 3 copies in 2 places, and bind for 2 roles.
    expect(asked).toHaveLength(2 + 3 + 2);
  });
});

async function story(h: Harness, id: string): Promise<void> {
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 120_000);
  if (h.incident(id).runs.length > 0) return;
  await h.click(id, 'approve', 'UINES');
  await h.run(id, 120_000);
}

const crashes = await everyCrash(await planned(), story);

describe('a crash while one takes over', () => {
  it.each(crashes)(
    'at append %i, %s it is written, makes nothing twice and leaves nothing behind',
    async (k, when) => {
      const [h, id, token] = await started();
      h.deps.log = dyingLog(h.deps.log, k, when);
      await story(h, id);
      await h.nobodyOutside(id);
      expect(h.incident(id).status).toBe('resolved');
      expect(await refused(h, token)).toBe('refused');
      expect(await namesIn(h, 'serviceAccounts')).toEqual([NEW, 'default']);
      expect(await namesIn(h, 'roleBindings')).toEqual(['own', ...COPIES.roleBindings, 'shared'].toSorted());
      const made = writes(h).filter((write) => write.startsWith('POST'));
      expect(made).toHaveLength(4);
      expect(writes(h).filter((write) => write.startsWith('DELETE'))).toHaveLength(1);
    },
  );
});
