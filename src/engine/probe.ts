// One round of questions to every API server of a cluster: do you still accept this token, and would you accept another?
import { isAlteredCopy, isEcdsa } from '../domain/altered-copy.ts';
import type { ProbeAnswer, ProofLevel, ProofRound } from '../domain/evidence.ts';
import type { Incident } from '../domain/incident.ts';
import { judgeRound } from '../domain/judge-proof.ts';
import { done, notDone, type Outcome, unknown } from '../domain/outcome.ts';
import type { Step } from '../domain/plan.ts';
import { killsOf } from '../domain/runs.ts';
import type { TokenIdentity } from '../domain/token-identity.ts';
import { isAppError } from '../errors.ts';
import { type Cluster, type KubernetesObject, resources } from '../ports.ts';
import { Secret } from '../secret.ts';
import type { WorkerDeps } from './deps.ts';
import { heldFor } from './held-token.ts';
import { readLiveness } from './read-liveness.ts';
import { verifyStep } from './run-job.ts';

/** Connections a round opens where a load balancer hides the servers. */
const CONNECTIONS = 5;

export async function probeRound(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: Cluster,
  token: Secret | undefined,
): Promise<ProofRound> {
  const began = new Date(deps.clock.now()).toISOString();
  const held = heldFor(identity, cluster.name, token);
  const known = held
    ? [await asStored(cluster, identity, held)]
    : ((await stillStored(incident, cluster)) ?? (await storedOf(deps, incident, identity, cluster)));
  const answered = known
    ? await askServers(cluster, identity, known)
    : {
        level: 'object-state' as const,
        answers: [],
        outcome: await byObjectState(deps, incident, identity, cluster),
      };
  return { cluster: cluster.name, began, at: new Date(deps.clock.now()).toISOString(), ...answered };
}

/** An ECDSA signature can be altered and still verify; what the Secret holds is what API servers accept. */
async function asStored(
  cluster: Cluster,
  { kind, namespace, boundTo }: TokenIdentity,
  token: Secret,
): Promise<Secret> {
  if (kind !== 'legacy' || boundTo === undefined || !isEcdsa(token.reveal())) return token;
  const ref = { resource: resources.secrets, namespace, name: boundTo.name };
  try {
    const found = await cluster.get<TokenSecret>(ref);
    const stored = Buffer.from(found?.data?.token ?? '', 'base64').toString();
    return isAlteredCopy(token.reveal(), stored) ? new Secret(stored) : token;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return token;
  }
}

type TokenSecret = KubernetesObject & { data?: { token?: string } };

/**
 * Long-lived tokens that nobody handed over are still in their Secrets while those are only switched off: enough to ask
 * with, and kept nowhere. Undefined where anything else was killed too, or one of them cannot be read.
 */
async function stillStored(incident: Incident, cluster: Cluster): Promise<Secret[] | undefined> {
  const steps = killsOf(incident, cluster.name);
  const stored = await Promise.all(steps.map((step) => storedIn(incident, step, cluster)));
  const tokens = stored.flatMap((token) => token ?? []);
  return tokens.length > 0 && tokens.length === steps.length ? tokens : undefined;
}

