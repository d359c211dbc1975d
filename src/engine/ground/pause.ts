// The kill switch: pressed once for everything, noted on every open incident, and asked before each step.
import type { Person, Refusal } from '../../domain/decision/click.ts';
import { voter } from '../../domain/decision/needed.ts';
import type { EventBody } from '../../domain/incident/events.ts';
import type { Incident, Pause } from '../../domain/incident/incident.ts';
import { openRun } from '../../domain/incident/runs.ts';
import { isNamed, mentions } from '../../domain/rules/named.ts';
import { text } from '../../domain/text/pieces.ts';
import { scrub } from '../../domain/text/scrub.ts';
import type { BotDeps } from './deps.ts';
import { change, enqueue, openSession, type Session } from './session.ts';

/** Newest incidents on whose cards it is shown; an older one is told when something is about to happen to it. */
const TOLD = 500;

export type Switched = { switched: true; told: number } | { switched: false; refusal: Refusal };

/** Whoever responds may stop everything; only approvers let it go on. */
export async function switchPause(deps: BotDeps, by: Person, reason: string | undefined): Promise<Switched> {
  const { policy } = deps.settings;
  const from = reason === undefined ? ['approvers'] : ['responders', 'approvers'];
  if (!isNamed(policy, from, voter(by))) {
    const what = reason === undefined ? 'let Tourniquet go on' : 'pause Tourniquet';
    const message = text`You are not on the list of people who may ${what}. These can: ${mentions(policy, from)}. Nothing was changed.`;
    return { switched: false, refusal: { code: 'not-allowed', message } };
  }
  const at = new Date(deps.clock.now()).toISOString();
  const pause = reason === undefined ? undefined : { by: by.id, reason: scrub(reason), at };
  // First what every worker asks, then what people see.
  await deps.pause.write(pause);
  return { switched: true, told: await tellAll(deps, pause, by.id) };
}

async function tellAll(deps: BotDeps, pause: Pause | undefined, by: string): Promise<number> {
  let told = 0;
  for (const id of await deps.log.list(TOLD)) {
    const session = await openSession(deps, id);
    if (session === undefined) continue;
    if (!(await change(deps, session, (incident) => switchEvents(incident, pause, by)))) continue;
    told += 1;
    await enqueue(deps, session).catch((err: unknown) =>
      deps.logger.warn({ err, incident: id }, 'could not enqueue; the sweeper will'),
    );
  }
  return told;
}

function switchEvents(incident: Incident, pause: Pause | undefined, by: string): EventBody[] | undefined {
  if (pause === undefined) return incident.paused && [{ type: 'resumed', by }];
  const over = incident.closed !== undefined && openRun(incident) === undefined;
  return over || incident.paused ? undefined : [{ type: 'paused', pause }];
}

/**
 * True: stop here. Notes the pause on the incident, so that its card shows it and its run waits; looks again after that,
 * because somebody may have resumed in between and must not have missed this one.
 */
export async function holdIfPaused(deps: BotDeps, session: Session): Promise<boolean> {
  const pause = await deps.pause.read();
  if (pause === undefined) return false;
  await change(deps, session, (incident) => (incident.paused ? undefined : [{ type: 'paused', pause }]));
  if ((await deps.pause.read()) !== undefined) return true;
  await change(deps, session, (incident) => incident.paused && [{ type: 'resumed', by: incident.paused.by }]);
  return false;
}
