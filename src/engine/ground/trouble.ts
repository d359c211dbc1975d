// A failure of the world as an event: what happened, and when to come back.

import type { EventBody } from '../../domain/incident/events.ts';
import type { WorkKind } from '../../domain/incident/incident.ts';
import type { AppError } from '../../errors.ts';

export const trouble = (work: WorkKind, { message, retryAfterMs }: AppError): EventBody => ({
  type: 'trouble',
  work,
  message,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
