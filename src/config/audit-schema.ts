// What the configuration may say about anchors of the audit log, and how long incidents are kept.
import { z } from 'zod';
import { duration } from '../domain/duration.ts';

const DAY = 86_400_000;

export const auditSchema = z
  .strictObject({
    /** At least this long between two anchors that are posted in the channel. */
    anchorEvery: duration.default(DAY),
    anchorInChannel: z.boolean().default(true),
  })
  .prefault({});

export const retentionSchema = z
  .strictObject({
    /** Closed incidents are purged after this time; absent: never. */
    keepFor: duration.refine((ms) => ms >= DAY, 'write at least 1d, such as 400d').optional(),
  })
  .prefault({});
