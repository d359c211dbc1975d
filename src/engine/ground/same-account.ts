// Incidents about one ServiceAccount: whoever asked for one of them asked for all of them, or two people could approve each other's plans.

import { accountsOf } from '../../domain/afterwards/same-account.ts';
import { askedHere, requesters } from '../../domain/incident/asked.ts';
import { fold } from '../../domain/incident/fold.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import { isAppError } from '../../errors.ts';
import type { BotDeps } from './deps.ts';
import { change, type Session } from './session.ts';

/**
 * Writes into this incident's log who asked for another one about the same ServiceAccount that is open, or was closed
 * no longer ago than a plan waits. Asked before a vote is counted, by the bot and again by the worker.
 */
export async function noteAskers(deps: BotDeps, session: Session): Promise<void> {
  const { id, identity, planExpiry = 0 } = session.incident;
  if (identity === undefined) return;
  const since = deps.clock.now() - Math.max(planExpiry, deps.settings.timing.approvalExpiry);
  const found = await Promise.all(accountsOf(identity).map((name) => deps.log.about(name)));
  for (const other of new Set(found.flat())) {
    const by = other === id ? [] : await askersOf(deps, other, identity, since);
    await change(deps, session, (incident) => {
      const known = requesters(incident);
      const news = by.filter((person) => !known.includes(person));
      return news.length > 0 ? [{ type: 'also-asked-for', incident: other, by: news }] : undefined;
    });
  }
}

/** `since`: Unix milliseconds; who asked for one that was closed before does not count. */
async function askersOf(
  deps: BotDeps,
  id: string,
  identity: TokenIdentity,
  since: number,
): Promise<string[]> {
  const incident = await read(deps, id);
  if (incident?.identity === undefined) return [];
  const names = accountsOf(identity);
  if (!accountsOf(incident.identity).some((name) => names.includes(name))) return [];
  const past = incident.closed !== undefined && Date.parse(incident.closed.at) < since;
  return past ? [] : askedHere(incident);
}

/** A damaged log must not keep people from stopping another leak. */
async function read(deps: BotDeps, id: string): Promise<Incident | undefined> {
  try {
    const loaded = await deps.log.load(id);
    return loaded && fold(id, loaded.events);
  } catch (err) {
    if (!isAppError(err, 'log-damaged')) throw err;
    deps.logger.warn({ err, incident: id }, 'another incident about the same ServiceAccount cannot be read');
    return undefined;
  }
}
