// Quarantines a legacy token: labels its Secret so that API servers refuse it, in one conditional write that can be undone.
import { z } from 'zod';
import { type Action, type Bench, defineAction, type Look, type Proposal } from '../contracts.ts';
import { INVALID_SINCE, LAST_USED, pointer, SERVICE_ACCOUNT_UID } from '../domain/labels.ts';
import { done, notDone, type Outcome } from '../domain/outcome.ts';
import { canQuarantine, QUARANTINE_SINCE_MINOR } from '../domain/planner.ts';
import { secretsAtStake } from '../domain/stake.ts';
import { isAppError } from '../errors.ts';
import { type JsonPatch, type KubernetesObject, type ObjectRef, resources } from '../ports.ts';
import type { Secret } from '../secret.ts';
import { holdsAltered } from './held/altered.ts';
import { recreated } from './succession/recreation.ts';

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

/** The kill. With the token in hand it needs no read before it: a Secret that holds another value is never touched. */
async function execute(bench: Bench, params: Params): Promise<Outcome> {
  const outcome = await label(bench, params, bench.token);
  if (outcome.verdict === 'done' || bench.token === undefined || params.uid === undefined) return outcome;
  // What was reported may verify and not be what is stored: then it is the Secret that was approved which counts.
  const altered = await holdsAltered(bench.cluster, refTo(params), bench.token);
  return altered ? await label(bench, params, undefined) : outcome;
}

async function label(bench: Bench, params: Params, token: Secret | undefined): Promise<Outcome> {
  const before = token ? null : await bench.cluster.get(refTo(params), { metadataOnly: true });
  if (!token && before === null) return done('The Secret does not exist (any more), so its token is dead.');
  const conditions = token ? valueIs(token) : sameVersion(before, params.uid);
  if (conditions === null)
    return notDone('Another Secret has taken this name since the plan was made. Nothing was touched.');
  const patched = await patchLabel(
    bench,
    params,
    conditions,
    before?.metadata.labels === undefined && before !== null,
  );
  if (patched === null)
    return notDone(
      'The Secret does not hold the leaked token (any more), or it is gone. Nothing was touched.',
    );
  return await judge(bench, patched);
}

const valueIs = (token: Secret): JsonPatch => [
  { op: 'test', path: '/data/token', value: Buffer.from(token.reveal()).toString('base64') },
];

function sameVersion(before: KubernetesObject | null, uid: string | undefined): JsonPatch | null {
  if (before === null || (uid !== undefined && before.metadata.uid !== uid)) return null;
  return [
    { op: 'test', path: '/metadata/uid', value: before.metadata.uid },
    { op: 'test', path: '/metadata/resourceVersion', value: before.metadata.resourceVersion },
  ];
}

/** Adding a key needs the map to exist and adding the map must not wipe one: two shapes, the likelier first. */
async function patchLabel(
  { cluster, today }: Bench,
  params: Params,
  conditions: JsonPatch,
  withoutLabels: boolean,
): Promise<KubernetesObject | null> {
  const key: JsonPatch = [...conditions, { op: 'add', path: LABEL, value: today }];
  const map: JsonPatch = [
    ...conditions,
    { op: 'test', path: '/metadata/labels', value: null },
    { op: 'add', path: '/metadata/labels', value: { [INVALID_SINCE]: today } },
  ];
  for (const patch of withoutLabels ? [map, key] : [key, map]) {
    try {
      return await cluster.patch(refTo(params), patch);
    } catch (error) {
      if (isAppError(error, 'not-found')) return null;
      if (!isAppError(error, 'invalid')) throw error;
    }
  }
  return null;
}

async function judge({ cluster }: Bench, patched: KubernetesObject): Promise<Outcome> {
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

async function verify({ cluster }: Look, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return done('The Secret is gone.');
  if (params.uid !== undefined && found.metadata.uid !== params.uid && isOfAnother(found, params))
    return done('The Secret is gone; the one of its name holds a token of the re-created ServiceAccount.');
  if (params.uid !== undefined && found.metadata.uid !== params.uid)
    return notDone('Another Secret has taken this name.', { uid: found.metadata.uid });
  const label = found.metadata.labels?.[INVALID_SINCE];
  return label ? done(`The label is set (${label}).`) : notDone('The label is not set.');
}

/** The controller writes the UID whose token it put in; a value that was put back by hand has the old one or none. */
function isOfAnother({ metadata: { annotations } }: KubernetesObject, { account }: Params): boolean {
  const uid = annotations?.[SERVICE_ACCOUNT_UID];
  return account !== undefined && uid !== undefined && uid !== account;
}

async function undo({ cluster }: Bench, params: Params): Promise<Outcome> {
  const found = await cluster.get(refTo(params), { metadataOnly: true });
  if (found === null) return notDone('The Secret is gone, so there is nothing to restore.');
  if (params.uid !== undefined && found.metadata.uid !== params.uid)
    return notDone('Another Secret has taken this name. Nothing was touched.');
  const label = found.metadata.labels?.[INVALID_SINCE];
  if (!label) return done('The label was already gone: the token is accepted.');
  await cluster.patch(refTo(params), [
    { op: 'test', path: '/metadata/uid', value: found.metadata.uid },
    { op: 'remove', path: LABEL },
  ]);
  return done('The label is removed: the token is accepted again.');
}
