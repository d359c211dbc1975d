// GitGuardian's custom webhook: real events never carry the secret, only its HasMySecretLeaked hash.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { AlertSource, Finding, Parsed, RawRequest } from '../contracts/alert-source.ts';
import type { LeakAlert, Subject } from '../domain/incident/alert.ts';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { checkFresh, TOLERANCE_MS } from './parts/freshness.ts';
import { jsonObject, plainText, plainUrl } from './parts/plain-text.ts';

const NAME = 'gitguardian';
const FINDINGS = new Set([
  'incident_triggered',
  'new_occurrence',
  'incident_reopened',
  'incident_regression',
]);
const UNCONCERNED = new Set([
  'incident_access_granted',
  'incident_access_revoked',
  'incident_shared_publicly',
  'incident_unshared_publicly',
]);

export const gitguardian = { name: NAME, verify, parse } satisfies AlertSource;

function verify(request: RawRequest, secret: Secret, nowMs: number, toleranceMs = TOLERANCE_MS): string {
  const { timestamp, 'gitguardian-signature': signature } = request.headers;
  if (!timestamp || !signature)
    throw new AppError(
      'bad-signature',
      'The headers Timestamp and Gitguardian-Signature are missing. Set a signature token in the custom webhook.',
    );
  checkFresh(sentAt(timestamp), nowMs, toleranceMs);
  const given = /^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1]?.toLowerCase();
  // Not the usual signing of timestamp and body: the timestamp, as it was sent, is part of the key.
  const expected = createHmac('sha256', timestamp + secret.reveal())
    .update(request.body)
    .digest();
  if (given === undefined || !timingSafeEqual(Buffer.from(given, 'hex'), expected))
    throw new AppError(
      'bad-signature',
      'Gitguardian-Signature does not fit the body. Check that both sides hold the same signature token.',
    );
  return createHash('sha256').update(`${timestamp} ${given}`).digest('hex');
}

/** Unix milliseconds. The header's format is not documented: seconds, whole or not, and ISO 8601 have been seen. */
function sentAt(timestamp: string): number {
  if (/^\d{1,12}(\.\d{1,9})?$/.test(timestamp)) return Number(timestamp) * 1000;
  const iso = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp);
  return iso === null ? Number.NaN : Date.parse(`${iso[1]}${iso[2] ?? 'Z'}`);
}

const text = z.string().catch('');
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info', 'unknown'] as const;
const VALIDITIES = ['valid', 'invalid', 'failed_to_check', 'no_checker', 'not_checked', 'unknown'] as const;
const REASONS = ['test_credential', 'false_positive', 'low_risk', 'invalid'] as const;
const lowerCase = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : value);

/** Everything but the id may be missing or of a kind that is not known yet. */
const incidentSchema = z.object({
  id: z.union([z.int(), z.string().regex(/^[\w-]{1,64}$/)]).transform(String),
  detector: z
    .object({ name: text, display_name: text, nature: text, family: text, detector_group_name: text })
    .partial()
    .catch({}),
  hmsl_hash: z
    .preprocess(lowerCase, z.string().regex(/^[0-9a-f]{64}$/))
    .optional()
    .catch(undefined),
  severity: z.preprocess(lowerCase, z.enum(SEVERITIES)).catch('unknown'),
  validity: z.preprocess(lowerCase, z.enum(VALIDITIES)).catch('unknown'),
  ignore_reason: z.preprocess(lowerCase, z.enum(REASONS)).optional().catch(undefined),
  secret_revoked: z.boolean().catch(false),
  gitguardian_url: text,
});
type Incident = z.output<typeof incidentSchema>;

const occurrenceSchema = z
  .object({
    url: text,
    filepath: text,
    filename: text,
    source: z.object({ full_name: text, name: text }).partial().catch({}),
  })
  .partial()
  .catch({});

