// Deletes the Pod that a leaked token is bound to; its controller starts a fresh one with a fresh token.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import { isAppError } from '../errors.ts';
import type { ObjectRef } from '../ports/cluster.ts';

/** Seconds. Short, because the token lives until the Pod object goes, at most 60 s after its grace period. */
const GRACE = 1;
/** Seconds after the grace period: 60 of leeway for what is being deleted, 10 of an API server's cache (seen: 70.8 with grace 5 and in use). */
const LATEST = 70;

const paramsSchema = z.strictObject({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  gracePeriodSeconds: z.int().min(0),
});
type Params = z.infer<typeof paramsSchema>;

const refTo = ({ namespace, pod }: Params): ObjectRef => ({ resource: resources.pods, namespace, name: pod });

export const deleteBoundPod: Action = defineAction<Params>({
  name: 'delete-bound-pod',
  phase: 'revoke',
  reversible: false,
  params: paramsSchema,
  permissions: [{ scope: 'namespace', apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] }],
  propose,
  describe: ({ namespace, pod, gracePeriodSeconds }, cluster) => ({
    title: `Delete Pod ${namespace}/${pod} on ${cluster}`,
    breaks: `This Pod stops within ${gracePeriodSeconds} s; a controller that owns it starts another. The token is dead at the latest ${gracePeriodSeconds + LATEST} s after the request.`,
    kubectl: [
      `kubectl --context ${cluster} -n ${namespace} delete pod ${pod} --grace-period=${gracePeriodSeconds}`,
    ],
  }),
  execute,
  verify,
});

function propose({ identity, situation, approach }: Proposal): Params[] {
  if (approach !== 'revoke' && approach !== 'replace-pod') return [];
  const { kind, namespace, boundTo } = identity;
  if (kind !== 'pod-bound' || !boundTo?.uid || situation.liveness.alive === 'dead') return [];
  if (situation.boundObject?.uid !== boundTo.uid) return [];
  return [{ namespace, pod: boundTo.name, uid: boundTo.uid, gracePeriodSeconds: GRACE }];
}

async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const { uid, gracePeriodSeconds } = params;
  try {
    await tools.cluster.remove(refTo(params), { uid, gracePeriodSeconds });
    return await verify(tools, params);
  } catch (error) {
    if (isAppError(error, 'not-found')) return done('The Pod was already gone.');
    if (isAppError(error, 'conflict')) return await verify(tools, params);
    throw error;
  }
}

async function verify({ cluster }: StepView, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return done('The Pod is gone.');
  if (found.metadata.uid !== params.uid) return done('The Pod is gone; its successor was not touched.');
  const { deletionTimestamp } = found.metadata;
  if (deletionTimestamp === undefined) return notDone('The Pod still exists.');
  const latest = new Date(Date.parse(deletionTimestamp) + LATEST * 1000).toISOString();
  return done(`The Pod is being deleted: its token is dead when it is gone, at the latest at ${latest}.`, {
    latest,
  });
}
