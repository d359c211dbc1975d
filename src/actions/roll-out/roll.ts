// Replaces the Pods of many workloads in waves: begun from what was remembered, stopped at the first wave that does not come while the old tokens live.
import type { StepTools, StepView } from '../../contracts/action.ts';
import { isFinished, isReady } from '../../domain/kubernetes/objects.ts';
import { done, notDone, type Outcome } from '../../domain/outcome.ts';
import { waves } from '../../domain/plan/waves.ts';
import { advance, type RollOutMemory } from './advance.ts';
import type { RollOut } from './params.ts';
import { watchRefusedPods } from './refused-pods.ts';
import { type Change, standingOf, type View, type Wave, type WorkloadStanding } from './standing.ts';
import { survey } from './survey.ts';
import { doneText, progressText, stoppedText, undoneText } from './text.ts';

/** Time between two looks at everything, in milliseconds: short while Pods usually start, longer where something hangs. */
const LOOK = { first: 1000, longest: 5000, factor: 1.05 };

export async function roll(tools: StepTools, params: RollOut, change: Change): Promise<Outcome> {
  const order = await begin(tools, params, change);
  const skipped = new Set(tools.memory.skipped);
  /** Why a workload was not brought through, by path: what was learned on the way and a later look does not show. */
  const reasons = new Map<string, string>();
  let before = 0;
  for (const [index, wave] of order.entries()) {
    const open = wave.filter((path) => !skipped.has(path));
    const from = tools.now();
    const at = { number: index + 1, of: order.length, open, before };
    const held = await bringThrough(tools, params, change, at, reasons);
    // What was killed first is dead in every Pod: those of later waves are not left for the sake of this one.
    if (held.length > 0 && !params.killedFirst)
      return await stop(tools, held, stoppedText(held, at, params.deadlineSeconds, reasons));
    before = tools.now() - from;
  }
  const left = await undoneIn(tools, params, change);
  const undone = left.map((each) => ({ ...each, line: reasons.get(each.path) ?? each.line }));
  if (undone.length > 0) await tools.remember({ blocked: undone.map(({ path }) => path) });
  return conclusion(tools, params, undone);
}

/** What a cluster shows now. */
export async function look(tools: StepView, params: RollOut, change: Change): Promise<Outcome> {
  if (!began(tools).waves) return notDone('The roll-out has not begun.');
  return conclusion(tools, params, await undoneIn(tools, params, change));
}

const began = ({ memory }: StepView): RollOutMemory => memory as RollOutMemory;

function conclusion(tools: StepView, params: RollOut, undone: readonly WorkloadStanding[]): Outcome {
  if (undone.length > 0) return notDone(undoneText(undone));
  const { old = [], waves: order } = began(tools);
  const { skipped = [] } = tools.memory;
  return done(doneText(began(tools), params, skipped), {
    pods: old.length,
    workloads: params.workloads.length - skipped.length,
    waves: order?.length ?? 0,
    skipped: skipped.length,
  });
}

async function undoneIn(tools: StepView, params: RollOut, change: Change): Promise<WorkloadStanding[]> {
  const { standings } = await lookAt(tools, params, change, undefined);
  const skipped = new Set(tools.memory.skipped);
  return standings.filter(({ at, path }) => at !== 'done' && !skipped.has(path));
}

/** Written down before anything changes: which Pods are there, and the order, which must stay the same after a crash. */
async function begin(tools: StepTools, params: RollOut, change: Change): Promise<string[][]> {
  const before = began(tools);
  if (before.waves) return before.waves;
  const { standings } = await lookAt(tools, params, change, undefined);
  const old = standings.flatMap(({ pods }) =>
    pods.filter((pod) => !isFinished(pod)).map(({ metadata }) => metadata.uid),
  );
  const seen = standings.map(({ target, path, pods, object }) => ({
    path,
    kind: target.kind,
    replicas: object?.spec?.replicas ?? object?.status?.desiredNumberScheduled ?? pods.length,
    failing: params.killedFirst && pods.length > 0 && !pods.some(isReady),
  }));
  const order = waves(seen, params.cap).map((wave) => wave.map(({ path }) => path));
  await tools.remember({ old, began: tools.now(), waves: order, touched: [] } satisfies RollOutMemory);
  return order;
}

