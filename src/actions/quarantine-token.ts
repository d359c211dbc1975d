// Quarantines a legacy token: labels its Secret so that API servers refuse it, in one conditional write that can be undone.
import { z } from 'zod';
import {
  type Action,
  defineAction,
  type Proposal,
  type StepTools,
  type StepView,
} from '../contracts/action.ts';
import { INVALID_SINCE, LAST_USED, SERVICE_ACCOUNT_UID } from '../domain/kubernetes/legacy-token-labels.ts';
import { RELEASED } from '../domain/kubernetes/own-annotations.ts';
import { resources } from '../domain/kubernetes/resources.ts';
import { done, notDone, type Outcome, untouched } from '../domain/outcome.ts';
import { canQuarantine, QUARANTINE_SINCE_MINOR } from '../domain/plan/planner.ts';
import { secretsAtStake } from '../domain/situation/stake.ts';
import { pointer } from '../domain/text/json-pointer.ts';
import { isAppError } from '../errors.ts';
import type { JsonPatch, KubernetesObject, ObjectRef } from '../ports/cluster.ts';
import type { Secret } from '../secret.ts';
import { holdsAltered } from './held/altered.ts';
import { acceptedBy, acceptedWithin } from './succession/acceptance.ts';
import { recreated } from './succession/recreation.ts';
import { patchPinned } from './writes/pinned.ts';

const paramsSchema = z.strictObject({
  namespace: z.string(),
  secret: z.string(),
  /** Absent where the token itself is in hand: its value is then the condition. */
  uid: z.string().optional(),
  /** After the workloads have something new, instead of at once. */
  calm: z.literal(true).exactOptional(),
  /** UID of the ServiceAccount, where it is re-created next: under another, a Secret of this name holds another token. */
  account: z.string().exactOptional(),
});
type Params = z.infer<typeof paramsSchema>;

const LABEL = `/metadata/labels/${pointer(INVALID_SINCE)}`;
const MARK = `/metadata/annotations/${pointer(RELEASED)}`;
const refTo = ({ namespace, secret }: Params): ObjectRef => ({
  resource: resources.secrets,
  namespace,
  name: secret,
});

