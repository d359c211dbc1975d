// Which Pods hold a token of their ServiceAccount: as its admission decides it, and by whatever volume they ask for one.
import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../../../src/domain/kubernetes/objects.ts';
import { holdsToken, merged, referencesOf } from '../../../src/domain/kubernetes/pod-references.ts';

const UNASKED = '/var/run/secrets/kubernetes.io/serviceaccount';
const plain: Container = { name: 'app' };
const other: Container = { name: 'app', volumeMounts: [{ mountPath: UNASKED }] };
const volume = (audience?: string): NonNullable<PodSpec['volumes']> => [
  {
    name: 'token',
    projected: { sources: [{ serviceAccountToken: audience === undefined ? {} : { audience } }] },
  },
];
const as = (spec: PodSpec, automount?: boolean) =>
  referencesOf(
    { serviceAccountName: 'api', containers: [plain], ...spec },
    { serviceAccount: 'api', secrets: ['api-token'], ...(automount === undefined ? {} : { automount }) },
  );

describe('a Pod of the ServiceAccount', () => {
  it.each<[string, PodSpec, boolean | undefined, boolean]>([
    ['that says nothing, where the ServiceAccount says nothing', {}, undefined, true],
    ['that says nothing, where the ServiceAccount says yes', {}, true, true],
    ['that says nothing, where the ServiceAccount says no', {}, false, false],
    ['that says no', { automountServiceAccountToken: false }, undefined, false],
    ['that says no, where the ServiceAccount says yes', { automountServiceAccountToken: false }, true, false],
    ['that says yes, where the ServiceAccount says no', { automountServiceAccountToken: true }, false, true],
    [
      'that says no, with a volume of its own',
      { automountServiceAccountToken: false, volumes: volume() },
      true,
      true,
    ],
    [
      'with a volume for another audience',
      { automountServiceAccountToken: false, volumes: volume('vault') },
      false,
      true,
    ],
    ['with a volume that a CSI driver fills', { volumes: [{ name: 'v', csi: {} }] }, false, true],
    ['with other volumes alone', { volumes: [{ name: 'v', secret: { secretName: 'x' } }] }, false, false],
    ['whose only container has something else there', { containers: [other] }, true, false],
    ['of whose containers one has something else there', { containers: [other, plain] }, true, true],
    ['whose init container alone gets one', { containers: [other], initContainers: [plain] }, true, true],
    [
      'whose ephemeral container gets none unasked',
      { containers: [other], ephemeralContainers: [plain] },
      true,
      false,
    ],
    ['of whose containers nothing is known', { containers: [] }, true, true],
  ])('%s', (_which, spec, automount, holds) => {
    const references = as(spec, automount);
    expect(references?.serviceAccount).toBe(true);
    expect(references && holdsToken(references, ['api-token'])).toBe(holds);
  });

  it('that reads one from a Secret holds it, whatever else it says', () => {
    const spec = {
      automountServiceAccountToken: false,
      volumes: [{ name: 'v', secret: { secretName: 'api-token' } }],
    };
    const references = as(spec, false);
    expect(references).toEqual({ serviceAccount: true, tokenless: true, secrets: ['api-token'] });
    expect(references && holdsToken(references, ['api-token'])).toBe(true);
    expect(references && holdsToken(references, ['another'])).toBe(false);
  });

  it('of another is never said to have none', () => {
    const spec = { serviceAccountName: 'web', volumes: [{ name: 'v', secret: { secretName: 'api-token' } }] };
    expect(as(spec, false)).toEqual({ serviceAccount: false, secrets: ['api-token'] });
  });
});

it('a workload has none where neither its template nor any Pod of it has one', () => {
  const none = { serviceAccount: true, tokenless: true as const, secrets: [] };
  const some = { serviceAccount: true, secrets: [] };
  const foreign = { serviceAccount: false, secrets: ['api-token'] };
  expect(merged(undefined, none).tokenless).toBe(true);
  expect(merged(none, none).tokenless).toBe(true);
  expect(merged(none, some).tokenless).toBeUndefined();
  expect(merged(some, none).tokenless).toBeUndefined();
  expect(merged(none, foreign).tokenless).toBe(true);
  expect(merged(foreign, foreign).tokenless).toBeUndefined();
});
