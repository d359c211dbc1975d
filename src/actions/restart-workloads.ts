// Replaces every Pod of the given workloads, each kind in its own way and in waves: a container that merely restarts keeps its token.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import type { WorkloadObject } from '../domain/kubernetes/objects.ts';
import { holdsToken } from '../domain/kubernetes/pod-references.ts';
import { pathOf } from '../domain/situation/consumers.ts';
import { pointer } from '../domain/text/json-pointer.ts';
import type { JsonPatch } from '../ports/cluster.ts';
import type { RollOutMemory } from './roll-out/advance.ts';
import { rollOutOf, rollOutSchema, type Target } from './roll-out/params.ts';
import { rehearse } from './roll-out/rehearse.ts';
import { look, roll } from './roll-out/roll.ts';
import type { Change } from './roll-out/standing.ts';
import { describeRestart } from './roll-out/text.ts';
import { lateUsers } from './succession/late.ts';
import { recreated } from './succession/recreation.ts';
import { versionIs } from './writes/pinned.ts';

const paramsSchema = rollOutSchema.extend({
  /** Of the ServiceAccount that was made anew: whoever holds one from before by then is replaced as well. */
  tokens: z.strictObject({ serviceAccount: z.string(), secrets: z.array(z.string()) }).exactOptional(),
});
type Params = z.infer<typeof paramsSchema>;

interface RestartMemory extends RollOutMemory {
  /** Workloads that came after the plan. */
  late?: Target[];
}

/** What `kubectl rollout restart` writes. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

export const restartWorkloads: Action = defineAction<Params>({
  name: 'restart-workloads',
  phase: ({ killedFirst }) => (killedFirst ? 'recover' : 'roll-out'),
  // It changes nothing that stays, so there is nothing to take back.
  reversible: false,
  params: paramsSchema,
  permissions: [
    {
      scope: 'namespace',
      apiGroups: ['apps'],
      resources: ['deployments', 'statefulsets', 'daemonsets'],
      verbs: ['patch'],
    },
    { scope: 'namespace', apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['patch'] },
    { scope: 'namespace', apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] },
    { scope: 'namespace', apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    // StatefulSets and DaemonSets say nowhere else that their Pods are refused.
    { scope: 'namespace', apiGroups: [''], resources: ['events'], verbs: ['list'] },
  ],
  propose,
  rehearse: (trial, params) => rehearse(trial, params, changeAt(trial)),
  describe(params, cluster) {
    const { breaks, ...text } = describeRestart(params, cluster);
    const { tokens } = params;
    const late = `Whatever else holds a token of ${tokens?.serviceAccount} from before by then is replaced with them.`;
    return { ...text, breaks: tokens === undefined ? breaks : `${breaks} ${late}` };
  },
  execute: async (tools: StepTools, params) => roll(tools, await withLate(tools, params), changeAt(tools)),
  verify: (tools: StepView, params) => look(tools, withThese(params, lateIn(tools) ?? []), changeAt(tools)),
});

/** Where the ServiceAccount was made anew, its Pods and those that read a Secret of it hold tokens that nobody accepts. */
function propose(proposal: Proposal): Params[] {
  const { situation, approach, consent: agreed, pace } = proposal;
  const { namespace } = proposal.identity;
  const { workloads, tokenSecrets } = situation;
  const consent = agreed ? workloads.map(pathOf) : [];
  if (approach === 'restart') {
    const users = workloads.filter(({ references }) => holdsToken(references, references.secrets));
    return users.length > 0 ? [rollOutOf(users, { namespace, pace, consent })] : [];
  }
  const account = recreated(proposal);
  if (account === undefined) return [];
  const secrets = tokenSecrets.filter(({ otherType }) => !otherType).map(({ name }) => name);
  const users = workloads.filter(({ references }) => holdsToken(references, secrets));
  if (users.length === 0) return [];
  const tokens = { serviceAccount: account.name, secrets };
  return [{ ...rollOutOf(users, { namespace, pace, consent, killedFirst: true }), tokens }];
}

const lateIn = ({ memory }: StepView): Target[] | undefined => (memory as RestartMemory).late;

const withThese = (params: Params, late: readonly Target[]): Params => ({
  ...params,
  workloads: [...params.workloads, ...late],
});

/** Looked for once, before anything is begun, so that a roll-out stays the same after a crash. */
async function withLate(tools: StepTools, params: Params): Promise<Params> {
  const { namespace, tokens, workloads } = params;
  const known = lateIn(tools);
  if (known !== undefined) return withThese(params, known);
  // Of a plan of an older version, or one in which nothing was made anew.
  if (tokens === undefined) return params;
  const found = await lateUsers(tools.cluster, namespace, tokens, workloads);
  const late = rollOutOf(found, { namespace }).workloads;
  await tools.remember({ late } satisfies RestartMemory);
  return withThese(params, late);
}

/** The same moment after a crash, so that nothing is rolled twice. */
function changeAt(tools: StepView): Change {
  return {
    patch: (kind, object) => restart(kind, object, (tools.memory as RollOutMemory).began ?? tools.now()),
    respec: (template) => template,
    sameTemplate: true,
  };
}

function restart(kind: string, object: WorkloadObject, ms: number): JsonPatch | undefined {
  const at = new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
  const same = versionIs(object.metadata);
  if (kind === 'Rollout') {
    if ((object.spec?.restartAt ?? '') >= at) return undefined;
    return [...same, { op: 'add', path: '/spec/restartAt', value: at }];
  }
  const path = '/spec/template/metadata/annotations';
  const annotations = object.spec?.template?.metadata?.annotations;
  if (annotations === undefined) return [...same, { op: 'add', path, value: { [RESTARTED_AT]: at } }];
  // A later restart by somebody else is as good.
  if (Date.parse(annotations[RESTARTED_AT] ?? '') >= Date.parse(at)) return undefined;
  return [...same, { op: 'add', path: `${path}/${pointer(RESTARTED_AT)}`, value: at }];
}
