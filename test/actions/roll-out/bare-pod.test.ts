// A bare Pod that a person agreed to have made anew is that very Pod: another of its name is left alone.
import { expect, it } from 'vitest';
import { standingOf, type View } from '../../../src/actions/roll-out/standing.ts';
import type { PodObject } from '../../../src/domain/kubernetes/objects.ts';

const target = { kind: 'Pod', name: 'debug', uid: 'uid-approved', consent: true };
const pod = (uid: string): PodObject => ({
  metadata: { name: 'debug', uid },
  spec: { volumes: [{ secret: { secretName: 'old' } }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});

it.each<[string, PodObject[], { kept?: string[]; isBack?: true }, string, string | undefined]>([
  ['the one that was approved is made anew', [pod('uid-approved')], {}, 'going', 'remove-bare'],
  ['one that has its name is left', [pod('uid-other')], {}, 'left', undefined],
  ['one that was quicker than we is left', [pod('uid-other')], { kept: ['debug'] }, 'left', undefined],
  ['the one that we made is taken back', [pod('uid-ours')], { isBack: true }, 'going', 'remove-bare'],
  ['the one that is gone is made', [], { kept: ['debug'] }, 'going', 'create-bare'],
])('%s', (_what, pods, { kept = [], isBack }, at, next) => {
  const view: View = {
    params: {
      namespace: 'payments',
      workloads: [target],
      old: { rule: 'secret', name: 'old' },
      cap: { percent: 25, most: 5 },
      deadlineSeconds: 60,
      killedFirst: false,
    },
    change: {
      patch: () => undefined,
      respec: (template) => template,
      sameTemplate: false,
      ...(isBack && { isBack }),
    },
    existing: new Set(),
    touched: [],
    kept,
  };
  const standing = standingOf(target, { pods, podsOf: () => pods, objectOf: () => undefined }, view);
  expect([standing.at, standing.next?.do]).toEqual([at, next]);
});
