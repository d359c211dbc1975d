// The one line that says how an incident stands, and how bad that is.
import type { Incident } from '../../domain/incident/incident.ts';
import {
  hasQuarantine,
  isContained,
  openRun,
  pendingSteps,
  takesBack,
  unplanned,
} from '../../domain/incident/runs.ts';
import { isLive, isStopped, isUnclear, staleSince, unasked } from '../../domain/incident/sightings.ts';
import { kills, rolls } from '../../domain/plan/plan.ts';
import { acceptedOffline } from '../../domain/token/offline.ts';
import { plain } from '../pieces/plain.ts';
import { span } from '../pieces/span.ts';
import { isFullProof, proofWords } from './proof.ts';

/** The worst first. */
export const LEVELS = ['live', 'open', 'good', 'over'] as const;
export type Level = (typeof LEVELS)[number];

export interface Standing {
  level: Level;
  title: string;
}

const it = (level: Level, title: string): Standing => ({ level, title });
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Plain text in one line: how it stands, and whose token it is. */
export function headline(incident: Incident, now: number): Standing {
  const { level, title } = standing(incident, now);
  return it(level, `${title}${rolling(incident)}${who(incident)}`);
}

/** Whatever it says was seen then, and nobody has been able to look since. */
function aged(incident: Incident, now: number): string {
  const since = incident.unidentified ? undefined : staleSince(incident, now);
  return since === undefined ? '' : `, last seen ${span(now - Date.parse(since))} ago`;
}

/** The token may be proven dead while Pods are still replaced. */
function rolling(incident: Incident): string {
  const step = openRun(incident)?.steps.find(({ outcome }) => outcome === undefined)?.step;
  return step && rolls(step) ? ', Pods are being replaced' : '';
}

export function who({ identity }: Pick<Incident, 'identity'>): string {
  if (!identity) return '';
  const { namespace, serviceAccount, clusters } = identity;
  return ` · ${plain(`${namespace}/${serviceAccount.name}`, 60)} on ${plain(clusters.join(', '), 40)}`;
}

export function standing(incident: Incident, now: number): Standing {
  const { level, title } = standingOf(incident, now);
  if (level === 'live' || incident.goal.do === 'restart') return it(level, `${title}${aged(incident, now)}`);
  // Green is for what was seen lately, of every cluster that may accept it.
  const doubtful = staleSince(incident, now) !== undefined || unasked(incident).length > 0;
  const doubts = `${without(incident, level)}${aged(incident, now)}`;
  return it(level === 'good' && doubtful ? 'open' : level, `${shortened(title, doubts)}${doubts}`);
}

/** What is cut off for want of room must not be what keeps the words from being a promise. */
const shortened = (title: string, doubts: string): string =>
  doubts === '' ? title : plain(title, Math.max(40, 112 - doubts.length));

/** Clusters that may accept it and of which nothing is said here. */
function without(incident: Incident, level: Level): string {
  const missing = unasked(incident);
  if (missing.length > 0) return `; ${missing.join(', ')} not asked`;
  const { unchecked = [] } = incident.identity ?? {};
  return unchecked.length > 0 && level === 'good' ? `; ${unchecked.join(', ')} left out, not asked` : '';
}

function standingOf(incident: Incident, now: number): Standing {
  return (
    ended(incident) ??
    restarting(incident) ??
    proven(incident, now) ??
    rotating(incident) ??
    underWay(incident) ??
    seen(incident)
  );
}

function ended(incident: Incident): Standing | undefined {
  const { closed, liveAgain } = incident;
  if (closed?.as === 'false-alarm')
    return hasQuarantine(incident)
      ? it('open', 'False alarm, its quarantine was not undone')
      : it('over', 'False alarm');
  if (closed?.as === 'dry-run') return it('over', 'Dry run: nothing was changed');
  if (closed?.as === 'expired') return it('over', 'Expired: accepted nowhere any more');
  if (closed?.as === 'declined') {
    if (isContained(incident)) return it('open', 'Declined, the quarantine stays');
    return isLive(incident) ? it('live', 'Declined: LEAK STILL LIVE') : it('over', 'Declined');
  }
  if (incident.unidentified) return it('live', 'Leak reported: a person must say which token');
  return liveAgain ? it('live', 'LEAK LIVE AGAIN') : undefined;
}

