// Deletes the Secret that a token lives in or is bound to; never a Secret that merely took the same name.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { INVALID_SINCE } from '../domain/kubernetes/legacy-token-labels.ts';
import { ownersOf } from '../domain/kubernetes/managed-by.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { done, notDone, type Outcome, unknown } from '../domain/outcome.ts';
import { isKept, ownerName } from '../domain/plan/drift.ts';
import { canQuarantine } from '../domain/plan/planner.ts';
import { pathOf } from '../domain/situation/consumers.ts';
import type { Situation } from '../domain/situation/situation.ts';
import { secretsAtStake } from '../domain/situation/stake.ts';
import { pointer } from '../domain/text/json-pointer.ts';
import { isAppError } from '../errors.ts';
import type { KubernetesObject, ObjectRef } from '../ports/cluster.ts';
import { heldBack } from './deletion/hold.ts';
import { some } from './deletion/users.ts';
import { holdsAltered } from './held/altered.ts';
import { patchPinned } from './writes/pinned.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  secret: z.string(),
  uid: z.string(),
  /** legacy: the token is stored in the Secret; bound: the token names the Secret's UID. */
  holds: z.enum(['legacy', 'bound']),
  /** Only some time after it was switched off and nobody missed it. */
  soak: z.literal(true).exactOptional(),
  /** Workloads that lose it, where that is the price of the kill; absent: nothing may use it any more. */
  usedBy: z.array(z.string()).exactOptional(),
  /** Tools that make it again later, where nothing else switches it off. */
  despite: z.array(z.string()).exactOptional(),
});
type Params = z.infer<typeof paramsSchema>;

const refTo = ({ namespace, secret }: Params): ObjectRef => ({
  resource: resources.secrets,
  namespace,
  name: secret,
});

export const deleteTokenSecret: Action = defineAction<Params>({
  name: 'delete-token-secret',
  phase: 'revoke',
  reversible: false,
  params: paramsSchema,
  permissions: [
    { scope: 'namespace', apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch', 'delete'] },
  ],
  propose,
  describe: ({ namespace, secret, usedBy, despite }, cluster) => ({
    title: `Delete Secret ${namespace}/${secret} on ${cluster}`,
    breaks: `${despite ? `The token in it is gone until ${despite.join(' or ')} makes it again` : 'The token in it is gone for good'}; ${
      usedBy && usedBy.length > 0
        ? `${some(usedBy)} cannot start again without it.`
        : 'it is not done while anything in the namespace uses it.'
    }`,
    kubectl: [`kubectl --context ${cluster} -n ${namespace} delete secret ${secret}`],
  }),
  execute,
  verify,
});

function propose({ identity, situation, approach }: Proposal): Params[] {
  const { kind, namespace, boundTo } = identity;
  const calm = approach === 'new-secret';
  const canSwitchOff = canQuarantine(situation);
  // Where killing comes first, it meets whoever uses it.
  const usedBy = (name: string) => (calm ? {} : { usedBy: usersOf(situation, name) });
  if ((approach !== 'revoke' && !calm) || situation.liveness.alive === 'dead') return [];
  if (kind === 'secret-bound' && situation.boundObject && boundTo?.uid)
    return [{ namespace, secret: boundTo.name, uid: boundTo.uid, holds: 'bound', ...usedBy(boundTo.name) }];
  if (kind !== 'legacy' && !calm) return [];
  const doomed = secretsAtStake(identity, situation).filter((secret) => !isKept(secret, canSwitchOff));
  return doomed.map(({ name, uid, owners = [] }) => ({
    namespace,
    secret: name,
    uid,
    holds: 'legacy',
    ...usedBy(name),
    ...(owners.length > 0 ? { despite: owners.map(({ tool }) => tool) } : {}),
    // What cannot be switched off first is deleted as soon as nobody uses it.
    ...(calm && canSwitchOff ? { soak: true as const } : {}),
  }));
}

/** Bare Pods come and go, and one that runs already needs it no more. */
const usersOf = ({ workloads }: Situation, secret: string): string[] =>
  workloads
    .filter(({ kind, references }) => kind !== 'Pod' && references.secrets.includes(secret))
    .map(pathOf);

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const found = await tools.cluster.get(refTo(params), { metadataOnly: true });
  const isThere = found?.metadata.uid === params.uid && found.metadata.deletionTimestamp === undefined;
  const held = isThere ? await heldBack(tools, params, found) : undefined;
  if (held) return held;
  const pinned = await pinnedVersion(tools, params);
  if (pinned === 'other-token')
    return notDone(
      'The Secret holds another token now: the leaked one is dead, and the healthy one was not touched.',
    );
  const resourceVersion = pinned?.version ?? (isThere && found.metadata.resourceVersion);
  try {
    await tools.cluster.remove(
      refTo(params),
      resourceVersion ? { uid: params.uid, resourceVersion } : { uid: params.uid },
    );
    return done('The Secret is deleted.');
  } catch (error) {
    if (isAppError(error, 'not-found')) return done('The Secret was already gone.');
    if (!isAppError(error, 'conflict')) throw error;
    const seen = await verify(tools, params);
    if (seen.verdict !== 'not-done' || seen.facts?.uid !== undefined) return seen;
    return unknown('The Secret was changed while it was looked at, and is looked at again.');
  }
}

