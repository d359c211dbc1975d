// Everywhere that the bot tells of incidents: Slack once it has answered, and the webhook, which does not wait for Slack.
import { startWorker } from '../adapters/bullmq/worker.ts';
import { openWebhook } from '../adapters/http/webhook.ts';
import { createCardStore } from '../adapters/redis/card-store.ts';
import { permalink } from '../adapters/slack/card-store.ts';
import { anchorReporter, type Publisher } from '../engine/anchors.ts';
import { doEscalate } from '../engine/escalate.ts';
import { doReport, sweep, type Task } from '../engine/work.ts';
import type { Reporter } from '../ports.ts';
import type { Assembly } from './assembly.ts';
import { keepBooks } from './books.ts';
import { WALL } from './clock.ts';
import type { Shared } from './shared.ts';

/** Each mostly waits for Slack, whose limits are the same for all. */
const REPORTS_AT_ONCE = 8;

export interface Outlets {
  /** Slack has answered: `url` is that of the workspace. */
  connected(url: string, reporter: Reporter, publisher: Publisher): Promise<void>;
}

/** Begins without Slack: people outside it must be called just when it is away. What came before it is swept up then. */
export function openOutlets(assembly: Assembly, shared: Shared): Outlets {
  const { config, log, stack, graceMs } = assembly;
  const { deps, ledger, queueOptions, store, prefix, telemetry } = shared;
  const { url, timeout } = config.escalation;
  const secret = config.escalationSecret;
  const webhook = url && secret ? openWebhook({ url, secret, timeout, clock: WALL }) : undefined;
  if (webhook) stack.defer(() => webhook.close());
  const reporters: Reporter[] = [anchorReporter({ ...deps, ledger })];
  const publishers: Publisher[] = [];
  keepBooks(assembly, shared, publishers, webhook);
  const cards = createCardStore({ store, prefix });
  let workspace: string | undefined;
  const link = async (id: string): Promise<string | undefined> => {
    const card = await cards.get(id);
    return card && card !== 'posting' && workspace ? permalink(workspace, card) : undefined;
  };
  const handle = async (work: Task): Promise<void> => {
    if (work.kind === 'report') await doReport(deps, reporters, work);
    else if (webhook) await doEscalate({ ...deps, webhook, link }, work.incidentId);
  };
  const worker = startWorker('bot', handle, { ...queueOptions, concurrency: REPORTS_AT_ONCE });
  stack.defer(() => worker.close(graceMs));
  telemetry.vitals.queues.set('bot', worker);
  return {
    async connected(of, reporter, publisher) {
      workspace = of;
      reporters.unshift(reporter);
      if (config.audit.anchorInChannel) publishers.push(publisher);
      await sweep(deps).catch((err: unknown) => log.warn({ err }, 'sweeping failed; it is tried again'));
    },
  };
}
