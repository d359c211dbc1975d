// A Secret that somebody else makes again: nothing that was approved brings its token back, and people are told what to remove where.
import { afterEach, describe, expect, it } from 'vitest';
import { INVALID_SINCE } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { AppError } from '../../../src/errors.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import { eventually } from '../../contracts/cluster/api.ts';
import {
  externalSecrets,
  type Maker,
  type Operator,
  sealedSecrets,
  startOperator,
  withoutOwner,
} from '../../secret-operator.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith } from '../harness.ts';

const MINUTE = 60_000;
const SECRET = '/api/v1/namespaces/payments/secrets/api-token';
const ESO = externalSecrets('api-token');

let harness: Harness | undefined;
let operator: Operator | undefined;
afterEach(async () => {
  await operator?.stop();
  await harness?.close();
});

const kubeconfig = (h: Harness): string =>
  h.cluster().kubeconfig({ namespace: 'kube-system', serviceAccount: 'administrator' });

/** payments/api, whose token Secret is made, and made again, by this one. */
async function world(maker: Maker, options: HarnessOptions = {}): Promise<[Harness, Operator, string]> {
  const h = await startHarness(options);
  harness = h;
  h.cluster().seed.namespace('payments');
  h.cluster().seed.serviceAccount('payments', 'api');
  const watched = { namespace: 'payments', name: 'api-token', serviceAccount: 'api' };
  operator = await startOperator(kubeconfig(h), watched, maker);
  return [h, operator, await operator.token()];
}

const actionsOf = (h: Harness, id: string) => h.incident(id).plan?.steps.map(({ action }) => action);
const notesOf = (h: Harness, id: string): string => (h.incident(id).plan?.notes ?? []).join('\n');
const warningsOf = (h: Harness, id: string) => h.incident(id).situations[0]?.warnings.join('\n');
const answer = async (h: Harness, token: string): Promise<string> =>
  h.connected[0] ? await statusWith(h.connected[0], token) : '';
const labelOf = (h: Harness) => h.cluster().get(SECRET)?.metadata.labels?.[INVALID_SINCE];

/** Whatever may be approved, is. */
async function approveAll(h: Harness, id: string): Promise<void> {
  for (const by of ['UINES', 'UTOMAS'])
    if (h.incident(id).plan?.steps.length) await h.click(id, 'approve', by);
  await h.run(id, 10 * MINUTE);
}