interface Seen {
  standings: WorkloadStanding[];
  /** Pods that were there at the beginning and still run. */
  oldLeft: number;
}

async function lookAt(
  tools: StepView,
  params: RollOut,
  change: Change,
  paths: ReadonlySet<string> | undefined,
): Promise<Seen> {
  const { old = [], touched = [], manifests = {} } = began(tools);
  const targets = params.workloads.filter(({ kind, name }) => paths?.has(`${kind}/${name}`) ?? true);
  const seen = await survey(tools.cluster, params.namespace, targets);
  const existing = new Set(old);
  const view: View = { params, change, existing, touched, kept: Object.keys(manifests) };
  const oldLeft = seen.pods.filter((pod) => existing.has(pod.metadata.uid) && !isFinished(pod)).length;
  return { standings: targets.map((target) => standingOf(target, seen, view)), oldLeft };
}

/** What did not come in time, or cannot; what is left to a person holds nobody up. */
async function bringThrough(
  tools: StepTools,
  params: RollOut,
  change: Change,
  wave: Wave,
  reasons: Map<string, string>,
): Promise<WorkloadStanding[]> {
  const refusedPods = watchRefusedPods(tools, params.namespace);
  const from = tools.now();
  const deadline = from + params.deadlineSeconds * 1000;
  let open = new Set(wave.open);
  for (let looks = 0; open.size > 0; looks++) {
    const { standings, oldLeft } = await lookAt(tools, params, change, open);
    const judged = await refusedPods(await advanceAll(tools, params, change, standings));
    for (const { at, path, line } of judged) {
      if (at === 'done') reasons.delete(path);
      else reasons.set(path, line);
    }
    const waiting = judged.filter(({ at }) => at === 'going');
    const stuck = judged.filter(({ at }) => at === 'stuck');
    if (waiting.length === 0 || tools.now() >= deadline) return [...stuck, ...waiting];
    const total = began(tools).old?.length ?? 0;
    const line = progressText(wave, [...stuck, ...waiting]);
    await tools.progress({ done: total - Math.min(total, oldLeft), total, line });
    // What is done stays done, so it is not looked at again; what is stuck may come loose.
    open = new Set([...waiting, ...stuck].map(({ path }) => path));
    const { touched = [] } = began(tools);
    const nothingToDo = waiting.every(({ path }) => touched.includes(path));
    await tools.sleep(pause(looks, nothingToDo ? EARLIEST * wave.before - (tools.now() - from) : 0));
  }
  return [];
}

/** Share of the time of the wave before, within which nothing is expected and so hardly anybody looks. */
const EARLIEST = 0.8;

function pause(looks: number, notBefore: number): number {
  const usual = LOOK.first * LOOK.factor ** looks;
  return Math.min(LOOK.longest, Math.max(usual, notBefore));
}

async function advanceAll(
  tools: StepTools,
  params: RollOut,
  change: Change,
  standings: readonly WorkloadStanding[],
): Promise<WorkloadStanding[]> {
  const judged: WorkloadStanding[] = [];
  const patched: string[] = [];
  for (const standing of standings) {
    const hitch = await advance(tools, params.namespace, change, standing);
    judged.push(hitch ? { ...standing, ...hitch } : standing);
    if (standing.next?.do === 'patch' && !hitch) patched.push(standing.path);
  }
  // Once for all, and behind the patches: what is noted and was never written would seem to have been taken back.
  const { touched = [] } = began(tools);
  if (patched.length > 0) await tools.remember({ touched: [...touched, ...patched] } satisfies RollOutMemory);
  return judged;
}

async function stop(tools: StepTools, held: readonly WorkloadStanding[], why: string): Promise<Outcome> {
  await tools.remember({ blocked: held.map(({ path }) => path) });
  return notDone(why);
}
