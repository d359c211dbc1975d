// That looking changes nothing is not a promise of ours but of the compiler: what looks is given no write.
import { expectTypeOf, it } from 'vitest';
import type { Action, StepTools, StepView } from '../../../src/contracts/action.ts';
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
  expectTypeOf<ClusterOf<LookDeps>>().toEqualTypeOf<ClusterTrial>();
  expectTypeOf<ClusterOf<WorkerDeps>>().toEqualTypeOf<Cluster>();
});

it('an action verifies and rehearses without them, and executes with them', () => {
  expectTypeOf<Parameters<Action['verify']>[0]['cluster']>().toEqualTypeOf<ClusterTrial>();
  expectTypeOf<StepView['cluster']>().toEqualTypeOf<ClusterTrial>();
  expectTypeOf<StepTools['cluster']>().toEqualTypeOf<Cluster>();
});