/**
 * The delete is pinned to the version that was read, so that what somebody has done to the Secret since, such as to give its
 * token back, is never undone by it. A Secret keeps its UID when its token is replaced, so with a legacy token in hand that
 * is the version that was seen to hold it. The write that asks is the quarantine label: it does no harm and needs no value
 * to come back.
 */
async function pinnedVersion(
  { cluster, token, today }: StepTools,
  params: Params,
): Promise<{ version: string } | 'other-token' | undefined> {
  if (params.holds !== 'legacy' || token === undefined) return await versionNow(cluster, params);
  try {
    const pinned = await patchPinned(cluster, refTo(params), params.uid, ({ labels }) => [
      { op: 'test', path: '/data/token', value: Buffer.from(token.reveal()).toString('base64') },
      labels
        ? {
            op: 'add',
            path: `/metadata/labels/${pointer(INVALID_SINCE)}`,
            value: labels[INVALID_SINCE] ?? today,
          }
        : { op: 'add', path: '/metadata/labels', value: { [INVALID_SINCE]: today } },
    ]);
    return 'object' in pinned ? versionOf(pinned.object) : undefined;
  } catch (error) {
    if (!isAppError(error, 'does-not-apply')) throw error;
    return (await holdsAltered(cluster, refTo(params), token))
      ? await versionNow(cluster, params)
      : 'other-token';
  }
}

const versionOf = ({ metadata }: KubernetesObject) => ({ version: metadata.resourceVersion });

async function versionNow(cluster: StepTools['cluster'], params: Params) {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  return found?.metadata.uid === params.uid ? versionOf(found) : undefined;
}

async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return done('The Secret is gone.');
  if (found.metadata.uid !== params.uid) return successor(params, found);
  if (found.metadata.deletionTimestamp === undefined) return notDone('The Secret still exists.');
  const finalizers = found.metadata.finalizers?.join(', ') ?? 'none';
  if (params.holds === 'legacy')
    return done(`The Secret is being deleted, which already kills its token (finalizers: ${finalizers}).`);
  return done(
    `The Secret is being deleted; a token bound to it dies 60 s after ${found.metadata.deletionTimestamp} (finalizers: ${finalizers}).`,
  );
}

/** With an RSA key, a token Secret of the same name and ServiceAccount holds the same token, byte for byte: it is alive again. */
function successor({ holds }: Params, { metadata }: KubernetesObject): Outcome {
  const { uid, labels, deletionTimestamp } = metadata;
  const other = 'The Secret is gone; another has taken its name, which was not touched';
  if (holds === 'bound') return done(`${other}.`, { uid });
  if (labels?.[INVALID_SINCE])
    return done(`${other}: it is switched off by its label (${labels[INVALID_SINCE]}).`, { uid });
  if (deletionTimestamp !== undefined) return done(`${other}: it is being deleted.`, { uid });
  const makers = ownersOf(metadata).map(ownerName);
  return notDone(
    `The Secret is gone, but another has taken its name${makers.length > 0 ? `, made by ${makers.join(' and ')}` : ''}, which may hold the leaked token again, without the label that switches it off. It was not touched.`,
    { uid },
  );
}
