// Finds incidents in the log, for the command line: by the beginning of an id, or the newest.
import { fold } from '../../domain/incident/fold.ts';
import type { Incident } from '../../domain/incident/incident.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { IncidentLog } from '../../ports/incident-log.ts';

type Trail = Pick<IncidentLog, 'load' | 'list'>;

const SEARCHED = 1000;

export async function loadIncident(trail: Trail, id: string): Promise<Incident | undefined> {
  const loaded = await trail.load(id);
  return loaded && fold(id, loaded.events);
}

/** Throws AppError `not-found`. */
export async function fullId(trail: Trail, beginning: string): Promise<string> {
  if (await trail.load(beginning)) return beginning;
  const alike = (await trail.list(SEARCHED)).filter((id) => id.startsWith(beginning));
  const [found, another] = alike;
  if (found !== undefined && another === undefined) return found;
  throw new AppError(
    'not-found',
    another === undefined
      ? 'No incident begins with that. See: tourniquet incidents'
      : `Several incidents begin with that: ${alike.slice(0, 5).join(', ')}. Give more of the id.`,
  );
}

/** Newest first; one whose log is damaged is named in `damaged`. */
export async function newest(trail: Trail, limit: number, wanted: (incident: Incident) => boolean) {
  const found: Incident[] = [];
  const damaged: string[] = [];
  for (const id of await trail.list(SEARCHED)) {
    if (found.length >= limit) break;
    try {
      const incident = await loadIncident(trail, id);
      if (incident && wanted(incident)) found.push(incident);
    } catch (error) {
      if (!isAppError(error, 'log-damaged')) throw error;
      damaged.push(id);
    }
  }
  return { found, damaged };
}
