// What a roll-out is approved for: which workloads, which of their Pods are old, and how carefully.
import { z } from 'zod';
import type { PodSpec } from '../../domain/kubernetes/objects.ts';
import type { Restartable } from '../../domain/plan/restart-commands.ts';
import { type Cap, DEFAULT_PACE, type Pace } from '../../domain/plan/waves.ts';
import type { WorkloadFact } from '../../domain/situation/situation.ts';

/** As the API server answered it. */
const podSpec = z.custom<PodSpec>((value) => typeof value === 'object' && value !== null);

const target = z.strictObject({
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  strategy: z.enum(['RollingUpdate', 'Recreate', 'OnDelete']).exactOptional(),
  partition: z.int().exactOptional(),
  custom: z.literal(true).exactOptional(),
  /** A person agreed: a bare Pod is made anew, Pods of a Job or of a paused Deployment are removed. */
  consent: z.boolean(),
  /** What a patch for Git is made of. */
  git: z.strictObject({ apiVersion: z.string(), tools: z.array(z.string()), spec: podSpec }).exactOptional(),
});
export type Target = z.infer<typeof target>;

export const rollOutSchema = z.strictObject({
  namespace: z.string(),
  workloads: z.array(target),
  old: z.discriminatedUnion('rule', [
    z.strictObject({ rule: z.literal('existing') }),
    z.strictObject({ rule: z.literal('service-account'), name: z.string() }),
    z.strictObject({ rule: z.literal('secret'), name: z.string() }),
  ]),
  cap: z.strictObject({ percent: z.number().min(1).max(100), most: z.int().min(1) }),
  /** For each wave. */
  deadlineSeconds: z.int().min(1),
  /** The old identity is dead already: what fails is replaced at once. */
  killedFirst: z.boolean(),
});
export type RollOut = z.infer<typeof rollOutSchema>;

interface Options {
  namespace: string;
  old?: RollOut['old'];
  pace?: Pace;
  cap?: Cap;
  deadlineSeconds?: number;
  killedFirst?: boolean;
  /** `Kind/name` of workloads that need it and have it. */
  consent?: readonly string[];
}

/** From what was seen; only who the workloads are, so that the plan stays the same while their Pods come and go. */
export function rollOutOf(workloads: readonly WorkloadFact[], options: Options): RollOut {
  const { namespace, old = { rule: 'existing' }, pace = DEFAULT_PACE, consent = [] } = options;
  const { cap = pace } = options;
  return {
    namespace,
    workloads: workloads.map(({ kind, name, uid, strategy, partition, custom }) => ({
      kind,
      name,
      uid,
      ...(strategy === undefined ? {} : { strategy }),
      ...(partition === undefined ? {} : { partition }),
      ...(custom === undefined ? {} : { custom }),
      consent: consent.includes(`${kind}/${name}`),
    })),
    old,
    cap: { percent: cap.percent, most: cap.most },
    deadlineSeconds: options.deadlineSeconds ?? Math.ceil(pace.deadline / 1000),
    killedFirst: options.killedFirst ?? false,
  } satisfies { workloads: Restartable[] } & RollOut;
}
