// Whom the API server asks: which workloads answer, and whether their own roll-out could wait for them.
import { describe, expect, it } from 'vitest';
import { preflight } from '../../../src/domain/plan/preflight.ts';
import {
  type AdmissionObject,
  type Callers,
  callbackFacts,
  callbackNotes,
  callbacksOf,
  servicesFor,
} from '../../../src/domain/situation/callbacks.ts';
import { aWorkload } from '../../builders.ts';

const nobody: Callers = { validating: [], mutating: [], apiServices: [], crds: [] };
const home = { name: 'payments', labels: { team: 'a', 'kubernetes.io/metadata.name': 'payments' } };
const labels = { app: 'gate' };
const service = { namespace: 'payments', name: 'gate' };
const PODS = [{ operations: ['CREATE'], apiGroups: [''], resources: ['pods'] }];

type Webhook = NonNullable<AdmissionObject['webhooks']>[number];
const configured = (...webhooks: Webhook[]): AdmissionObject => ({
  metadata: { name: 'gate', uid: 'u' },
  webhooks: webhooks.map((webhook) => ({ clientConfig: { service }, rules: PODS, ...webhook })),
});
const effects = (...webhooks: Webhook[]) =>
  callbackFacts(
    callbacksOf(home, { ...nobody, validating: [configured(...webhooks)] }),
    ['gate'],
    labels,
  ).map(({ effect }) => effect);

describe('an admission webhook', () => {
  it.each<[string, Webhook, string[]]>([
    ['fails closed by default and is asked about Pods', {}, ['blocks']],
    [
      'is asked about all there is',
      { rules: [{ operations: ['*'], apiGroups: ['*'], resources: ['*'] }] },
      ['blocks'],
    ],
    [
      'and what is below it',
      { rules: [{ operations: ['*'], apiGroups: ['*'], resources: ['*/*'] }] },
      ['blocks'],
    ],
    [
      'is asked about Deployments',
      { rules: [{ operations: ['UPDATE'], apiGroups: ['apps'], resources: ['deployments'] }] },
      ['blocks'],
    ],
    [
      'is asked about deletions alone',
      { rules: [{ operations: ['DELETE'], apiGroups: [''], resources: ['pods'] }] },
      ['refuses'],
    ],
    [
      'is asked about something else',
      { rules: [{ operations: ['*'], apiGroups: ['x.test'], resources: ['*'] }] },
      ['refuses'],
    ],
    [
      'about Pods of another group',
      { rules: [{ operations: ['*'], apiGroups: ['metrics.k8s.io'], resources: ['pods'] }] },
      ['refuses'],
    ],
    ['fails open', { failurePolicy: 'Ignore' }, ['unchecked']],
    [
      'leaves this namespace out',
      { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] } },
      ['refuses'],
    ],
    [
      'names this namespace',
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'payments' } } },
      ['blocks'],
    ],
    [
      'leaves its own Pods out',
      { objectSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['gate'] }] } },
      ['refuses'],
    ],
    ['selects everything', { namespaceSelector: {}, objectSelector: {} }, ['blocks']],
    ['is elsewhere', { clientConfig: { service: { namespace: 'other', name: 'gate' } } }, []],
    ['is another Service', { clientConfig: { service: { namespace: 'payments', name: 'web' } } }, []],
    ['is no Service', { clientConfig: {} }, []],
  ])('that %s', (_what, webhook, expected) => {
    expect(effects(webhook)).toEqual(expected);
  });

  it('of a configuration with several is told once, by the gravest', () => {
    expect(effects({ failurePolicy: 'Ignore' }, {}, { rules: [] })).toEqual(['blocks']);
  });
});

describe('other callers', () => {
  it('are APIs that are served by Pods, and conversions', () => {
    const conversion = { webhook: { clientConfig: { service } } };
    const callbacks = callbacksOf(home, {
      ...nobody,
      mutating: [configured({ failurePolicy: 'Ignore' })],
      apiServices: [
        { metadata: { name: 'v1.metrics.test', uid: 'a' }, spec: { service } },
        { metadata: { name: 'v1.apps', uid: 'b' }, spec: {} },
      ],
      crds: [
        { metadata: { name: 'things.x.test', uid: 'c' }, spec: { conversion } },
        { metadata: { name: 'others.x.test', uid: 'd' } },
      ],
    });
    expect(callbackFacts(callbacks, ['gate'], labels)).toEqual([
      { kind: 'APIService', name: 'v1.metrics.test', effect: 'unavailable' },
      { kind: 'CustomResourceDefinition', name: 'things.x.test', effect: 'unavailable' },
      { kind: 'MutatingWebhookConfiguration', name: 'gate', effect: 'unchecked' },
    ]);
  });

  it('reach a workload through the Services that select its Pods', () => {
    const named = (name: string, selector?: Record<string, string>) => ({
      metadata: { name, uid: name },
      spec: selector ? { selector } : {},
    });
    const services = [
      named('b', labels),
      named('a', { app: 'gate' }),
      named('web', { app: 'web' }),
      named('none'),
    ];
    expect(servicesFor(services, { app: 'gate', more: 'x' })).toEqual(['a', 'b']);
    expect(servicesFor(services, undefined)).toEqual([]);
  });
});

describe('before a roll-out', () => {
  it('what would hold it up is told first, and what is merely missing meanwhile later', () => {
    const notes = preflight({
      workloads: [
        aWorkload({ paused: true }),
        aWorkload({
          name: 'gate',
          callbacks: [
            { kind: 'ValidatingWebhookConfiguration', name: 'gate', effect: 'blocks' },
            { kind: 'APIService', name: 'v1.metrics.test', effect: 'unavailable' },
          ],
        }),
      ],
    });
    expect(notes[0]).toContain(
      'Deployment/gate answers for ValidatingWebhookConfiguration gate, which fails closed',
    );
    expect(notes[1]).toContain('is paused');
    expect(notes[2]).toContain('APIService v1.metrics.test: while none of its Pods is Ready');
  });

  it('many of one kind are counted', () => {
    const many = Array.from({ length: 9 }, (_, n) => ({
      kind: 'CustomResourceDefinition' as const,
      name: `c${n}`,
      effect: 'unavailable' as const,
    }));
    expect(callbackNotes('Deployment/x', many).other.join()).toMatch(/c4 and 4 more: while/);
  });
});