export const quarantineToken: Action = defineAction<Params>({
  name: 'quarantine-token',
  phase: ({ calm }) => (calm ? 'revoke' : 'contain'),
  reversible: true,
  params: paramsSchema,
  permissions: [{ scope: 'namespace', apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch'] }],
  propose,
  describe: ({ namespace, secret }, cluster) => ({
    title: `Quarantine Secret ${namespace}/${secret} on ${cluster}`,
    breaks: 'Whoever uses this token, thief or workload, gets 401 until it is undone.',
    kubectl: [
      `kubectl --context ${cluster} -n ${namespace} label secret ${secret} ${INVALID_SINCE}=$(date +%F) --overwrite`,
    ],
    back: `Lift the quarantine of Secret ${namespace}/${secret} on ${cluster}`,
  }),
  execute,
  verify,
  undo,
});

function propose(proposal: Proposal): Params[] {
  const { identity, situation, approach } = proposal;
  const account = recreated(proposal)?.uid;
  const calm = approach === 'new-secret';
  if (approach !== 'revoke' && approach !== 'recreate' && !calm) return [];
  if (!canQuarantine(situation) || situation.liveness.alive === 'dead') return [];
  return secretsAtStake(identity, situation)
    .filter(({ invalidSince }) => !invalidSince)
    .map(({ name, uid }) => ({
      namespace: identity.namespace,
      secret: name,
      uid,
      ...(calm ? { calm: true as const } : {}),
      ...(account === undefined ? {} : { account }),
    }));
}

/**
 * The kill. With the token in hand it needs no read before it: a Secret that holds another value is never touched, nor one
 * of which somebody has taken a quarantine back, since this may be sent long after it was meant.
 */
async function execute(tools: StepTools, params: Params): Promise<Outcome> {
  const outcome = await label(tools, params, tools.token);
  if (outcome.verdict === 'done' || tools.token === undefined || params.uid === undefined) return outcome;
  // What was reported may verify and not be what is stored: then it is the Secret that was approved which counts.
  const altered = await holdsAltered(tools.cluster, refTo(params), tools.token);
  return altered ? await label(tools, params, undefined) : outcome;
}

async function label(tools: StepTools, params: Params, token: Secret | undefined): Promise<Outcome> {
  const patched = token === undefined ? undefined : await blind(tools, params, token);
  if (patched === null) return notDone(WITHOUT_IT);
  return patched ? await judge(tools, patched) : await attended(tools, params, token);
}

const WITHOUT_IT =
  'The Secret does not hold the leaked token (any more), or it is gone. Nothing was touched.';

const valueIs = (token: Secret) => ({
  op: 'test' as const,
  path: '/data/token',
  value: Buffer.from(token.reveal()).toString('base64'),
});

/** Of the very Secret that is meant; an automatic step knows it once it was done. */
const uidOf = ({ facts }: StepView, { uid }: Params): string | undefined =>
  uid ?? (typeof facts?.uid === 'string' ? facts.uid : undefined);

/**
 * Adding a key needs the map to exist and adding the map must not wipe one: two shapes, the likelier first. Undefined:
 * neither fits; null: it is gone.
 */
async function blind(
  tools: StepTools,
  params: Params,
  token: Secret,
): Promise<KubernetesObject | null | undefined> {
  const { cluster, today } = tools;
  const uid = uidOf(tools, params);
  const conditions: JsonPatch = [
    valueIs(token),
    ...(uid === undefined ? [] : [{ op: 'test' as const, path: '/metadata/uid', value: uid }]),
    // A token Secret has annotations: one names its ServiceAccount.
    { op: 'test', path: MARK, value: null },
  ];
  const key: JsonPatch = [...conditions, { op: 'add', path: LABEL, value: today }];
  const map: JsonPatch = [
    ...conditions,
    { op: 'test', path: '/metadata/labels', value: null },
    { op: 'add', path: '/metadata/labels', value: { [INVALID_SINCE]: today } },
  ];
  for (const patch of [key, map]) {
    try {
      return await cluster.patch(refTo(params), patch);
    } catch (error) {
      if (isAppError(error, 'not-found')) return null;
      if (!isAppError(error, 'does-not-apply')) throw error;
    }
  }
  return undefined;
}

/** Reads first, and writes to exactly what was read. */
async function attended(tools: StepTools, params: Params, token: Secret | undefined): Promise<Outcome> {
  const { cluster, today } = tools;
  const condition = token ? [valueIs(token)] : [];
  try {
    const found = await patchPinned(cluster, refTo(params), uidOf(tools, params), ({ labels }) => [
      ...condition,
      labels
        ? { op: 'add', path: LABEL, value: today }
        : { op: 'add', path: '/metadata/labels', value: { [INVALID_SINCE]: today } },
    ]);
    if (found.is === 'gone')
      return token
        ? notDone(WITHOUT_IT)
        : done('The Secret does not exist (any more), so its token is dead.');
    if (found.is === 'taken')
      return notDone('Another Secret has taken this name since the plan was made. Nothing was touched.');
    return await judge(tools, found.object);
  } catch (error) {
    if (token && isAppError(error, 'does-not-apply')) return notDone(WITHOUT_IT);
    throw error;
  }
}

async function judge({ cluster }: StepTools, patched: KubernetesObject): Promise<Outcome> {
  const { uid, labels } = patched.metadata;
  const facts = { uid, lastUsed: labels?.[LAST_USED] ?? 'never recorded' };
  const { servers } = await cluster.servers();
  const old = servers.filter(({ minor }) => minor !== null && minor < QUARANTINE_SINCE_MINOR);
  if (old.length > 0)
    return notDone(
      `The label is set, but API servers before 1.29 ignore it: ${old.map((s) => s.address).join(', ')}. Delete the Secret instead.`,
      facts,
    );
  return done(
    'The Secret is labelled: API servers refuse its token from now on, at the latest after 10 s.',
    facts,
  );
}

async function verify(look: StepView, params: Params): Promise<Outcome> {
  const uid = uidOf(look, params);
  // A crash came between the kill and its note: only the value says whether this is the Secret that was meant.
  const byValue = uid === undefined && look.token !== undefined;
  const found = await look.cluster.get<TokenSecret>(refTo(params), { metadataOnly: !byValue });
  if (found === null) return done('The Secret is gone.');
  if (byValue && look.token && found.data?.token !== valueIs(look.token).value) return notDone(WITHOUT_IT);
  const differs = uid !== undefined && found.metadata.uid !== uid;
  if (differs && isOfAnother(found, params))
    return done('The Secret is gone; the one of its name holds a token of the re-created ServiceAccount.');
  if (differs) return notDone('Another Secret has taken this name.', { uid: found.metadata.uid });
  const label = found.metadata.labels?.[INVALID_SINCE];
  return label
    ? done(`The label is set (${label}).`, { uid: found.metadata.uid })
    : notDone('The label is not set.');
}

interface TokenSecret extends KubernetesObject {
  data?: { token?: string };
}

/** The controller writes the UID whose token it put in; a value that was put back by hand has the old one or none. */
function isOfAnother({ metadata: { annotations } }: KubernetesObject, { account }: Params): boolean {
  const uid = annotations?.[SERVICE_ACCOUNT_UID];
  return account !== undefined && uid !== undefined && uid !== account;
}

async function undo(tools: StepTools, params: Params): Promise<Outcome> {
  const { cluster } = tools;
  const at = new Date(tools.now()).toISOString();
  const uid = uidOf(tools, params) ?? (await uidByValue(tools, params));
  if (uid === undefined) return untouched(unknownWhich(cluster.name, params));
  const found = await patchPinned(cluster, refTo(params), uid, ({ labels, annotations }) => {
    if (labels?.[INVALID_SINCE] === undefined) return undefined;
    const mark: JsonPatch[number] = annotations
      ? { op: 'add', path: MARK, value: at }
      : { op: 'add', path: '/metadata/annotations', value: { [RELEASED]: at } };
    return [{ op: 'remove', path: LABEL }, mark];
  });
  if (found.is === 'gone') return untouched('The Secret is gone, so there is nothing to restore.');
  if (found.is === 'taken') return untouched('Another Secret has taken this name. Nothing was touched.');
  const how = found.is === 'same' ? 'The label was already gone' : 'The label is removed';
  return done(`${how}: ${await asSeen(tools, params)}`, { uid });
}

const unknownWhich = (cluster: string, { namespace, secret }: Params): string =>
  `It is not known any more which Secret was quarantined, so none was touched. Look at the one of this name, and where it is the one that was meant: kubectl --context ${cluster} -n ${namespace} label secret ${secret} ${INVALID_SINCE}-`;

/** Of an automatic step that ended in a crash, whose answer is not in the log. */
async function uidByValue({ cluster, token }: StepTools, params: Params): Promise<string | undefined> {
  const found = token && (await cluster.get<TokenSecret>(refTo(params)));
  return found && token && found.data?.token === valueIs(token).value ? found.metadata.uid : undefined;
}

/** A moment, which each server needs to see the change. */
const SEEN_WITHIN_MS = 5000;

async function asSeen(tools: StepTools, params: Params): Promise<string> {
  const seen = await acceptedWithin(tools, params, SEEN_WITHIN_MS);
  if (seen === undefined || seen.accepted + seen.refused === 0)
    return 'whether API servers accept the token again could not be seen.';
  if (seen.refused === 0) return `the token is accepted again by ${acceptedBy(seen)}.`;
  return `but ${seen.refused} of ${seen.of} API servers refuse the token, so something else stops it too.`;
}
