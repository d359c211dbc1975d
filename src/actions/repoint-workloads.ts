// Points workloads at what takes the place of an old ServiceAccount or token Secret, and replaces their Pods in waves.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { RELEASED } from '../domain/kubernetes/own-annotations.ts';
import { templateOf } from '../domain/kubernetes/pod-references.ts';
import { type Replacement, repointed, templatePathOf } from '../domain/kubernetes/repoint.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { notDone, type Outcome, unknown } from '../domain/outcome.ts';
import { hasRights } from '../domain/plan/rights.ts';
import { successionOf } from '../domain/plan/succession.ts';
import { successorName } from '../domain/plan/successor.ts';
import { pathOf } from '../domain/situation/consumers.ts';
import type { WorkloadFact } from '../domain/situation/situation.ts';
import { secretsAtStake, successorOf } from '../domain/situation/stake.ts';
import { pointer } from '../domain/text/json-pointer.ts';
import { isAppError } from '../errors.ts';
import type { JsonPatch } from '../ports/cluster.ts';
import { rollOutOf, rollOutSchema } from './roll-out/params.ts';
import { rehearse } from './roll-out/rehearse.ts';
import { look, roll } from './roll-out/roll.ts';
import type { Change } from './roll-out/standing.ts';
import { describeRepoint } from './roll-out/text.ts';
import { acceptedWithin } from './succession/acceptance.ts';
import { patchPinned, versionIs } from './writes/pinned.ts';

const paramsSchema = rollOutSchema.extend({
  what: z.enum(['secret', 'service-account']),
  from: z.string(),
  to: z.string(),
});
type Params = z.infer<typeof paramsSchema>;

export const repointWorkloads: Action = defineAction<Params>({
  name: 'repoint-workloads',
  phase: 'roll-out',
  reversible: true,
  params: paramsSchema,
  permissions: [
    {
      scope: 'namespace',
      apiGroups: ['apps'],
      resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'],
      verbs: ['patch'],
    },
    { scope: 'namespace', apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['patch'] },
    { scope: 'namespace', apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['patch'] },
    { scope: 'namespace', apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['patch'] },
    { scope: 'namespace', apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] },
    { scope: 'namespace', apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    {
      scope: 'namespace',
      apiGroups: [''],
      resources: ['secrets', 'serviceaccounts'],
      verbs: ['get', 'patch'],
    },
    // StatefulSets and DaemonSets say nowhere else that their Pods are refused.
    { scope: 'namespace', apiGroups: [''], resources: ['events'], verbs: ['list'] },
  ],
  propose,
  rehearse: (trial, params) => rehearse(trial, params, changeTo(params)),
  describe: describeRepoint,
  execute,
  verify: (seen: StepView, params) => look(seen, params, changeTo(params)),
  undo,
});

function propose({ identity, situation, approach, today, consent: agreed, pace }: Proposal): Params[] {
  const { namespace, serviceAccount } = identity;
  const { workloads, tokenSecrets } = situation;
  const consent = agreed ? workloads.map(pathOf) : [];
  if (situation.liveness.alive === 'dead') return [];
  const usersOf = (secret: string) =>
    workloads.filter(({ references }) => references.secrets.includes(secret));
  const pointed = (users: WorkloadFact[], what: Params['what'], from: string, to: string): Params[] => {
    const old = { rule: what, name: from } as const;
    if (users.length === 0) return [];
    const rollOut = rollOutOf(users, { namespace, pace, old, consent });
    const targets = rollOut.workloads.map((target, index) => {
      const git = users[index]?.git;
      return git === undefined ? target : { ...target, git };
    });
    return [{ ...rollOut, workloads: targets, what, from, to }];
  };
  if (approach === 'new-service-account') {
    const succession = hasRights(situation) ? successionOf(identity, situation, today) : undefined;
    if (succession === undefined) return [];
    const { name } = serviceAccount;
    const users = workloads.filter(({ references }) => references.serviceAccount);
    return [
      ...pointed(users, 'service-account', name, succession.name),
      ...succession.secrets.flatMap(({ from, to }) => pointed(usersOf(from), 'secret', from, to)),
    ];
  }
  if (approach !== 'new-secret') return [];
  const taken = tokenSecrets.map(({ name }) => name);
  return secretsAtStake(identity, situation).flatMap((secret): Params[] => {
    const { name } = secret;
    const to = successorOf(secret, situation)?.name ?? successorName(name, today, taken);
    return pointed(usersOf(name), 'secret', name, to);
  });
}

