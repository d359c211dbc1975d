// That looking changes nothing is not a promise of ours but of the compiler: what looks is given no write.
import { expectTypeOf, it } from 'vitest';
import {
  type Action,
  defineAction,
  type StepTools,
  type StepTrial,
  type StepView,
} from '../../../src/contracts/action.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { done } from '../../../src/domain/outcome.ts';
import type { LookDeps, WorkerDeps } from '../../../src/engine/ground/deps.ts';
import type { observe } from '../../../src/engine/look/observe.ts';
import type { Cluster, ClusterTrial, ClusterView } from '../../../src/ports/cluster.ts';

type Writes = Exclude<keyof Cluster, keyof ClusterTrial>;
type ClusterOf<D extends { clusters: ReadonlyMap<string, unknown> }> =
  D['clusters'] extends ReadonlyMap<string, infer C> ? C : never;

it('the writes of the port are these', () => {
  expectTypeOf<Writes>().toEqualTypeOf<'create' | 'patch' | 'remove' | 'evict'>();
  expectTypeOf<Exclude<keyof ClusterTrial, keyof ClusterView>>().toEqualTypeOf<'tryCreate' | 'tryPatch'>();
});

it('who looks has none of them, and who acts has them', () => {
  expectTypeOf<Parameters<typeof observe>[0]>().toEqualTypeOf<ClusterView>();
  expectTypeOf<ClusterOf<LookDeps>>().toEqualTypeOf<ClusterView>();
  expectTypeOf<ClusterOf<WorkerDeps>>().toEqualTypeOf<Cluster>();
});

it('an action verifies and rehearses without them, and executes with them', () => {
  expectTypeOf<Parameters<Action['verify']>[0]['cluster']>().toEqualTypeOf<ClusterView>();
  expectTypeOf<Parameters<NonNullable<Action['rehearse']>>[0]['cluster']>().toEqualTypeOf<ClusterTrial>();
  expectTypeOf<StepView['cluster']>().toEqualTypeOf<ClusterView>();
  expectTypeOf<StepTools['cluster']>().toEqualTypeOf<Cluster>();
});

it('a write in a look does not compile, also where an action asks for more than it is given', () => {
  type Params = { uid: string };
  const evicting = async ({ cluster }: StepTools) => {
    await cluster.evict({ namespace: 'shop', name: 'web' }, { uid: 'u' });
    return done('');
  };
  const planted = (action: Omit<Action<Params>, 'verify' | 'rehearse'>) => [
    // @ts-expect-error A view has no evict.
    async ({ cluster }: StepView) => await cluster.evict({ namespace: 'shop', name: 'web' }, { uid: 'u' }),
    // @ts-expect-error A trial creates nothing.
    async ({ cluster }: StepTrial) => await cluster.create({ resource: resources.pods }, {}),
    // @ts-expect-error What verifies is given a view, whatever it asks for.
    defineAction<Params>({ ...action, verify: evicting }),
    // @ts-expect-error What rehearses is given a trial.
    defineAction<Params>({ ...action, verify: async () => done(''), rehearse: async (_: StepTools) => [] }),
  ];
  expectTypeOf(planted).toBeFunction();
});