describe('a leaked token in a Secret that is made again', () => {
  it.each<[string, Maker, said: RegExp, todo: RegExp]>([
    [
      'External Secrets',
      ESO,
      /External Secrets \(ExternalSecret api-token\) would bring it and its token back within seconds/,
      /kubectl --context prod -n payments delete externalsecret\.external-secrets\.io api-token/,
    ],
    [
      'External Secrets, without an owner reference',
      withoutOwner(ESO),
      /External Secrets \(ExternalSecret api-token\)/,
      /delete externalsecret\.external-secrets\.io api-token/,
    ],
    [
      'Sealed Secrets',
      sealedSecrets('api-token'),
      /Sealed Secrets takes it off when the SealedSecret changes or its controller restarts/,
      /delete sealedsecret\.bitnami\.com api-token/,
    ],
    [
      'Sealed Secrets, without an owner reference',
      withoutOwner(sealedSecrets('api-token')),
      /Sealed Secrets \(SealedSecret api-token\)/,
      /delete sealedsecret\.bitnami\.com api-token/,
    ],
    [
      'Flux',
      { manager: 'kustomize-controller' },
      /Flux would bring it and its token back when it next/,
      /out of the source of Flux/,
    ],
    [
      'Argo CD',
      {
        manager: 'argocd-controller',
        annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/Secret:payments/api-token' },
      },
      /Argo CD \(Application shop\)/,
      /out of the source of Application shop/,
    ],
    [
      'Helm',
      {
        manager: 'helm',
        annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'payments' },
      },
      /at the next upgrade/,
      /out of the chart or the values of release payments\/shop, and upgrade/,
    ],
  ])(
    'by %s stays switched off: it is never deleted, and the plan says where to',
    async (_, maker, said, todo) => {
      const [h, made, token] = await world(maker);
      const { incidentId: id } = await h.leak(token);
      await h.run(id, MINUTE);
      expect(actionsOf(h, id)).toEqual([]);
      expect(notesOf(h, id)).toMatch(said);
      expect(notesOf(h, id)).toMatch(todo);
      expect(warningsOf(h, id)).toMatch(/If Secret api-token is deleted, .* makes it again .*seen by its/);
      await approveAll(h, id);
      expect(made.made()).toBe(1);
      expect(labelOf(h)).toBeDefined();
      expect(await answer(h, token)).toBe('refused');
      expect(h.incident(id)).toMatchObject({ status: 'resolved', proof: { outcome: { verdict: 'done' } } });
    },
  );

  it('that keeps its value, whatever its type, stays switched off as well', async () => {
    const h = await startHarness();
    harness = h;
    const value = await seedLegacy(h.cluster());
    await h.connected[0]?.remove(
      { resource: resources.secrets, namespace: 'payments', name: 'api-token' },
      {},
    );
    const watched = { namespace: 'payments', name: 'api-token', serviceAccount: 'api' };
    operator = await startOperator(kubeconfig(h), watched, { ...ESO, value });
    expect(await answer(h, value)).toBe('accepted');
    const { incidentId: id } = await h.leak(value);
    await h.run(id, MINUTE);
    expect(actionsOf(h, id)).toEqual([]);
    expect(notesOf(h, id)).toContain('ExternalSecret api-token');
    await approveAll(h, id);
    expect(operator.made()).toBe(1);
    expect(await answer(h, value)).toBe('refused');
  });

  it('stays where it may not be seen whether its owner is there, which is said', async () => {
    const wrap = (cluster: Cluster): Cluster => ({
      ...cluster,
      list: async (query) => {
        if (query.resource.group === 'external-secrets.io')
          throw new AppError('forbidden', 'may not list externalsecrets');
        return await cluster.list(query);
      },
    });
    const [h, made, token] = await world(ESO, { wrap });
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MINUTE);
    expect(actionsOf(h, id)).toEqual([]);
    expect(h.incident(id).situations[0]?.unread.join()).toContain(
      'owners of Secrets: may not list externalsecrets',
    );
    expect(warningsOf(h, id)).toContain('whether it is still there is not known');
    expect(made.made()).toBe(1);
  });

  it('is deleted like any other once its owner is gone, which left it behind', async () => {
    let gone = false;
    const wrap = (cluster: Cluster): Cluster => ({
      ...cluster,
      // As an API server answers that serves the kind.
      list: async (query) =>
        query.resource.group === 'external-secrets.io' && gone ? [] : await cluster.list(query),
    });
    const [h, made, token] = await world(ESO, { wrap });
    gone = true;
    await made.stop();
    operator = undefined;
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MINUTE);
    expect(actionsOf(h, id)).toEqual(['delete-token-secret']);
    expect(notesOf(h, id)).not.toContain('External Secrets');
    await approveAll(h, id);
    expect(h.cluster().get(SECRET)).toBeUndefined();
  });

  it('is deleted where that alone kills, as far as its owner is slow: which is said', async () => {
    const old = { clusters: { prod: { version: '1.27.0' } }, settings: { autoContain: 'off' } } as const;
    const [h, made, token] = await world({ manager: 'helm' }, old);
    await made.stop();
    operator = undefined;
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(actionsOf(h, id)).toEqual(['delete-token-secret']);
    expect(notesOf(h, id)).toMatch(
      /is not the end: Helm would bring it and its token back at the next upgrade/,
    );
    await approveAll(h, id);
    expect(await answer(h, token)).toBe('refused');
  });

  it('is not deleted where its owner is prompt and nothing else kills: another way is named', async () => {
    const old = { clusters: { prod: { version: '1.27.0' } }, settings: { autoContain: 'off' } } as const;
    const [h, , token] = await world(ESO, old);
    const { incidentId: id } = await h.leak(token);
    await h.run(id);
    expect(actionsOf(h, id)).toEqual([]);
    expect(notesOf(h, id)).toMatch(/only this, or another way of rotating, kills the token/);
  });
});

describe('a rotation', () => {
  it('leaves the old Secret switched off where it would be made again, and is over all the same', async () => {
    const [h, made, token] = await world(ESO);
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const { incidentId: id } = await h.front.report({
      alert: {
        source: 'slash',
        reporter: 'UMAYA',
        subject: { kind: 'coordinates', at },
        goal: { do: 'rotate', strategy: 'new-secret' },
      },
    });
    await h.run(id);
    expect(actionsOf(h, id)).toEqual(['replace-token-secret', 'quarantine-token']);
    expect(notesOf(h, id)).toContain('is not deleted by this plan');
    await approveAll(h, id);
    await h.nobodyOutside(id);
    expect(h.incident(id)).toMatchObject({ status: 'resolved' });
    await h.run(id, 25 * 60 * MINUTE);
    expect(made.made()).toBe(1);
    expect(await answer(h, token)).toBe('refused');
  });
});

