// The patch for Git says exactly what the live edit changes, in the words of a strategic merge patch, and nothing else of the template.
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { gitPatch, inGit, referring } from '../../../src/domain/kubernetes/git-patch.ts';
import type { PodSpec } from '../../../src/domain/kubernetes/objects.ts';

const toNew = { what: 'secret', from: 'old', to: 'new' } as const;
const ref = (name: string) => ({ valueFrom: { secretKeyRef: { name, key: 'token' } } });

/** Everything that is not asked for must stay away. */
const noise = {
  image: 'registry.example/app:1',
  command: ['serve'],
  ports: [{ containerPort: 80 }],
};

function patchOf(spec: object, kind = 'Deployment', replacement: Parameters<typeof gitPatch>[1] = toNew) {
  const git = inGit({ kind, apiVersion: 'apps/v1', managedBy: ['Argo CD'] }, spec as PodSpec, [
    'old',
    'older',
  ]);
  const text = gitPatch({ kind, name: 'api', git }, replacement);
  return text === undefined ? undefined : parse(text);
}

describe('the patch', () => {
  it.each<[string, object, object]>([
    [
      'a volume',
      {
        volumes: [
          { name: 't', secret: { secretName: 'old', defaultMode: 420 } },
          { name: 'x', emptyDir: {} },
        ],
      },
      { volumes: [{ name: 't', secret: { secretName: 'new' } }] },
    ],
    [
      'projected sources, which are replaced whole',
      {
        volumes: [
          {
            name: 'p',
            projected: {
              defaultMode: 420,
              sources: [{ configMap: { name: 'c' } }, { secret: { name: 'old' } }],
            },
          },
        ],
      },
      {
        volumes: [
          { name: 'p', projected: { sources: [{ configMap: { name: 'c' } }, { secret: { name: 'new' } }] } },
        ],
      },
    ],
    [
      'a CSI driver’s reference',
      { volumes: [{ name: 'c', csi: { driver: 'd', nodePublishSecretRef: { name: 'old' } } }] },
      { volumes: [{ name: 'c', csi: { nodePublishSecretRef: { name: 'new' } } }] },
    ],
    [
      'one variable of one container',
      {
        containers: [
          { name: 'side', ...noise, env: [{ name: 'A', value: 'old' }] },
          {
            name: 'main',
            ...noise,
            env: [
              { name: 'A', value: 'x' },
              { name: 'T', ...ref('old') },
              { name: 'O', ...ref('older') },
            ],
          },
        ],
      },
      { containers: [{ name: 'main', env: [{ name: 'T', ...ref('new') }] }] },
    ],
    [
      'envFrom of an init container, which is replaced whole',
      {
        initContainers: [
          {
            name: 'i',
            ...noise,
            envFrom: [{ prefix: 'C_', configMapRef: { name: 'c' } }, { secretRef: { name: 'old' } }],
          },
        ],
      },
      {
        initContainers: [
          {
            name: 'i',
            envFrom: [{ prefix: 'C_', configMapRef: { name: 'c' } }, { secretRef: { name: 'new' } }],
          },
        ],
      },
    ],
    [
      'pull Secrets, in their order',
      { imagePullSecrets: [{ name: 'a' }, { name: 'old' }, { name: 'b' }] },
      { imagePullSecrets: [{ $patch: 'replace' }, { name: 'a' }, { name: 'new' }, { name: 'b' }] },
    ],
  ])('for %s', (_, spec, expected) => {
    expect(patchOf(spec)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api' },
      spec: { template: { spec: expected } },
    });
  });

  it('is for the template where a CronJob has it', () => {
    const spec = { volumes: [{ name: 't', secret: { secretName: 'old' } }] };
    expect(patchOf(spec, 'CronJob')?.spec.jobTemplate.spec.template.spec.volumes[0].secret.secretName).toBe(
      'new',
    );
  });

  it('for a ServiceAccount is one line, whatever else the template has', () => {
    const to = { what: 'service-account', from: 'old', to: 'new' } as const;
    expect(
      patchOf({ containers: [{ name: 'main', ...noise }] }, 'Deployment', to)?.spec.template.spec,
    ).toEqual({
      serviceAccountName: 'new',
    });
  });

  it('is none where the template refers to another Secret only, or only a Pod does', () => {
    expect(patchOf({ volumes: [{ name: 't', secret: { secretName: 'older' } }] })).toBeUndefined();
    expect(patchOf({})).toBeUndefined();
  });

  it.each([
    ['nobody manages it', 'Deployment', []],
    ['a Job’s template cannot change', 'Job', ['Flux']],
    ['lists of a Rollout are not merged by name', 'Rollout', ['Argo CD']],
  ])('is none where %s', (_, kind, managedBy) => {
    expect(inGit({ kind, apiVersion: 'v1', managedBy }, {}, ['old'])).toBeUndefined();
  });
});

it('what is kept of a template has no part that refers to nothing', () => {
  expect(
    referring({ containers: [{ name: 'main', env: [{ name: 'A' }] }], volumes: [{ name: 'v' }] }, ['old']),
  ).toEqual({});
});
