// What was last seen of the leaked token, on which cluster, by what and when: nothing else may be said of it. Pure.
import type { Outcome } from '../outcome.ts';
import type { Belief, Sighting } from '../proof/belief.ts';
import type { ProofLevel, ProofRound } from '../proof/evidence.ts';
import type { Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { Incident } from './incident.ts';

/**
 * Which token a sighting is about: another identity inherits nothing. Claims name it; where the token itself gave them,
 * its fingerprint tells two apart that say the same.
 */
export function aboutOf(identity: TokenIdentity, fingerprint: string | undefined): string {
  const { kind, namespace, serviceAccount, boundTo, jti, authenticity } = identity;
  const token = authenticity === 'coordinates' ? undefined : fingerprint;
  // Named by coordinates, a Secret's UID is not read: its name stands for it.
  const bound = boundTo && [boundTo.kind, boundTo.name, kind === 'legacy' ? undefined : boundTo.uid];
  return JSON.stringify([kind, namespace, serviceAccount.name, serviceAccount.uid, bound, jti, token]);
}

/**
 * A clear answer replaces the one before it in the log, whatever that was; silence replaces nothing. `writtenAt`: when the
 * log got it, ISO time. Of two clocks the one that makes it older counts.
 */
export function see(incident: Incident, sighting: Sighting, writtenAt: string): void {
  const at = sighting.at < writtenAt ? sighting.at : writtenAt;
  const seen = { ...credible(incident, sighting), at };
  incident.beliefs[sighting.cluster] = seen.saw === 'unknown' ? missing(incident, seen) : { seen };
}

/** What no key verifies and no Secret holds was never sent to a server, so that nobody has seen it accepted. */
const credible = ({ identity }: Incident, sighting: Sighting): Sighting =>
  identity?.authenticity === 'claims' && sighting.saw === 'accepted'
    ? { ...sighting, saw: 'unknown', voids: true }
    : sighting;

/** What servers refused was the token that its Secret holds, where no key verifies the reported one. */
function missing({ beliefs, identity }: Incident, missed: Sighting): Belief {
  const seen = beliefs[missed.cluster]?.seen;
  const refused = seen?.saw === 'refused' && identity?.authenticity !== 'claims';
  const counts = seen && (!missed.voids || refused);
  return { ...(counts ? { seen } : {}), missed };
}

const SAW: Record<Situation['liveness']['alive'], Sighting['saw']> = {
  alive: 'accepted',
  quarantined: 'labelled',
  dead: 'gone',
  unknown: 'unknown',
};

export const sightingOfLiveness = ({ cluster, liveness, observedAt }: Situation): Sighting => ({
  cluster,
  saw: SAW[liveness.alive],
  by: 'object-state',
  at: observedAt,
  detail: liveness.reason,
  ...(liveness.voids && { voids: true }),
});

export const sightingOfRound = ({ cluster, level, at, outcome, voids }: ProofRound): Sighting => ({
  cluster,
  saw: sawOf(outcome, level),
  by: level,
  at,
  detail: outcome.detail,
  ...(voids && { voids }),
});

function sawOf({ verdict }: Outcome, level: ProofLevel): Sighting['saw'] {
  if (verdict === 'not-done') return 'accepted';
  if (verdict === 'unknown') return 'unknown';
  return level === 'object-state' ? 'gone' : 'refused';
}

type Believing = Pick<Incident, 'identity' | 'beliefs' | 'renamed'>;

const seenOn = ({ beliefs }: Believing, cluster: string): Sighting | undefined => beliefs[cluster]?.seen;

const STOPPED: readonly (Sighting['saw'] | undefined)[] = ['refused', 'labelled', 'gone'];

/** Whether the token was last seen unusable on this cluster. */
export const isStoppedOn = (incident: Believing, cluster: string): boolean =>
  STOPPED.includes(seenOn(incident, cluster)?.saw);

/** A person left it with nothing but a quarantine, which anybody can take off: what is said of it must stay so. */
export const isLeftQuarantined = (incident: Incident): boolean =>
  incident.closed?.as === 'declined' &&
  isStopped(incident) &&
  (incident.identity?.clusters ?? []).some((name) => seenOn(incident, name)?.saw !== 'gone');

/** Some cluster was last seen to accept it. */
export const isLive = (incident: Believing): boolean =>
  (incident.identity?.clusters ?? []).some((name) => seenOn(incident, name)?.saw === 'accepted');

/** Somewhere the last look showed that what the objects say is no evidence, so that nothing can be proven by it. */
export const isVoid = ({ identity, beliefs }: Believing): boolean =>
  (identity?.clusters ?? []).some((name) => beliefs[name]?.missed?.voids);

/** Somewhere it was asked about, and nothing that was ever seen there counts. */
export const isUnclear = ({ identity, beliefs }: Believing): boolean =>
  (identity?.clusters ?? []).some((name) => {
    const { seen, missed } = beliefs[name] ?? {};
    return missed !== undefined && (missed.voids || seen === undefined);
  });

/** Every cluster that is known to have signed it was last seen to refuse it, or to have nothing left that it lives by. */
export const isStopped = (incident: Believing): boolean =>
  incident.identity !== undefined &&
  !incident.renamed &&
  incident.identity.clusters.length > 0 &&
  incident.identity.clusters.every((name) => isStoppedOn(incident, name));

/** Clusters that may accept it too and were never asked, but for those that a person left out by name. */
export const unasked = ({ identity, leftOut }: Pick<Incident, 'identity' | 'leftOut'>): string[] =>
  (identity?.unchecked ?? []).filter((name) => !leftOut.some(({ clusters }) => clusters.includes(name)));

/** The oldest of the last clear sightings: no claim about all clusters is fresher than it. */
export function oldestSighting(incident: Believing): Sighting | undefined {
  const seen = (incident.identity?.clusters ?? []).flatMap((name) => seenOn(incident, name) ?? []);
  return seen.toSorted((a, b) => a.at.localeCompare(b.at))[0];
}

/** Until when looks are owed ever later: 5 minutes, 1 hour, then every 6 hours. Milliseconds. */
export const DEFAULT_LOOKS: readonly number[] = [300_000, 3_600_000, 6 * 3_600_000];

/** Unix milliseconds of the next look at an open incident. */
export function nextLook(incident: Incident, ladder: readonly number[]): number | undefined {
  const { looks, identity } = incident;
  const last = ladder.at(-1);
  if (looks === undefined || identity === undefined || last === undefined) return undefined;
  const rung = looks.count < ladder.length - 1 ? ladder[looks.count] : undefined;
  const since = Date.parse(looks.since);
  if (rung !== undefined) return since + rung;
  return together(identity, Math.max(since, Date.parse(looks.lastAt ?? looks.since)), last);
}

/** Incidents of one ServiceAccount are looked at in the same moments, so that they share what is read. */
function together({ namespace, serviceAccount }: TokenIdentity, after: number, every: number): number {
  let phase = 0;
  for (const char of `${namespace}/${serviceAccount.name}`)
    phase = (phase * 31 + (char.codePointAt(0) ?? 0)) % every;
  return after + every - ((((after - phase) % every) + every) % every);
}

/** How late a look may come before the claim that it was to renew says how old it is. */
const GRACE_MS = 60_000;

/** Looks at a closed incident: 5 minutes, 1 hour and 24 hours after it was closed. Milliseconds. */
export const DEFAULT_RECHECKS: readonly number[] = [300_000, 3_600_000, 86_400_000];

/** What is claimed was seen at `since`, ISO time, and says so where it is later than `from`, Unix milliseconds. */
export interface Claimed {
  since: string;
  from: number;
}

/**
 * `since`: when the last clear sighting was, or the kill where there was none since. `from`: when the look that was to renew
 * it is overdue; 0: it told nothing. Undefined: nothing was seen, or nobody is to look again.
 */
export function claimed(incident: Incident): Claimed | undefined {
  const { proof, identity, beliefs, troubles } = incident;
  const since = oldestSighting(incident)?.at ?? (proof?.outcome ? undefined : proof?.killedAt);
  const next = renewedBy(incident);
  const failing = troubles.investigate ?? troubles.prove ?? troubles.recheck;
  const silent = failing ?? identity?.clusters.some((name) => beliefs[name]?.missed !== undefined);
  if (since === undefined) return undefined;
  if (silent) return { since, from: 0 };
  return next === undefined ? undefined : { since, from: next + GRACE_MS };
}

/** ISO time of the last clear sighting where that is too long ago to be said without it; undefined: it still counts. */
export function staleSince(incident: Incident, now: number): string | undefined {
  const claim = claimed(incident);
  return claim && now > claim.from ? claim.since : undefined;
}

/** Unix milliseconds by which somebody looks again; undefined: nobody is to. */
function renewedBy(incident: Incident): number | undefined {
  const { proof, closed, looks, rechecks, ladder = DEFAULT_LOOKS } = incident;
  if (closed?.as === 'false-alarm' || closed?.as === 'dry-run') return undefined;
  if (proof && !proof.outcome) {
    const [killed, last] = [proof.killedAt, proof.rounds.at(-1)?.at ?? proof.killedAt].map(Date.parse);
    return (last ?? 0) + Math.max(GRACE_MS, ((last ?? 0) - (killed ?? 0)) / 10);
  }
  if (closed === undefined) return nextLook(incident, ladder);
  const after = (incident.closedLadder ?? DEFAULT_RECHECKS)[looks?.count ?? rechecks.length];
  if (after === undefined && isLeftQuarantined(incident)) return nextLook(incident, ladder);
  return looks === undefined || after === undefined ? undefined : Date.parse(looks.since) + after;
}
