// What events change of what is believed about the token: what becomes void, and what must be looked at anew.
import type { Outcome } from '../outcome.ts';
import { kills, type Step } from '../plan/plan.ts';
import type { Sighting } from '../proof/belief.ts';
import type { ProofRound } from '../proof/evidence.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { EventBody } from './events.ts';
import { goesOn } from './going-on.ts';
import type { Incident, Run } from './incident.ts';
import { isDone, stateOf, takesBack, unplanned } from './runs.ts';
import { aboutOf, isLive, isStopped, isVoid, see, sightingOfRound, unasked } from './sightings.ts';

/** The plan is void: everything is looked at again, and no old button counts. What was seen stays what was seen. */
export function askAgain(incident: Incident): void {
  incident.stale = true;
  delete incident.unidentified;
  delete incident.plan;
  delete incident.planAt;
  delete incident.soakCancelled;
  delete incident.outside;
  delete incident.planExpiry;
  delete incident.planPolicy;
  // What was said about the run that stopped is not about the plan.
  incident.votes = incident.votes.filter(({ verb }) => goesOn(verb));
  incident.reminders = 0;
  delete incident.closed;
}

/** What was proven is history, and must be proven anew. */
export function dropProof(incident: Incident): void {
  delete incident.proof;
  incident.rechecks = [];
}

/** What the objects show is no evidence any more: what can be done, and what holds, is looked at anew. */
export function cannotProve(incident: Incident, at: string): void {
  if (incident.closed) return;
  // What servers refused before that stays proven, with its age.
  if (incident.proof?.outcome === undefined || !isStopped(incident)) dropProof(incident);
  lookAnew(incident, at);
  askAgain(incident);
}

const SETTLED_MS = 120_000;

/** Servers answer from memory for a while after a kill, so that what they still accept then shows nothing yet. */
export const isInVain = ({ proof }: Incident, { voids, level }: ProofRound, at: string): boolean =>
  voids === true &&
  (level === 'object-state' || Date.parse(at) - Date.parse(proof?.killedAt ?? at) > SETTLED_MS);

/** What a later look showed, and whether the plan is out of date by it. */
export function lookedAgain(
  incident: Incident,
  { index, outcome, rounds, at }: Extract<EventBody, { type: 'rechecked' }> & { at: string },
): void {
  incident.rechecks.push({ index, at, outcome });
  if (incident.looks) Object.assign(incident.looks, { count: incident.looks.count + 1, lastAt: at });
  delete incident.troubles.recheck;
  const was = { live: isLive(incident), void: isVoid(incident) };
  for (const sighting of rounds?.map(sightingOfRound) ?? everywhere(incident, outcome, at))
    see(incident, sighting, at);
  // What was planned for a live token is out of date, and so is what was planned without a cluster that answers now.
  const old = (was.live && isStopped(incident)) || unplanned(incident).some(answered(rounds));
  if (rounds && old && !incident.closed) askAgain(incident);
  if (isVoid(incident) && !was.void) cannotProve(incident, at);
}

const answered =
  (rounds: readonly ProofRound[] = []) =>
  (name: string): boolean =>
    rounds.some(({ cluster, outcome }) => cluster === name && outcome.verdict !== 'unknown');

/** The next looks come soon again, and then later and later. */
export function lookAnew(incident: Incident, at: string): void {
  incident.looks = { since: at, count: 0 };
  incident.rechecks = [];
}

/** Objects that show it stopped are no answer while a server accepted it last: the servers are asked again soon. */
export function seeObjects(incident: Incident, sighting: Sighting, at: string): void {
  const last = incident.beliefs[sighting.cluster]?.seen;
  const accepted = last?.saw === 'accepted' && (last.by === 'each-server' || last.by === 'load-balancer');
  if (accepted && (sighting.saw === 'labelled' || sighting.saw === 'gone')) lookAnew(incident, at);
  else see(incident, sighting, at);
}

