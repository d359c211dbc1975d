// Serves health and metrics, and keeps the numbers fresh that come from Redis: a scrape itself asks nobody.
import { startHealth } from '../adapters/http/health.ts';
import { type Census, createCensus } from '../engine/keep/census.ts';
import { every } from '../every.ts';
import type { Assembly } from './assembly.ts';
import { WALL } from './clock.ts';
import type { Shared } from './shared.ts';
import { alive, detail, ready } from './vitals.ts';

/** Returns the port. */
export async function startMonitoring(assembly: Assembly, shared: Shared, port: number): Promise<number> {
  const { config, stack, log } = assembly;
  const { telemetry, problems } = shared;
  const { metrics, vitals } = telemetry;
  const health = await startHealth({
    host: config.http.host,
    port,
    alive: () => alive(vitals, problems),
    ready: () => ready(vitals, problems),
    detail: () => detail(vitals),
    metrics,
  });
  stack.defer(() => health.close());
  const count = createCounting(shared);
  const counting = every(config.metrics.refreshEvery, count, (err) =>
    log.warn({ err }, 'incidents could not be counted; the numbers stay as they were until they can'),
  );
  stack.defer(() => counting.stop());
  return health.port;
}

function createCounting({ deps, queue, clock, telemetry }: Shared): () => Promise<void> {
  const { metrics } = telemetry;
  const census = createCensus(deps);
  const seen = new Set<string>();
  let latest: Census | undefined;
  metrics.onScrape(() => {
    if (latest) showAges(latest);
  });
  const showAges = ({ approvals, proofs, claims }: Census): void => {
    const oldest = (since: number[]): number =>
      since.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...since)) / 1000;
    metrics.set('tourniquet_approval_oldest_seconds', {}, oldest(approvals));
    metrics.set('tourniquet_proof_oldest_seconds', {}, oldest(proofs));
    const stale = claims.filter(({ from }) => clock.now() > from).map(({ since }) => since);
    metrics.set('tourniquet_claims_stale', {}, stale.length);
    metrics.set('tourniquet_claim_oldest_seconds', {}, oldest(stale));
  };
  return async () => {
    // Until Redis has answered everything, it counts as away.
    const up = (value: 0 | 1): void => metrics.set('tourniquet_redis_up', {}, value);
    try {
      const [counted, pause, jobs] = await Promise.all([census(), deps.pause.read(), queue.counts()]);
      latest = counted;
      showCensus(counted, pause !== undefined);
      for (const [name, states] of Object.entries(jobs))
        for (const [state, value] of Object.entries(states))
          metrics.set('tourniquet_queue_jobs', { queue: name, state }, value);
      metrics.set('tourniquet_census_timestamp_seconds', {}, WALL.now() / 1000);
      up(1);
    } catch (error) {
      up(0);
      throw error;
    }
  };
  function showCensus({ byStatus, approvals, proofs, reviews, damaged }: Census, paused: boolean): void {
    for (const status of Object.keys(byStatus)) seen.add(status);
    // A status that nobody has any more is nought, not the last number.
    for (const status of seen)
      metrics.set('tourniquet_incidents', { status }, byStatus[status as keyof typeof byStatus] ?? 0);
    metrics.set('tourniquet_approvals_waiting', {}, approvals.length);
    metrics.set('tourniquet_proofs_waiting', {}, proofs.length);
    metrics.set('tourniquet_reviews_open', {}, reviews);
    metrics.set('tourniquet_damaged_logs', {}, damaged);
    metrics.set('tourniquet_paused', {}, paused ? 1 : 0);
  }
}