/** A restart revokes nothing, so nothing is said of a leak. */
function restarting(incident: Incident): Standing | undefined {
  const { goal, closed, runs, plan } = incident;
  if (goal.do !== 'restart' || incident.unidentified) return undefined;
  if (closed) return it('good', 'Restarted');
  if (openRun(incident)) return it('open', 'Restarting');
  if (runs.at(-1)?.stopped) return it('open', 'Restart stopped, a person is needed');
  if (plan?.steps.length === 0) return it('open', 'Nothing uses it that could be restarted');
  return it('open', plan ? 'Restart planned' : 'Restart asked for');
}

/** Nobody said that anything leaked, so nothing is live but what shall be. */
function rotating(incident: Incident): Standing | undefined {
  const { goal, fingerprint, runs, plan } = incident;
  if (goal.do !== 'rotate' || fingerprint !== undefined || incident.unidentified) return undefined;
  const run = openRun(incident);
  if (run) return takesBack(run) ? undefined : it('open', 'Rotating');
  if (runs.at(-1)?.stopped) return it('open', 'Rotation stopped, a person is needed');
  return it('open', plan ? 'Rotation planned' : 'Rotation asked for');
}

function proven(incident: Incident, now: number): Standing | undefined {
  const { proof, runs } = incident;
  if (!proof || (proof.outcome && isLive(incident))) return undefined;
  const words = proofWords(proof.rounds);
  if (proof.outcome?.verdict === 'not-done') return it('live', 'LEAK LIVE: the kill did not work');
  if (proof.outcome?.verdict === 'unknown') return it('open', 'Not proven dead');
  if (proof.outcome === undefined) {
    if (isLive(incident)) return it('live', 'Not refused yet, proof under way');
    if (isUnclear(incident)) return it('open', 'Not known whether the token still works');
    if (isContained(incident)) return it('open', 'Contained, proof under way');
    if (runs.length > 0) return it('open', 'Killed, proof under way');
    return it('open', `${isDead(incident) ? 'Found dead' : 'Already quarantined'}, proof under way`);
  }
  // Something that may accept it was never looked at, or only before it changed.
  if (!isStopped(incident)) return it('open', 'Not known whether the token still works');
  if (acceptedOffline(incident, now)) return it('open', `Still accepted offline, ${words}`);
  const more = pendingSteps(incident).length + unplanned(incident).length;
  if (more > 0 && isContained(incident)) return it('open', `Contained: ${words}`);
  if (isOnlyLabelled(incident)) return it('open', `Already quarantined: ${words}`);
  if (!isFullProof(proof.rounds) || unasked(incident).length > 0) return it('good', capital(words));
  return it('good', `${runs.length === 0 ? 'Already dead' : 'Revoked'}: ${words}`);
}

/** By somebody else, who can take it off again as they please. */
const isOnlyLabelled = (incident: Incident): boolean =>
  pendingSteps(incident).some(kills) &&
  incident.situations.some(({ liveness }) => liveness.alive === 'quarantined');

function underWay(incident: Incident): Standing | undefined {
  const run = openRun(incident);
  if (run && incident.paused) {
    if (isContained(incident)) return it('open', 'Contained, paused before the next step');
    return isLive(incident) ? it('live', 'LEAK LIVE, paused') : it('open', 'Paused before the next step');
  }
  if (run?.kind === 'contain') return it('live', 'Quarantining now');
  if (run && takesBack(run)) {
    const only = run.kind === 'undo' && run.steps.every(({ step }) => step.phase === 'contain');
    const words = only ? 'undoing the quarantine' : 'rolling back';
    return isLive(incident) ? it('live', `LEAK LIVE, ${words}`) : it('open', capital(words));
  }
  if (isContained(incident)) return it('open', run ? 'Contained, running the plan' : 'Contained');
  return run ? it('live', 'Running the plan') : undefined;
}

function seen(incident: Incident): Standing {
  if (isLive(incident)) return it('live', 'LEAK LIVE');
  if (isDead(incident)) return it('open', 'Found dead');
  if (isStopped(incident)) return it('open', 'Already quarantined');
  if (incident.situations.length > 0) return it('live', 'Leak reported: not known whether the token works');
  return it('open', 'Leak reported, being looked into');
}

/** What it lives by is gone on each cluster, before anybody here did anything. */
const isDead = ({ identity, beliefs, renamed }: Incident): boolean =>
  identity !== undefined &&
  !renamed &&
  identity.kind !== 'every-token' &&
  identity.clusters.length > 0 &&
  identity.clusters.every((name) => beliefs[name]?.seen?.saw === 'gone');