it('a token that is bound to such a Secret dies with it for good, whoever makes another', async () => {
  const [h, made] = await world(ESO);
  const uid = h.cluster().get(SECRET)?.metadata.uid ?? '';
  const token = h.cluster().seed.requestToken('payments', 'api', {
    boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'api-token', uid },
  });
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  expect(actionsOf(h, id)).toEqual(['delete-token-secret']);
  await approveAll(h, id);
  await eventually(() => expect(made.made()).toBe(2));
  expect(await answer(h, token)).toBe('refused');
  expect(h.incident(id)).toMatchObject({ proof: { outcome: { verdict: 'done' } } });
});

describe('a deletion that was approved before', () => {
  /** An owner that nobody could see while the plan was made. */
  async function adopted(): Promise<[Harness, string, string]> {
    const h = await startHarness();
    harness = h;
    h.cluster().seed.namespace('payments');
    h.cluster().seed.serviceAccount('payments', 'api');
    const token = await h.cluster().seed.tokenSecret('payments', 'api-token', 'api');
    const { incidentId: id } = await h.leak(token);
    await h.run(id, MINUTE);
    expect(actionsOf(h, id)).toEqual(['delete-token-secret']);
    await h.connected[0]?.patch({ resource: resources.secrets, namespace: 'payments', name: 'api-token' }, [
      { op: 'add', path: '/metadata/ownerReferences', value: [ESO.owner] },
    ]);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    return [h, id, token];
  }

  it('is held as soon as somebody owns the Secret, says who, and leaves it switched off and proven', async () => {
    const [h, id, token] = await adopted();
    expect(h.cluster().get(SECRET)).toBeDefined();
    expect(labelOf(h)).toBeDefined();
    expect(await answer(h, token)).toBe('refused');
    const [run] = h.incident(id).runs.filter(({ kind }) => kind === 'plan');
    expect(run?.stopped).toMatch(
      /was not deleted: External Secrets .* would bring it and its token back.*First: kubectl/,
    );
    expect(run?.steps.at(-1)?.outcome).toMatchObject({
      verdict: 'not-done',
      facts: { untouched: true, owners: 'External Secrets (ExternalSecret api-token)' },
    });
    expect(actionsOf(h, id)).toEqual([]);
    expect(h.incident(id)).toMatchObject({ proof: { outcome: { verdict: 'done' } } });
  });
});

describe('a Secret that comes back by nobody that could be seen', () => {
  /** Comes back before the deletion was even answered. */
  async function revived(inHand: boolean): Promise<[Harness, string, string]> {
    const back = { on: false };
    const wrap = (cluster: Cluster): Cluster => ({
      ...cluster,
      async remove(ref, options) {
        await cluster.remove(ref, options);
        if (back.on && ref.name === 'api-token') await operator?.token();
      },
    });
    const [h, , token] = await world({ manager: 'nightly-restore' }, { wrap });
    back.on = true;
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const { incidentId: id } = inHand
      ? await h.leak(token)
      : await h.front.report({
          alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at } },
        });
    await h.run(id, MINUTE);
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    return [h, id, token];
  }

  it.each([
    ['in hand', true],
    ['not in hand', false],
  ])('without the label is never called revoked (the token is %s)', async (_, inHand) => {
    const [h, id, token] = await revived(inHand);
    expect(await answer(h, token)).toBe('accepted');
    expect(labelOf(h)).toBeUndefined();
    const incident = h.incident(id);
    expect(
      incident.liveAgain || incident.status === 'needs-human' || incident.status === 'awaiting-approval',
    ).toBe(true);
    expect(incident.closed).toBeUndefined();
    expect(actionsOf(h, id)).toContain('quarantine-token');
  });

  it('is proven dead again once the new one is switched off, whatever the deletion says', async () => {
    const [h, id, token] = await revived(false);
    expect(await h.click(id, 'contain', 'UINES')).toMatchObject({ decided: true });
    await h.run(id, MINUTE);
    expect(await answer(h, token)).toBe('refused');
    expect(h.incident(id)).toMatchObject({ proof: { outcome: { verdict: 'done' } } });
  });
});
