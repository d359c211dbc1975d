// Wherever a template refers to a Secret or a ServiceAccount the other name is written, and nothing else is changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../../src/domain/kubernetes/pod-references.ts';
import { repointed, templatePathOf } from '../../../src/domain/kubernetes/repoint.ts';

const secret = { what: 'secret', from: 'old', to: 'new' } as const;
const account = { what: 'service-account', from: 'old', to: 'new' } as const;
const env = (name: string) => ({ env: [{ name: 'T', valueFrom: { secretKeyRef: { name, key: 'token' } } }] });

const name = fc.constantFrom('old', 'other', 'older');
const container = fc.record(
  {
    name: fc.constant('c'),
    env: fc.array(
      fc.oneof(
        name.map((n) => ({ name: 'T', valueFrom: { secretKeyRef: { name: n, key: 'token' } } })),
        fc.constant({ name: 'PLAIN', value: 'old' }),
      ),
      { maxLength: 2 },
    ),
    envFrom: fc.array(
      fc.oneof(
        name.map((n) => ({ secretRef: { name: n } })),
        name.map((n) => ({ configMapRef: { name: n } })),
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['name'] },
);
const volume = fc.oneof(
  name.map((secretName) => ({ name: 'old', secret: { secretName, defaultMode: 420 } })),
  name.map((n) => ({
    name: 'v',
    projected: { sources: [{ secret: { name: n, items: [] } }, { configMap: { name: 'old' } }] },
  })),
  name.map((n) => ({ name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: n } } })),
  fc.constant({ name: 'old', emptyDir: {} }),
);
const spec = fc.record(
  {
    restartPolicy: fc.constant('Always'),
    volumes: fc.array(volume, { maxLength: 3 }),
    containers: fc.array(container, { maxLength: 2 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    imagePullSecrets: fc.array(
      name.map((n) => ({ name: n })),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
) as unknown as fc.Arbitrary<PodSpec>;

describe('repointed', () => {
  it('refers to the new Secret wherever the old one was referred to, and only there', () => {
    fc.assert(
      fc.property(spec, (before) => {
        const after = repointed(before, secret);
        const expected = [...secretsOf(before)].map((each) => (each === 'old' ? 'new' : each));
        expect(after !== undefined).toBe(secretsOf(before).has('old'));
        expect([...secretsOf(after ?? before)].sort()).toEqual(expected.sort());
      }),
    );
  });

  it('and back is what it was, in whatever order its fields come', () => {
    fc.assert(
      fc.property(spec, (before) => {
        const after = repointed(before, secret);
        if (after !== undefined)
          expect(repointed(after, { what: 'secret', from: 'new', to: 'old' })).toEqual(before);
        expect(repointed(after ?? before, secret)).toBeUndefined();
      }),
    );
  });

  it.each<[string, PodSpec, PodSpec | undefined]>([
    ['the name', { serviceAccountName: 'old' }, { serviceAccountName: 'new' }],
    [
      'both fields, which must be equal',
      { serviceAccountName: 'old', serviceAccount: 'old' },
      { serviceAccountName: 'new', serviceAccount: 'new' },
    ],
    ['another ServiceAccount', { serviceAccountName: 'older' }, undefined],
    ['none, which means default', {}, undefined],
    ['a Secret of the name', { serviceAccountName: 'x', containers: [env('old')] }, undefined],
  ])('writes the ServiceAccount: %s', (_what, before, after) => {
    expect(repointed(before, account)).toEqual(after);
  });

  it('moves what runs as `default` because it says nothing', () => {
    expect(repointed({}, { what: 'service-account', from: 'default', to: 'new' })).toEqual({
      serviceAccountName: 'new',
    });
  });
});

it.each([
  ['Deployment', { template: {} }, '/spec/template'],
  ['CronJob', { jobTemplate: { spec: { template: {} } } }, '/spec/jobTemplate/spec/template'],
  ['Job', { template: {} }, undefined],
  ['Rollout', { workloadRef: { kind: 'Deployment', name: 'web' } }, undefined],
])('the template of a %s is at its place', (kind, given, path) => {
  expect(templatePathOf(kind, { metadata: { name: 'x', uid: 'u' }, spec: given })).toBe(path);
});