/** Only in the very object that was seen: one that took its name holds another token. */
async function storedIn(
  { situations }: Incident,
  { reversible, params: { namespace, secret } }: Step,
  cluster: Cluster,
): Promise<Secret | undefined> {
  if (!reversible || typeof namespace !== 'string' || typeof secret !== 'string') return undefined;
  const seen = situations.find((situation) => situation.cluster === cluster.name)?.tokenSecrets ?? [];
  try {
    const ref = { resource: resources.secrets, namespace, name: secret };
    const found = await cluster.get<TokenSecret>(ref);
    if (!seen.some(({ uid }) => uid === found?.metadata.uid) || !found?.data?.token) return undefined;
    return new Secret(Buffer.from(found.data.token, 'base64').toString());
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}

/** Switched off by whomever: its Secret still holds it, where it is the one that leaked or the one that was named. */
export async function storedOf(
  { vault }: Pick<WorkerDeps, 'vault'>,
  { fingerprint, situations }: Incident,
  { kind, namespace, boundTo, authenticity }: TokenIdentity,
  cluster: Cluster,
): Promise<Secret[] | undefined> {
  if (kind !== 'legacy' || boundTo === undefined || authenticity === 'claims') return undefined;
  const ref = { resource: resources.secrets, namespace, name: boundTo.name };
  const found = await cluster.get<TokenSecret>(ref).catch((error: unknown) => {
    if (!isAppError(error)) throw error;
    return null;
  });
  if (!found?.data?.token) return undefined;
  const stored = new Secret(Buffer.from(found.data.token, 'base64').toString());
  const seen = situations.find((situation) => situation.cluster === cluster.name)?.tokenSecrets ?? [];
  const same = KNOWN.includes(authenticity)
    ? vault.fingerprint(stored) === fingerprint
    : seen.some(({ uid }) => uid === found.metadata.uid);
  return same ? [stored] : undefined;
}

/** The incident's fingerprint is that of the very token. */
const KNOWN: readonly TokenIdentity['authenticity'][] = ['signature', 'uid-match', 'hash'];

type Answered = Pick<ProofRound, 'level' | 'answers' | 'outcome'>;

async function askServers(
  cluster: Cluster,
  identity: TokenIdentity,
  tokens: readonly Secret[],
): Promise<Answered> {
  try {
    const { servers, each } = await cluster.servers();
    const control = await cluster.control();
    const level: ProofLevel = each ? 'each-server' : 'load-balancer';
    const addresses = servers.flatMap(({ address }) => Array<string>(each ? 1 : CONNECTIONS).fill(address));
    const answers = await Promise.all(
      tokens.flatMap((token) =>
        addresses.map((address) => askOne(cluster, address, identity, token, control)),
      ),
    );
    return { level, answers, outcome: judgeRound(answers) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { level: 'load-balancer', answers: [], outcome: unknown(error.message) };
  }
}

type Control = Awaited<ReturnType<Cluster['control']>>;

async function askOne(
  cluster: Cluster,
  address: string,
  identity: TokenIdentity,
  token: Secret,
  control: Control,
): Promise<ProbeAnswer> {
  const foreign = !meantForApiServer(identity, control);
  const { answer, seen } = foreign
    ? await cluster.review(address, token, identity.audiences)
    : await cluster.probe(address, token);
  if (control === null) return { server: address, answer, seen, control: 'none' };
  const checked = await cluster.probe(address, control.token);
  return { server: address, answer, seen, control: checked.answer === 'accepted' ? 'accepted' : 'failed' };
}

/**
 * A 401 for a token that was never meant for the API server says nothing about revocation. The control token is accepted
 * there, so at least one of its audiences is the API server's: a token that has all of them has that one. Where nobody
 * knows which those are (a control without audiences, or with others), a TokenReview for the token's own is as good.
 */
function meantForApiServer({ audiences }: TokenIdentity, control: Control): boolean {
  if (audiences.length === 0) return true;
  const known = control?.audiences ?? [];
  return known.length > 0 && known.every((audience) => audiences.includes(audience));
}

/** Without the token, all that can be said is what the objects look like. */
async function byObjectState(
  deps: WorkerDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: Cluster,
): Promise<Outcome> {
  // Whether Pods are Ready again says nothing about the token.
  const steps = killsOf(incident, cluster.name);
  if (steps.length === 0) return await asFound(deps, identity, cluster);
  const outcomes = await Promise.all(
    steps.map(async (step) => ({ step, found: await verifyStep(deps, incident, step, undefined) })),
  );
  const bad = outcomes.find(({ found }) => found.verdict !== 'done');
  if (bad) return { ...bad.found, detail: `${bad.step.title}: ${bad.found.detail}` };
  // A step is done once the deletion was accepted, which is a minute or more before the token dies.
  const { until, reason } = await readLiveness(cluster, identity, deps.clock.now());
  if (until !== undefined) return notDone(reason);
  return done(outcomes.map(({ step, found }) => `${step.title}: ${found.detail}`).join(' '));
}

/** Stopped before anybody here did anything, or by somebody else: what it lives by says so. */
async function asFound({ clock }: WorkerDeps, identity: TokenIdentity, cluster: Cluster): Promise<Outcome> {
  if (identity.kind === 'every-token') return unknown('there is nothing to verify without the token itself');
  const { alive, reason } = await readLiveness(cluster, identity, clock.now());
  if (alive === 'alive') return notDone(reason);
  return alive === 'unknown' ? unknown(reason) : done(reason);
}
