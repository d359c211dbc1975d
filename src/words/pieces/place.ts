// Which cluster a line is about, where that is not plain.
import type { Incident } from '../../domain/incident/incident.ts';
import { unasked } from '../../domain/incident/sightings.ts';
import type { Situation } from '../../domain/situation/situation.ts';
import { plain } from './plain.ts';

export const MAX_CLUSTERS = 4;

/** Names the cluster only where there are several, or where one was not asked. */
export const labelled = (incident: Incident, situation: Situation): string =>
  (incident.identity?.clusters.length ?? 0) > 1 ||
  incident.situations.length > 1 ||
  unasked(incident).length > 0
    ? `${plain(situation.cluster, 60)}: `
    : '';

/** Those whose lines there is room for. */
export const shown = (incident: Incident): Situation[] => incident.situations.slice(0, MAX_CLUSTERS);