function parse(request: RawRequest): Parsed {
  const event = jsonObject(request.body);
  if (event === undefined)
    throw new AppError(
      'bad-input',
      'The body is not a JSON object. Send what a GitGuardian custom webhook sends.',
    );
  const { action } = event;
  // The test button still sends the first version's shape, with its sample secret in plain text: never look into it.
  if (action === undefined && ('matches' in event || 'gitguardian_link' in event || 'break_url' in event))
    return { kind: 'ignored', why: 'test message' };
  if (typeof action !== 'string')
    throw new AppError(
      'bad-input',
      'The event names no action. Send what a GitGuardian custom webhook sends.',
    );
  if (UNCONCERNED.has(action)) return { kind: 'ignored', why: 'a change of who may see the incident' };
  const incident = incidentSchema.safeParse(event.incident).data;
  if (incident === undefined) {
    if (!FINDINGS.has(action)) return { kind: 'ignored', why: 'not about an incident' };
    throw new AppError(
      'bad-input',
      'The event holds no incident with an id. Send what a GitGuardian custom webhook sends.',
    );
  }
  if (!FINDINGS.has(action))
    return {
      kind: 'update',
      update: { source: NAME, externalId: incident.id, note: noteOf(action, incident) },
    };
  if (isSomethingElse(incident))
    return { kind: 'ignored', why: 'a detector of another kind of secret, and no hash' };
  return { kind: 'findings', findings: [finding(incident, event.occurrence)] };
}

/**
 * A specific detector of, say, a cloud provider's keys cannot have found a ServiceAccount token. Generic ones can, and
 * with a hash the clusters themselves tell.
 */
function isSomethingElse({ detector, hmsl_hash }: Incident): boolean {
  const words = [detector.name, detector.display_name, detector.family, detector.detector_group_name].join(
    ' ',
  );
  return (
    hmsl_hash === undefined &&
    detector.nature === 'specific' &&
    !/kube|k8s|openshift|jwt|json.?web.?token|bearer|service.?account/i.test(words)
  );
}

function finding(incident: Incident, rawOccurrence: unknown): Finding {
  const subject: Subject = incident.hmsl_hash
    ? { kind: 'hmsl-hash', hash: incident.hmsl_hash }
    : { kind: 'unnamed' };
  const alert: LeakAlert = {
    source: NAME,
    externalId: incident.id,
    subject,
    where: whereOf(incident, rawOccurrence),
    severity: incident.severity,
  };
  return { alert };
}

function whereOf(incident: Incident, rawOccurrence: unknown): NonNullable<LeakAlert['where']> {
  const occurrence = occurrenceSchema.parse(rawOccurrence);
  const place = [
    occurrence.source?.full_name || occurrence.source?.name,
    occurrence.filepath || occurrence.filename,
  ];
  const named = place.filter(Boolean).join(': ');
  const kind = incident.detector.display_name || incident.detector.name || 'a secret';
  const words = plainText(named || `GitGuardian incident ${incident.id} (${kind})`, 300);
  const url = plainUrl(occurrence.url ?? '') ?? plainUrl(incident.gitguardian_url);
  return url === undefined ? { text: words } : { text: words, url };
}

/** One sentence made of our own words: what people wrote there is not trusted. */
function noteOf(action: string, incident: Incident): string {
  const reason = incident.ignore_reason ? ` as ${incident.ignore_reason.replaceAll('_', ' ')}` : '';
  const notes: Record<string, string> = {
    incident_resolved: `marked resolved${incident.secret_revoked ? ', with the secret reported as revoked' : ''}`,
    incident_ignored: `marked ignored${reason}`,
    incident_validity_changed: `validity is now "${incident.validity.replaceAll('_', ' ')}"`,
    incident_severity_changed: `severity is now ${incident.severity}`,
    incident_assigned: 'assigned to somebody',
    incident_reassigned: 'assigned to somebody else',
    incident_unassigned: 'no longer assigned to anybody',
    incident_feedback_received: 'feedback was received',
    incident_note_created: 'a note was added',
  };
  const known = Object.hasOwn(notes, action) ? notes[action] : undefined;
  const unknown = /^[a-z_]{1,60}$/.test(action) ? action.replaceAll('_', ' ') : 'something happened';
  return `GitGuardian: ${known ?? unknown}.`;
}
