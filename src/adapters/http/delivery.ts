// Handles one delivery of an alert: authentic, understood, durably received, and only then remembered and acknowledged.
import type { AlertSource, Finding, Parsed, RawRequest } from '../../contracts/alert-source.ts';
import type { AlertUpdate } from '../../domain/incident/alert.ts';
import { withLogFields } from '../../log-fields.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Recognised } from '../../ports/incident-log.ts';
import type { Secret } from '../../secret.ts';

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Of the engine, which alone looks into it. */
type MaybeRecognised = Recognised | undefined;

export interface DeliveryOptions {
  toleranceMs: number;
  clock: Clock;
  /** Resolves once the finding is durably in the log. Harmless to repeat: the same finding is the same incident. */
  receive(
    finding: Finding,
    known?: Promise<MaybeRecognised>,
  ): Promise<{ incidentId: string; created: boolean }>;
  /** Asks whether the finding is known, together with whether the delivery is: what is new waits for one answer only. */
  recognise?(finding: Finding): Promise<MaybeRecognised>;
  update(update: AlertUpdate): Promise<void>;
  /** What was remembered of a delivery that was handled to its end; undefined: it was not. */
  seen(deliveryId: string): Promise<string | undefined>;
  remember(deliveryId: string, note: string, ttlMs: number): Promise<void>;
  log: Log;
}

interface Body {
  status: 'accepted' | 'duplicate' | 'noted' | 'ignored';
  why?: string;
  /** Only ever told to who signed the delivery. */
  incidents?: { id: string; created: boolean }[];
}

export interface Answer {
  status: 200 | 202;
  body: Body;
}

/** Senders retry for a day or so with the same id and a fresh timestamp. */
const REMEMBER_MS = 48 * 3_600_000;

/** A sender who never got the first answer still learns which incidents it was about. */
const duplicateOf = (ids: readonly string[]): Answer => ({
  status: 200,
  body: { status: 'duplicate', incidents: ids.map((id) => ({ id, created: false })) },
});

const idsOf = ({ body: { incidents = [] } }: Answer): string[] => incidents.map(({ id }) => id);

export type Deliver = (source: AlertSource, secret: Secret, request: RawRequest) => Promise<Answer>;

/**
 * A delivery is remembered after it was handled, not before: were the process to die in between, the sender's retry must
 * be handled and not be told that all is well. Two at the same time are kept apart by `underWay`.
 */
export function deliverer(options: DeliveryOptions): Deliver {
  const underWay = new Map<string, Promise<Answer>>();
  return async (source, secret, request) => {
    const id = `${source.name}:${source.verify(request, secret, options.clock.now(), options.toleranceMs)}`;
    const other = underWay.get(id);
    if (other !== undefined) return other.then((answer) => duplicateOf(idsOf(answer)));
    const parsed = source.parse(request);
    const answer = withLogFields({ delivery: id }, () => handle(options, id, parsed));
    underWay.set(id, answer);
    try {
      return await answer;
    } finally {
      underWay.delete(id);
    }
  };
}

async function handle(options: DeliveryOptions, id: string, parsed: Parsed): Promise<Answer> {
  if (parsed.kind === 'ignored') return { status: 200, body: { status: 'ignored', why: parsed.why } };
  const { recognise } = options;
  const known = parsed.kind === 'findings' && recognise ? parsed.findings.map(recognise) : [];
  const [note] = await Promise.all([options.seen(id), ...known]);
  if (note !== undefined) return duplicateOf(note.split(' ').filter((word) => word !== ''));
  const answer = await act(options, parsed, known);
  try {
    await options.remember(id, idsOf(answer).join(' '), REMEMBER_MS);
  } catch {
    // It is in the log all the same: at worst a retry is noted there as a repeat.
    options.log.warn({ delivery: id }, 'a delivery was handled but could not be remembered');
  }
  return answer;
}

async function act(
  options: DeliveryOptions,
  parsed: Exclude<Parsed, { kind: 'ignored' }>,
  known: Promise<MaybeRecognised>[],
): Promise<Answer> {
  if (parsed.kind === 'update') {
    await options.update(parsed.update);
    return { status: 200, body: { status: 'noted' } };
  }
  const received = await Promise.all(parsed.findings.map((finding, i) => options.receive(finding, known[i])));
  const incidents = received.map(({ incidentId, created }) => ({ id: incidentId, created }));
  options.log.info({ incidents }, 'alert received');
  return { status: 202, body: { status: 'accepted', incidents } };
}