function changeTo(replacement: Replacement): Change {
  return {
    patch(kind, object): JsonPatch | undefined {
      const spec = templateOf(object)?.spec;
      const path = templatePathOf(kind, object);
      const next = spec && repointed(spec, replacement);
      if (next === undefined || path === undefined) return undefined;
      // The whole spec is written, so it must be the one that was read.
      return [...versionIs(object.metadata), { op: 'replace', path: `${path}/spec`, value: next }];
    },
    respec: (template) => {
      const spec = template.spec && repointed(template.spec, replacement);
      return spec ? { ...template, spec } : template;
    },
    sameTemplate: false,
  };
}

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  return (await unfit(tools, params, params.to)) ?? (await roll(tools, params, changeTo(params)));
}

/** How long what was switched on or made a moment ago is given until each API server knows of it. */
const FIT_WITHIN_MS = 30_000;

/** Why nobody is moved there: what they would get is not seen to be accepted. Undefined: it is. */
async function unfit(
  tools: StepTools,
  { what, namespace }: Params,
  name: string,
): Promise<Outcome | undefined> {
  if (what === 'service-account') {
    const ref = { resource: resources.serviceAccounts, namespace, name };
    const found = await tools.cluster.get(ref, { metadataOnly: true });
    if (found !== null && found.metadata.deletionTimestamp === undefined) return undefined;
    return notDone(
      `ServiceAccount ${namespace}/${name} is gone or being deleted. No workload was moved to it.`,
    );
  }
  const seen = await acceptedWithin(tools, { namespace, secret: name }, FIT_WITHIN_MS);
  if (seen === undefined)
    return notDone(`Secret ${namespace}/${name} is gone, or holds no token. No workload was moved to it.`);
  if (seen.refused > 0)
    return notDone(
      `${seen.refused} of ${seen.of} API servers refuse the token in Secret ${namespace}/${name}. No workload was moved to it. Where it is quarantined, undo that first.`,
    );
  if (seen.accepted > 0) return undefined;
  return unknown(
    `No API server could be asked whether it accepts the token in Secret ${namespace}/${name}, so no workload was moved to it.`,
  );
}

/** Its next version: a deletion that was sent while nobody used it, and arrives now, is of an older one and does nothing. */
async function reclaim({ cluster, now }: StepTools, { what, namespace, from }: Params): Promise<void> {
  const resource = what === 'secret' ? resources.secrets : resources.serviceAccounts;
  const at = new Date(now()).toISOString();
  try {
    await patchPinned(cluster, { resource, namespace, name: from }, undefined, ({ annotations }) => [
      annotations
        ? { op: 'add', path: `/metadata/annotations/${pointer(RELEASED)}`, value: at }
        : { op: 'add', path: '/metadata/annotations', value: { [RELEASED]: at } },
    ]);
  } catch (error) {
    // One more safeguard, and nothing that a roll-back may fail for.
    if (!isAppError(error, 'forbidden', 'denied', 'does-not-apply', 'invalid', 'conflict')) throw error;
  }
}

/** The same the other way round, once more in waves; also for what was skipped then, which may be half-way. */
async function undo(tools: StepTools, params: Params): Promise<Outcome> {
  const { what, from, to, namespace, workloads, cap, deadlineSeconds } = params;
  const refusal = await unfit(tools, params, from);
  if (refusal) return refusal;
  if (tools.memory.undoing !== true) {
    await reclaim(tools, params);
    await tools.remember({
      undoing: true,
      waves: null,
      touched: [],
      manifests: {},
      blocked: [],
      skipped: [],
    });
  }
  const back = {
    namespace,
    workloads,
    cap,
    deadlineSeconds,
    killedFirst: false,
    old: { rule: what, name: to } as const,
  };
  return await roll(tools, back, { ...changeTo({ what, from: to, to: from }), isBack: true });
}
