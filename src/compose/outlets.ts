// Everywhere that the bot tells of incidents: Slack once it has answered, and the webhook, which does not wait for Slack.
import { startWorker } from '../adapters/bullmq/worker.ts';
import { openWebhook } from '../adapters/http/outgoing-webhook.ts';
import { createCardStore } from '../adapters/redis/card-store.ts';
import { permalink } from '../adapters/slack/delivery/card-store.ts';
import { doEscalate } from '../engine/door/escalate.ts';
import { doReport } from '../engine/door/report.ts';
import type { Task } from '../engine/door/work.ts';
import { anchorReporter } from '../engine/keep/anchors.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Assembly } from './assembly.ts';
import { keepBooks } from './books.ts';
import { WALL } from './clock.ts';
import type { Shared } from './shared.ts';
import type { SlackLine } from './slack-line.ts';

/** Each mostly waits for Slack, whose limits are the same for all. */
const REPORTS_AT_ONCE = 8;

/** Begins without Slack: people outside it must be called just when it is away. What came before it is swept up then. */
export function openOutlets(assembly: Assembly, shared: Shared, line: Pick<SlackLine, 'answered'>): void {
  const { config, stack, graceMs } = assembly;
  const { deps, ledger, queueOptions, store, prefix, telemetry } = shared;
  const { url, timeout } = config.escalation;
  const secret = config.escalationSecret;
  const webhook = url && secret ? openWebhook({ url, secret, timeout, clock: WALL }) : undefined;
  if (webhook) stack.defer(() => webhook.close());
  const anchors = anchorReporter({ ...deps, ledger });
  const reporters = (): Reporter[] => [line.answered()?.reporter, anchors].filter((one) => one !== undefined);
  keepBooks(assembly, shared, () => line.answered()?.publishers ?? [], webhook);
  const cards = createCardStore({ store, prefix });
  const link = async (id: string): Promise<string | undefined> => {
    const [card, slack] = [await cards.get(id), line.answered()];
    return card && card !== 'posting' && slack ? permalink(slack.url, card) : undefined;
  };
  const handle = async (work: Task): Promise<void> => {
    if (work.kind === 'report') await doReport(deps, reporters(), work);
    else if (webhook) await doEscalate({ ...deps, webhook, link }, work.incidentId);
  };
  const worker = startWorker('bot', handle, { ...queueOptions, concurrency: REPORTS_AT_ONCE });
  stack.defer(() => worker.close(graceMs));
  telemetry.vitals.queues.set('bot', worker);
}
