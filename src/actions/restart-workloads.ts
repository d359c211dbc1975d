// Replaces every Pod of the given workloads, each kind in its own way and in waves: a container that merely restarts keeps its token.
import { type Action, type Bench, defineAction, type Look, type Proposal } from '../contracts.ts';
import { pathOf } from '../domain/consumers.ts';
import type { WorkloadObject } from '../domain/kube-objects.ts';
import { pointer } from '../domain/labels.ts';
import type { JsonPatch } from '../ports.ts';
import type { RollOutMemory } from './roll-out/advance.ts';
import { type RollOut, rollOutOf, rollOutSchema } from './roll-out/params.ts';
import { look, roll } from './roll-out/roll.ts';
import type { Change } from './roll-out/standing.ts';
import { describeRestart } from './roll-out/text.ts';
import { recreated } from './succession/recreation.ts';
import { versionIs } from './writes/pinned.ts';

/** What `kubectl rollout restart` writes. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

export const restartWorkloads: Action = defineAction<RollOut>({
  name: 'restart-workloads',
  phase: ({ killedFirst }) => (killedFirst ? 'recover' : 'roll-out'),
  // It changes nothing that stays, so there is nothing to take back.
  reversible: false,
  params: rollOutSchema,
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
  ],
  propose,
  describe: describeRestart,
  execute: (bench: Bench, params) => roll(bench, params, changeAt(bench)),
  verify: (bench: Look, params) => look(bench, params, changeAt(bench)),
});

/** Where the ServiceAccount was made anew, its Pods and those that read a Secret of it hold tokens that nobody accepts. */
function propose(proposal: Proposal): RollOut[] {
  const { situation, approach, consent: agreed, pace } = proposal;
  const { namespace } = proposal.identity;
  const { workloads, tokenSecrets } = situation;
  const consent = agreed ? workloads.map(pathOf) : [];
  if (approach === 'restart')
    return workloads.length > 0 ? [rollOutOf(workloads, { namespace, pace, consent })] : [];
  if (recreated(proposal) === undefined) return [];
  const died = tokenSecrets.filter(({ otherType }) => !otherType).map(({ name }) => name);
  const users = workloads.filter(
    ({ references: { serviceAccount, secrets } }) =>
      serviceAccount || secrets.some((name) => died.includes(name)),
  );
  return users.length > 0 ? [rollOutOf(users, { namespace, pace, consent, killedFirst: true })] : [];
}

/** The same moment after a crash, so that nothing is rolled twice. */
function changeAt(bench: Look): Change {
  return {
    patch: (kind, object) => restart(kind, object, (bench.memory as RollOutMemory).began ?? bench.now()),
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