/** Another token inherits nothing of what was seen of this one; a cluster more that signed it must be looked at. */
export function becomes(incident: Incident, identity: TokenIdentity, at: string): void {
  const about = aboutOf(identity, incident.fingerprint);
  const before = incident.identity;
  const other = incident.about !== undefined && incident.about !== about;
  if (other) {
    incident.beliefs = {};
    incident.situations = [];
    incident.liveAgain = false;
    delete incident.reopened;
  }
  const grown = before && identity.clusters.some((name) => !before.clusters.includes(name));
  if (other || grown) {
    dropProof(incident);
    askAgain(incident);
  }
  incident.identity = identity;
  incident.about = about;
  if (other || incident.looks === undefined) lookAnew(incident, at);
  openUnasked(incident, at);
}

/** "Resolved" is said of every cluster that may accept it: one that cannot be asked any more opens it again, as it would have kept it open. */
function openUnasked(incident: Incident, at: string): void {
  if (incident.closed?.as !== 'resolved' || incident.goal.do === 'restart') return;
  if (unasked(incident).length === 0) return;
  delete incident.closed;
  lookAnew(incident, at);
}

export const aboutNow = ({ about }: Incident, run: Run): Run =>
  about === undefined ? run : { ...run, about };

/** Older logs say what a look found, but not where. */
function everywhere({ identity }: Incident, { verdict, detail }: Outcome, at: string): Sighting[] {
  const saw = { done: 'refused', 'not-done': 'accepted', unknown: 'unknown' } as const;
  return (identity?.clusters ?? []).map((cluster) => ({
    cluster,
    saw: saw[verdict],
    by: 'object-state',
    at,
    detail,
  }));
}

/** Somebody took back what was done there: it is no longer in effect, whoever did it. */
export function lose(incident: Incident, cluster: string, detail: string, at: string): void {
  // Whoever saw it work is not overwritten by what follows from that.
  if (incident.beliefs[cluster]?.seen?.saw !== 'accepted')
    see(incident, { cluster, saw: 'accepted', by: 'object-state', at, detail }, at);
  // Where nothing was proven yet, nobody has taken a mark off: if it is gone, the next plan says so.
  const unproven = incident.proof !== undefined && incident.proof.outcome === undefined;
  for (const run of incident.runs.filter((one) => !takesBack(one)))
    for (const state of run.steps.filter(({ step }) => !(unproven && step.reversible)))
      if (kills(state.step) && state.step.cluster === cluster && state.outcome?.verdict === 'done')
        state.lost ??= at;
}

/** What is still to be rolled changes nothing for the token, so its proof does not wait for that. */
export function noteKill(incident: Incident, id: string, step: Step, at: string): void {
  const run = incident.runs.find((candidate) => candidate.id === id);
  const state = run && stateOf(incident, id, step.id);
  // Of another token than the one that the incident is about by now, it says nothing.
  if (run === undefined || run.about !== incident.about || state?.outcome?.verdict !== 'done') return;
  const write = { cluster: step.cluster, by: 'write', at, detail: state.outcome.detail } as const;
  if (takesBack(run)) see(incident, { ...write, saw: 'accepted' }, at);
  else if (step.reversible) see(incident, { ...write, saw: 'labelled' }, at);
  if (takesBack(run)) return;
  const killing = run.steps.filter((other) => kills(other.step));
  if (!killing.every(({ outcome }) => outcome?.verdict === 'done')) return;
  incident.liveAgain = false;
  for (const { step: killed } of killing) {
    const belief = incident.beliefs[killed.cluster];
    if (belief?.seen?.saw === 'accepted') delete incident.beliefs[killed.cluster];
  }
  incident.proof = { killedAt: at, rounds: [] };
  lookAnew(incident, at);
}

export function finishRun(incident: Incident, id: string, at: string): void {
  const run = incident.runs.find((candidate) => candidate.id === id);
  if (run === undefined || !isDone(run)) return;
  if (takesBack(run)) {
    dropProof(incident);
    lookAnew(incident, at);
    // A false alarm stays one: its token was given back to whom it belongs.
    if (incident.closed?.as === 'false-alarm') return;
    // A roll-back before the old identity died takes no kill back.
    incident.liveAgain ||= run.about === incident.about && run.steps.some(({ step }) => kills(step));
    askAgain(incident);
  }
}
