// Calls people outside Slack, through the webhook of the configuration: at least once each, and what was sent is in the log.
import { type Call, openCalls } from '../../domain/incident/alarms.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { scrub } from '../../domain/token/leak-material.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { BotDeps } from '../ground/deps.ts';
import { change, openSession, type Session } from '../ground/session.ts';
import { doIfOwed } from './work.ts';

/** The receiver that the configuration names for calls outside Slack. */
export interface Webhook {
  /** `id`: the same however often the same message is sent. Throws AppError where it was not accepted. */
  send(message: { id: string; type: string; data: object }): Promise<void>;
}

export interface EscalationDeps extends BotDeps {
  webhook: Webhook;
  /** Address of the incident's card, where there is one. */
  link(incidentId: string): Promise<string | undefined>;
}

/** After a day of failures a person has to be told by somebody else, and the log must not grow for ever. */
const GIVE_UP_MS = 86_400_000;
const LEAST_TRIES = 8;

export async function doEscalate(deps: EscalationDeps, incidentId: string): Promise<void> {
  const session = await openSession(deps, incidentId);
  if (session) await doIfOwed(deps, session, 'escalate', () => escalate(deps, session));
}

async function escalate(deps: EscalationDeps, session: Session): Promise<void> {
  const [call] = callsOf(deps, session.incident);
  if (call === undefined) return;
  let failed: string | undefined;
  try {
    await deps.webhook.send(await messageOf(deps, session.incident, call));
  } catch (error) {
    if (!isAppError(error)) throw error;
    failed = error.message;
    if (!isHopeless(deps, session.incident, call)) throw patiently(session.incident, error);
  }
  await change(deps, session, (incident) =>
    callsOf(deps, incident).some(({ id }) => id === call.id)
      ? [{ type: 'escalated', call: call.id, why: call.why, ...(failed === undefined ? {} : { failed }) }]
      : undefined,
  );
}

const callsOf = ({ settings }: EscalationDeps, incident: Incident): Call[] =>
  settings.timing.escalation ? openCalls(incident, settings.timing.escalation) : [];

const isHopeless = ({ clock }: EscalationDeps, { troubles }: Incident, { at }: Call): boolean =>
  clock.now() - at >= GIVE_UP_MS && (troubles.escalate?.count ?? 0) >= LEAST_TRIES;

/** Every failure is an event, so a receiver that stays away is asked less and less often: at last every ten minutes. */
function patiently({ troubles }: Incident, error: AppError): AppError {
  const own = Math.min(600_000, 5000 * 2 ** Math.min(troubles.escalate?.count ?? 0, 7));
  const retryAfterMs = Math.max(own, error.retryAfterMs ?? 0);
  return new AppError(error.code, error.message, { retry: true, retryAfterMs, cause: error });
}

/** Names and times only. What came from outside is looked through once more: no token leaves through here. */
async function messageOf(
  { link }: EscalationDeps,
  { id, status, identity, openedAt }: Incident,
  call: Call,
): Promise<Parameters<Webhook['send']>[0]> {
  const data = {
    incident: id,
    why: call.why,
    since: call.since,
    message: scrub(call.words),
    state: status,
    openedAt,
    clusters: identity?.clusters ?? [],
    namespace: identity?.namespace ?? null,
    serviceAccount: identity?.serviceAccount.name ?? null,
    // Slack may be what is down: the call does not wait for it.
    thread: (await link(id).catch(() => undefined)) ?? null,
  };
  return { id: `${id}-${call.id}`, type: 'incident.escalated', data };
}
