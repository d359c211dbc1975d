// A person's click: checked against the state, appended once, enqueued.
import { refuse } from '../../domain/decision/approval.ts';
import type { Click, Roster } from '../../domain/decision/click.ts';
import { awaitingAfter, type Ruling, rulingOn } from '../../domain/decision/needed.ts';
import type { Decision, Verb } from '../../domain/incident/decision.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { unasked } from '../../domain/incident/sightings.ts';
import { text } from '../../domain/text/pieces.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import type { Secret } from '../../secret.ts';
import type { BotDeps } from '../ground/deps.ts';
import type { Decided } from '../ground/front.ts';
import { noteAskers } from '../ground/same-account.ts';
import { append, change, clockOf, enqueue, openSession, type Session } from '../ground/session.ts';

/** Of many clicks in the same moment one is appended; every other is checked again against what that one changed. */
export async function recordDecision(
  deps: BotDeps,
  roster: Roster,
  incidentId: string,
  given: Click,
  token?: Secret,
): Promise<Decided> {
  // People paste anything into a reason.
  const click = scrubbed(given);
  const session = await openSession(deps, incidentId);
  if (session === undefined) return unknownIncident;
  const fingerprint = token && deps.vault.fingerprint(token);
  const seal = token && { seal: { token, ttlMs: deps.settings.timing.keepTokenFor } };
  // So that nobody reads that something runs which waits.
  const pause = await deps.pause.read();
  if (VOTES.includes(click.verb)) await noteAskers(deps, session);
  for (;;) {
    const now = clockOf(deps, session).now();
    const ruling = rulingOn(session.incident, click.verb, roster.policy, now);
    const refusal = refuse(session.incident, click, roster, now, ruling);
    if (refusal?.code === 'plan-expired') await planAnew(deps, session);
    if (refusal) return { decided: false, refusal };
    const closing = closes(click);
    const awaiting = awaitingAfter(session.incident, click, ruling, now);
    const decision = toDecision(session.incident, click, roster, { ruling, awaiting, fingerprint });
    const events: EventBody[] = [{ type: 'decided', decision }, ...(closing ? [closing] : [])];
    if (pause && !session.incident.paused && !closing) events.push({ type: 'paused', pause });
    if ((await append(deps, session, events, seal)) === 'appended') break;
  }
  await enqueueSafely(deps, session);
  return { decided: true, incident: session.incident };
}

const enqueueSafely = (deps: BotDeps, session: Session): Promise<void> =>
  enqueue(deps, session).catch((err: unknown) =>
    deps.logger.warn({ err, incident: session.incident.id }, 'could not enqueue; the sweeper will'),
  );

/** An approval is of what was looked at lately: a plan that has waited too long is made anew once somebody wants it. */
async function planAnew(deps: BotDeps, session: Session): Promise<void> {
  const { planAt } = session.incident;
  await change(deps, session, (incident) =>
    incident.planAt === planAt && incident.plan ? [{ type: 'plan-expired', why: 'asked' }] : undefined,
  );
  await enqueueSafely(deps, session);
}

const VOTES: readonly Verb[] = ['contain', 'approve', 'retry', 'skip', 'roll-back'];

const unknownIncident: Decided = {
  decided: false,
  refusal: {
    code: 'unknown-incident',
    message: text`This button belongs to an incident that is not in the log. Nothing was changed. Use ${{ code: '/tourniquet' }} to see the open ones.`,
  },
};

interface Counted {
  ruling: Ruling;
  awaiting: number;
  fingerprint: string | undefined;
}

/** The policy that it was accepted under is written beside it, and how many approvals are still missing. */
function toDecision(
  incident: Incident,
  click: Click,
  { policy }: Roster,
  { ruling, awaiting, fingerprint }: Counted,
): Decision {
  const { verb, by, hash, reason, at, strategy, together } = click;
  const rules = ruling.asks.map(({ rule }) => rule);
  const { groups = [] } = by;
  return {
    verb,
    by: by.id,
    policy: policy.version,
    ...(rules.length === 0 ? {} : { rules: [...new Set(rules)] }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(awaiting === 0 ? {} : { awaiting }),
    ...(hash === undefined ? {} : { hash }),
    ...(reason === undefined ? {} : { reason }),
    ...(together && { together }),
    ...((verb === 'undo' || verb === 'roll-back') && { half: true as const }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(at === undefined ? {} : { at }),
    ...(verb === 'leave-out' && { clusters: unasked(incident) }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
}

function closes({ verb, reason = '' }: Click) {
  if (verb === 'decline') return { type: 'closed' as const, as: 'declined' as const, reason };
  if (verb === 'not-a-leak') return { type: 'closed' as const, as: 'false-alarm' as const, reason };
  return undefined;
}
