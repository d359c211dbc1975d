// A click binds to what will be done to which object; nothing that changes by itself may make it stale.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/domain/plan/plan.ts';
import { hashSteps, makePlan } from '../../../src/domain/plan/plan-hash.ts';

const step = (over: Partial<Step> = {}): Step => ({
  id: 'a-1',
  action: 'delete-token-secret',
  phase: 'revoke',
  cluster: 'prod',
  params: { namespace: 'payments', secret: 'api-token', uid: 's-1' },
  title: 'Delete',
  breaks: 'something',
  reversible: false,
  kubectl: [],
  ...over,
});

describe('hashSteps', () => {
  it.each<[string, Partial<Step>]>([
    ['the action', { action: 'quarantine-token' }],
    ['the cluster', { cluster: 'staging' }],
    ['a UID', { params: { namespace: 'payments', secret: 'api-token', uid: 's-2' } }],
    ['a parameter more', { params: { namespace: 'payments', secret: 'api-token', uid: 's-1', x: 1 } }],
  ])('changes with %s', (_name, over) => {
    expect(hashSteps([step(over)])).not.toBe(hashSteps([step()]));
  });

  it.each<[string, Partial<Step>]>([
    ['wording', { title: 'Remove', breaks: 'nothing', kubectl: ['kubectl'] }],
    ['the number of the step', { id: 'a-2' }],
    ['the order of keys', { params: { uid: 's-1', secret: 'api-token', namespace: 'payments' } }],
  ])('does not change with %s', (_name, over) => {
    expect(hashSteps([step(over)])).toBe(hashSteps([step()]));
  });

  it('changes with the order of steps and with what is bound to them', () => {
    const other = step({ cluster: 'staging' });
    expect(hashSteps([step(), other])).not.toBe(hashSteps([other, step()]));
    expect(hashSteps([step()], ['Deployment/a'])).not.toBe(
      hashSteps([step()], ['Deployment/a', 'Deployment/b']),
    );
    expect(hashSteps([step()], ['a', 'b'])).toBe(hashSteps([step()], ['b', 'a']));
  });

  it('is equal only for equal parameters', () => {
    const params = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    fc.assert(
      fc.property(params, params, (a, b) => {
        const same = JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
        expect(hashSteps([step({ params: a })]) === hashSteps([step({ params: b })])).toBe(same);
      }),
    );
  });
});

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(canonical)];
  if (value === null || typeof value !== 'object') return value;
  return [
    'object',
    ...Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  ];
}

describe('makePlan', () => {
  it('orders by phase, containment first, and hashes containment alone too', () => {
    const contain = step({ action: 'quarantine-token', phase: 'contain' });
    const plan = makePlan([step(), contain], [], ['Deployment/a']);
    expect(plan.steps.map(({ phase }) => phase)).toEqual(['contain', 'revoke']);
    expect(plan.containHash).toBe(hashSteps([contain]));
    expect(makePlan([step()], [], []).containHash).toBe('');
  });
});
