// Whether the new Pods of a workload are refused, and for how long already: nobody waits for what will not be let in.
import type { StepView } from '../../contracts/action.ts';
import { type Denial, denialIn, deniedText } from '../../domain/kubernetes/denials.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { creationFailure } from '../../domain/kubernetes/rollout-status.ts';
import { isAppError } from '../../errors.ts';
import type { KubernetesObject } from '../../ports/cluster.ts';
import type { RollOutMemory } from './advance.ts';
import type { WorkloadStanding } from './standing.ts';

/** Without any change: a ServiceAccount that was made a moment ago, or a controller that looks again, takes no longer. */
const SURE_MS = 15_000;
/** The same for room in a quota, which old Pods give back as they go. */
const PASSING_MS = 60_000;

/** Says of each look, while nothing moves, which of the workloads that are waited for will not get there. */
export type RefusedPods = (standings: readonly WorkloadStanding[]) => Promise<WorkloadStanding[]>;

export function watchRefusedPods(tools: StepView, namespace: string): RefusedPods {
  const still = new Map<string, { line: string; since: number }>();
  const look = async (standing: WorkloadStanding): Promise<WorkloadStanding> => {
    const { path, at, line } = standing;
    const before = still.get(path);
    if (at !== 'going' || before?.line !== line) {
      still.set(path, { line, since: tools.now() });
      return standing;
    }
    const waited = tools.now() - before.since;
    if (waited < SURE_MS) return standing;
    const refusal = await refusalOf(tools, namespace, standing).catch(unreadable);
    // Whose role is older may not list events: then the deadline decides, and why it did is told.
    if (typeof refusal === 'string') return { ...standing, line: `${line} ${refusal}` };
    if (refusal === undefined || (refusal.passing && waited < PASSING_MS)) return standing;
    return { ...standing, at: 'stuck', line: `Its new Pods are refused. ${deniedText(refusal)}` };
  };
  return (standings) => Promise.all(standings.map(look));
}

interface Event extends KubernetesObject {
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  series?: { lastObservedTime?: string };
}

/** Some controllers say it in a condition, StatefulSets and DaemonSets in events alone. */
async function refusalOf(
  { cluster, memory }: StepView,
  namespace: string,
  { object, target }: WorkloadStanding,
): Promise<Denial | undefined> {
  const place = { cluster: cluster.name, namespace };
  const said = object && creationFailure(object);
  if (said !== undefined) return denialIn(said, place);
  if (!['StatefulSet', 'DaemonSet'].includes(target.kind)) return undefined;
  const { began = 0 } = memory as RollOutMemory;
  const fieldSelector = `involvedObject.uid=${target.uid},reason=FailedCreate`;
  const events = await cluster.list<Event>({ resource: resources.events, namespace, fieldSelector });
  const recent = events.filter((event) => seenAt(event) >= began - CLOCKS_MS);
  const newest = recent.toSorted((a, b) => seenAt(b) - seenAt(a))[0];
  return denialIn(newest?.message?.replace(PREFIX, '') ?? '', place);
}

/** The worker's clock and that of whoever wrote the event may differ by so much. */
const CLOCKS_MS = 60_000;
/** What controllers write before what the API server said, alone or of several events that were made one. */
const PREFIX =
  /^(?:\(combined from similar events\): )?(?:create Pod \S+ in StatefulSet \S+ failed error|Error creating): /i;

const seenAt = ({ series, lastTimestamp, eventTime, metadata }: Event): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;

function unreadable(error: unknown): string {
  if (!isAppError(error, 'forbidden', 'unsupported', 'not-found')) throw error;
  return error.message;
}
