// Counts incidents by what they wait for: a few small questions to the log, however often somebody wants to know.
import { fold } from '../../domain/incident/fold.ts';
import type { Incident, Status } from '../../domain/incident/incident.ts';
import { claimed } from '../../domain/incident/sightings.ts';
import { isAppError } from '../../errors.ts';
import type { BotDeps } from '../ground/deps.ts';

/** Of the newest incidents; older ones are history. */
const COUNTED = 1000;

export interface Census {
  byStatus: Partial<Record<Status, number>>;
  /** Unix milliseconds since which each of these has waited. */
  approvals: number[];
  proofs: number[];
  /** When what is claimed of a token was seen, and from when on that is too long ago. Unix milliseconds. */
  claims: { since: number; from: number }[];
  reviews: number;
  damaged: number;
}

/** What is worth knowing of one incident until it changes. */
interface Counted {
  version: number;
  /** Undefined: its log is damaged. */
  status?: Status;
  approvalSince?: number;
  killedAt?: number;
  claim?: Census['claims'][number];
  review?: true;
}

/** Remembers what it saw, so that only incidents that changed are read again. */
export function createCensus(deps: Pick<BotDeps, 'log'>): () => Promise<Census> {
  let known = new Map<string, Counted>();
  return async () => {
    const ids = await deps.log.list(COUNTED);
    const versions = await deps.log.versions(ids);
    const seen = new Map<string, Counted>();
    // One after the other: a kill must not queue behind this.
    for (const [index, id] of ids.entries()) {
      const version = versions[index] ?? 0;
      const before = known.get(id);
      seen.set(id, before?.version === version ? before : await look(deps, id, version));
    }
    known = seen;
    return sum([...seen.values()]);
  };
}

async function look({ log }: Pick<BotDeps, 'log'>, id: string, version: number): Promise<Counted> {
  try {
    const loaded = await log.load(id);
    return loaded ? summary(fold(id, loaded.events)) : { version, status: 'detected' };
  } catch (error) {
    if (!isAppError(error, 'log-damaged')) throw error;
    return { version };
  }
}

/** Nothing is said of whether these tokens work. */
const CLAIMLESS: readonly Status[] = ['false-alarm', 'dry-run'];

function summary(incident: Incident): Counted {
  const { version, status, planAt, proof, reviews } = incident;
  const claim = CLAIMLESS.includes(status) || incident.unidentified ? undefined : claimed(incident);
  return {
    version,
    status,
    ...(status === 'awaiting-approval' && planAt !== undefined && { approvalSince: Date.parse(planAt) }),
    ...(proof && !proof.outcome && { killedAt: Date.parse(proof.killedAt) }),
    ...(claim && { claim: { since: Date.parse(claim.since), from: claim.from } }),
    ...(reviews.some(({ closed }) => closed === undefined) && { review: true as const }),
  };
}

function sum(all: readonly Counted[]): Census {
  const byStatus: Census['byStatus'] = {};
  for (const { status } of all) if (status !== undefined) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    byStatus,
    approvals: all.flatMap(({ approvalSince }) => approvalSince ?? []),
    proofs: all.flatMap(({ killedAt }) => killedAt ?? []),
    claims: all.flatMap(({ claim }) => claim ?? []),
    reviews: all.filter(({ review }) => review).length,
    damaged: all.filter(({ status }) => status === undefined).length,
  };
}
