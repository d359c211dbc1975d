// When the token is looked at: right after a kill until it is proven, and then again and again, as long as it could come back.
import type { Incident } from '../incident/incident.ts';
import { begunWith, openRun, stepsInEffect } from '../incident/runs.ts';
import { DEFAULT_LOOKS, isLeftQuarantined, nextLook } from '../incident/sightings.ts';
import { isDryRun } from '../plan/goal.ts';
import { kills } from '../plan/plan.ts';
import type { Looks } from '../proof/belief.ts';
import { SUCCESS_CACHE_MS } from '../situation/judge-liveness.ts';
import { EARLY_MS, type Rule } from './timing.ts';

export const ms = (iso: string): number => Date.parse(iso);

export const prove: Rule = ({ proof, closed }, { stability, retryEvery }) => {
  if (!proof || proof.outcome || closed?.as === 'false-alarm') return undefined;
  const last = proof.rounds.at(-1);
  if (last === undefined)
    return { kind: 'prove', occasion: `${ms(proof.killedAt)}-0`, at: ms(proof.killedAt) };
  // A round that came too early by a millisecond would prove nothing, and the next would be as long in coming.
  const least = last.level === 'object-state' ? SUCCESS_CACHE_MS + EARLY_MS : 0;
  const wait =
    last.outcome.verdict === 'done'
      ? Math.max(stability, least)
      : patience(ms(last.at) - ms(proof.killedAt), retryEvery);
  return { kind: 'prove', occasion: `${ms(proof.killedAt)}-${proof.rounds.length}`, at: ms(last.at) + wait };
};

export const HOUR = 3_600_000;

/** A tenth of the time that has passed: quick while a cache may still lapse, rare when only silence comes, and so few events. */
const patience = (passed: number, least: number): number => Math.min(HOUR, Math.max(least, passed / 10));

/** While a token could still work, somebody looks: often at first, then ever more rarely, and never not at all. */
export const recheck: Rule = (incident, { recheckAfter, lookAfter = DEFAULT_LOOKS }) => {
  const { looks, closed } = incident;
  if (looks === undefined || !isWatched(incident)) return undefined;
  const at = closed
    ? lookAtClosed(incident, looks, recheckAfter, lookAfter)
    : Math.min(nextLook(incident, lookAfter) ?? Number.NaN, reportedAgain(incident));
  return at ? { kind: 'recheck', occasion: `${ms(looks.since)}-${looks.count}`, at } : undefined;
};

const WEEK = 7 * 24 * HOUR;

/**
 * At the agreed times; after the last of them for a week while a cluster has not answered, and for as long as nothing but a
 * quarantine stops it.
 */
function lookAtClosed(
  incident: Incident,
  { since, count, lastAt = since }: Looks,
  recheckAfter: readonly number[],
  lookAfter: readonly number[],
): number | undefined {
  const { identity, beliefs } = incident;
  const after = recheckAfter[count];
  if (after !== undefined) return ms(since) + after;
  if (isLeftQuarantined(incident)) return nextLook(incident, lookAfter);
  const silent = identity?.clusters.some((name) => beliefs[name]?.missed !== undefined);
  const next = ms(lastAt) + (lookAfter.at(-1) ?? WEEK);
  return silent && recheckAfter.length > 0 && next < ms(since) + WEEK ? next : undefined;
}

function isWatched(incident: Incident): boolean {
  const { closed, goal, stale, proof, fingerprint } = incident;
  if (goal.do === 'restart' || isDryRun(goal)) return false;
  if (closed) return closed.as !== 'false-alarm' && closed.as !== 'dry-run';
  // An investigation and a proof look for themselves.
  if ((stale && !holdsUp(incident)) || (proof && !proof.outcome)) return false;
  return goal.do === 'revoke' || fingerprint !== undefined || stepsInEffect(incident).some(kills);
}

/** Whoever reports the token again may have seen it work: that is looked at soon, but not at each of a thousand reports. */
function reportedAgain({ alerts, looks, ladder = DEFAULT_LOOKS }: Incident): number {
  const lastLook = ms(looks?.lastAt ?? looks?.since ?? '');
  const last = alerts.findLast(({ alert }) => alert.subject.kind === 'token');
  if (last === undefined || !(ms(last.at) > lastLook)) return Number.POSITIVE_INFINITY;
  return Math.max(ms(last.at), lastLook + (ladder[0] ?? 0));
}

/** A run that waits or takes long holds up no look at what a person has named since it began. */
export const holdsUp = (incident: Incident): boolean => {
  const run = openRun(incident);
  const named = incident.decisions.findLast(({ decision }) => decision.verb === 'identify');
  return run !== undefined && !incident.paused && !(named && named.v > begunWith(run));
};
