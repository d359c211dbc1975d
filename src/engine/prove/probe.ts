// One round of questions to every API server of a cluster: do you still accept this token, and would you accept another?
import type { Incident } from '../../domain/incident/incident.ts';
import { killsOf } from '../../domain/incident/runs.ts';
import { done, notDone, type Outcome, unknown } from '../../domain/outcome.ts';
import type { ProbeAnswer, ProofLevel, ProofRound } from '../../domain/proof/evidence.ts';
import { judgeRound } from '../../domain/proof/judge-proof.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import { verifyStep } from '../act/run-job.ts';
import type { LookDeps } from '../ground/deps.ts';
import { readLiveness } from '../look/read-liveness.ts';
import { tokensToAsk, UNVERIFIED } from '../look/stored-value.ts';

/** Connections a round opens where a load balancer hides the servers. */
const CONNECTIONS = 5;

export async function probeRound(
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
  token: Secret | undefined,
): Promise<ProofRound> {
  const began = new Date(deps.clock.now()).toISOString();
  const answered = await answers(deps, incident, identity, cluster, token);
  const at = new Date(deps.clock.now()).toISOString();
  return await doubted(identity, cluster, { cluster: cluster.name, began, at, ...answered });
}

/** Of all tokens of a ServiceAccount, one whose Secret nothing stops is none of those that are asked about. */
async function openSecret(
  { clock }: LookDeps,
  identity: TokenIdentity,
  cluster: ClusterView,
): Promise<string | undefined> {
  if (identity.kind !== 'every-token') return undefined;
  const { open, reason } = await readLiveness(cluster, identity, clock.now());
  return open && reason;
}

type Answered = Pick<ProofRound, 'level' | 'answers' | 'outcome'>;

const byObjects = (outcome: Outcome): Answered => ({ level: 'object-state', answers: [], outcome });

async function answers(
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
  token: Secret | undefined,
): Promise<Answered> {
  const open = await openSecret(deps, identity, cluster);
  if (open) return byObjects(notDone(open));
  const known = await tokensToAsk(deps, incident, identity, cluster, token);
  if (known) return await askServers(cluster, identity, known);
  return byObjects(await byObjectState(deps, incident, identity, cluster));
}

/** For people; follows what the objects show. */
export const HIDDEN =
  'the cluster no longer shows the key that signed this token, and without the token nobody can ask whether it is accepted';

/** Of a token that is nowhere to be had, its cluster no longer shows the key: servers may refuse it whatever is there. */
export const keyIsHidden = async ({ keyId }: TokenIdentity, cluster: ClusterView): Promise<boolean> =>
  keyId !== undefined && (await cluster.shows(keyId)) === 'hidden';

/**
 * That objects are there says only of a token that a shown key signed that it works; and what the Secret holds that a token
 * names is another one, where no key verifies that token.
 */
async function doubted(
  identity: TokenIdentity,
  cluster: ClusterView,
  round: ProofRound,
): Promise<ProofRound> {
  const { outcome, level } = round;
  if (outcome.verdict !== 'not-done') return round;
  const doubt = (why: string): ProofRound => ({
    ...round,
    outcome: unknown(`${outcome.detail}, but ${why}`),
    voids: true,
  });
  if (identity.authenticity === 'claims') return doubt(UNVERIFIED);
  return level === 'object-state' && (await keyIsHidden(identity, cluster)) ? doubt(HIDDEN) : round;
}

async function askServers(
  cluster: ClusterView,
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

type Control = Awaited<ReturnType<ClusterView['control']>>;

async function askOne(
  cluster: ClusterView,
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
  deps: LookDeps,
  incident: Incident,
  identity: TokenIdentity,
  cluster: ClusterView,
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
async function asFound({ clock }: LookDeps, identity: TokenIdentity, cluster: ClusterView): Promise<Outcome> {
  if (identity.kind === 'every-token') return unknown('there is nothing to verify without the token itself');
  const { alive, reason } = await readLiveness(cluster, identity, clock.now());
  if (alive === 'alive') return notDone(reason);
  return alive === 'unknown' ? unknown(reason) : done(reason);
}
