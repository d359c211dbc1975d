// The one line that says how it stands, with the only status mark of a card.
import type { Incident } from '../../domain/incident.ts';
import { acceptedOffline } from '../../domain/offline.ts';
import { kills, rolls } from '../../domain/plan.ts';
import { hasQuarantine, isContained, openRun, pendingSteps, takesBack } from '../../domain/runs.ts';
import { isLive, isStopped, staleSince, unasked } from '../../domain/sightings.ts';
import { plain, span } from './mrkdwn.ts';
import { isFullProof, proofWords } from './proof-text.ts';

const LIVE = '🔴';
const OPEN = '🟠';
const GOOD = '🟢';
const OVER = '⚪';

/** The worst first. */
export const MARKS: readonly string[] = [LIVE, OPEN, GOOD, OVER];

export interface Standing {
  mark: string;
  title: string;
}

const it = (mark: string, title: string): Standing => ({ mark, title });
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** At most 150 characters of plain text. */
export function headline(incident: Incident, now: number): string {
  const { mark, title } = standing(incident, now);
  return plain(`${mark} ${title}${rolling(incident)}${who(incident)}`, 150);
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
  const { mark, title } = standingOf(incident, now);
  if (mark === LIVE || incident.goal.do === 'restart') return it(mark, `${title}${aged(incident, now)}`);
  // Green is for what was seen lately, of every cluster that may accept it.
  const doubtful = staleSince(incident, now) !== undefined || unasked(incident).length > 0;
  const whole = `${title}${without(incident, mark)}${aged(incident, now)}`;
  return it(mark === GOOD && doubtful ? OPEN : mark, whole);
}

/** Clusters that may accept it and of which nothing is said here. */
function without(incident: Incident, mark: string): string {
  const missing = unasked(incident);
  if (missing.length > 0) return `; ${missing.join(', ')} not asked`;
  const { unchecked = [] } = incident.identity ?? {};
  return unchecked.length > 0 && mark === GOOD ? `; ${unchecked.join(', ')} left out, not asked` : '';
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
      ? it(OPEN, 'False alarm, its quarantine was not undone')
      : it(OVER, 'False alarm');
  if (closed?.as === 'dry-run') return it(OVER, 'Dry run: nothing was changed');
  if (closed?.as === 'expired') return it(OVER, 'Expired: accepted nowhere any more');
  if (closed?.as === 'declined') {
    if (isContained(incident)) return it(OPEN, 'Declined, the quarantine stays');
    return isLive(incident) ? it(LIVE, 'Declined: LEAK STILL LIVE') : it(OVER, 'Declined');
  }
  if (incident.unidentified) return it(LIVE, 'Leak reported: a person must say which token');
  return liveAgain ? it(LIVE, 'LEAK LIVE AGAIN') : undefined;
}

/** A restart revokes nothing, so nothing is said of a leak. */
function restarting(incident: Incident): Standing | undefined {
  const { goal, closed, runs, plan } = incident;
  if (goal.do !== 'restart' || incident.unidentified) return undefined;
  if (closed) return it(GOOD, 'Restarted');
  if (openRun(incident)) return it(OPEN, 'Restarting');
  if (runs.at(-1)?.stopped) return it(OPEN, 'Restart stopped, a person is needed');
  if (plan?.steps.length === 0) return it(OPEN, 'Nothing uses it that could be restarted');
  return it(OPEN, plan ? 'Restart planned' : 'Restart asked for');
}

/** Nobody said that anything leaked, so nothing is live but what shall be. */
function rotating(incident: Incident): Standing | undefined {
  const { goal, fingerprint, runs, plan } = incident;
  if (goal.do !== 'rotate' || fingerprint !== undefined || incident.unidentified) return undefined;
  const run = openRun(incident);
  if (run) return takesBack(run) ? undefined : it(OPEN, 'Rotating');
  if (runs.at(-1)?.stopped) return it(OPEN, 'Rotation stopped, a person is needed');
  return it(OPEN, plan ? 'Rotation planned' : 'Rotation asked for');
}

function proven(incident: Incident, now: number): Standing | undefined {
  const { proof, runs } = incident;
  if (!proof || (proof.outcome && isLive(incident))) return undefined;
  const words = proofWords(proof.rounds);
  if (proof.outcome?.verdict === 'not-done') return it(LIVE, 'LEAK LIVE: the kill did not work');
  if (proof.outcome?.verdict === 'unknown') return it(OPEN, 'Not proven dead');
  if (proof.outcome === undefined) {
    if (isLive(incident)) return it(LIVE, 'Not refused yet, proof under way');
    if (isContained(incident)) return it(OPEN, 'Contained, proof under way');
    if (runs.length > 0) return it(OPEN, 'Killed, proof under way');
    return it(OPEN, `${isDead(incident) ? 'Found dead' : 'Already quarantined'}, proof under way`);
  }
  // Something that may accept it was never looked at, or only before it changed.
  if (!isStopped(incident)) return it(OPEN, 'Not known whether the token still works');
  if (acceptedOffline(incident, now)) return it(OPEN, `Still accepted offline, ${words}`);
  if (pendingSteps(incident).length > 0 && isContained(incident)) return it(OPEN, `Contained: ${words}`);
  if (isOnlyLabelled(incident)) return it(OPEN, `Already quarantined: ${words}`);
  if (!isFullProof(proof.rounds) || unasked(incident).length > 0) return it(GOOD, capital(words));
  return it(GOOD, `${runs.length === 0 ? 'Already dead' : 'Revoked'}: ${words}`);
}

/** By somebody else, who can take it off again as they please. */
const isOnlyLabelled = (incident: Incident): boolean =>
  pendingSteps(incident).some(kills) &&
  incident.situations.some(({ liveness }) => liveness.alive === 'quarantined');

function underWay(incident: Incident): Standing | undefined {
  const run = openRun(incident);
  if (run && incident.paused) {
    if (isContained(incident)) return it(OPEN, 'Contained, paused before the next step');
    return isLive(incident) ? it(LIVE, 'LEAK LIVE, paused') : it(OPEN, 'Paused before the next step');
  }
  if (run?.kind === 'contain') return it(LIVE, 'Quarantining now');
  if (run && takesBack(run)) {
    const only = run.kind === 'undo' && run.steps.every(({ step }) => step.phase === 'contain');
    const words = only ? 'undoing the quarantine' : 'rolling back';
    return isLive(incident) ? it(LIVE, `LEAK LIVE, ${words}`) : it(OPEN, capital(words));
  }
  if (isContained(incident)) return it(OPEN, run ? 'Contained, running the plan' : 'Contained');
  return run ? it(LIVE, 'Running the plan') : undefined;
}

function seen(incident: Incident): Standing {
  if (isLive(incident)) return it(LIVE, 'LEAK LIVE');
  if (isDead(incident)) return it(OPEN, 'Found dead');
  if (isStopped(incident)) return it(OPEN, 'Already quarantined');
  if (incident.situations.length > 0) return it(LIVE, 'Leak reported: not known whether the token works');
  return it(OPEN, 'Leak reported, being looked into');
}

/** What it lives by is gone on each cluster, before anybody here did anything. */
const isDead = ({ identity, beliefs }: Incident): boolean =>
  identity !== undefined &&
  identity.kind !== 'every-token' &&
  identity.clusters.length > 0 &&
  identity.clusters.every((name) => beliefs[name]?.seen?.saw === 'gone');
