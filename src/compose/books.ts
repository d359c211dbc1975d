// The bot's bookkeeping: where the ledger is published, and the turns of whoever keeps it.
import type { LedgerEntry } from '../domain/afterwards/ledger.ts';
import type { Webhook } from '../engine/door/escalate.ts';
import type { Publisher } from '../engine/keep/anchors.ts';
import { bookkeeper } from '../engine/keep/books.ts';
import { every } from '../every.ts';
import type { Log } from '../log.ts';
import type { Assembly } from './assembly.ts';
import type { Shared } from './shared.ts';

/** `others`: where it is published besides, as of each turn. */
export function keepBooks(
  { config, log, stack }: Assembly,
  { deps, ledger }: Shared,
  others: () => readonly Publisher[],
  webhook: Webhook | undefined,
): void {
  const own = [logPublisher(log), ...(webhook ? [webhookPublisher(webhook)] : [])];
  const stopping = new AbortController();
  const turn = bookkeeper(
    { ...deps, ledger },
    {
      anchorEvery: config.audit.anchorEvery,
      keepFor: config.retention.keepFor,
      get publishers() {
        return [...own, ...others()];
      },
      stopping: stopping.signal,
    },
  );
  let told = '';
  const keeping = every(config.sweepEvery, turn, (err) => {
    const words = err instanceof Error ? err.message : String(err);
    if (words !== told) log.error({ err }, 'the audit ledger is not kept now; it is tried again');
    told = words;
  });
  stack.defer(() => keeping.stop());
  stack.defer(() => stopping.abort());
}

/** One line for each entry: collected elsewhere, they are what `audit verify --all --anchor <file>` reads. */
export const logPublisher = (log: Log): Publisher => ({
  name: 'log',
  async publish(entries) {
    for (const { mac, entry } of entries) log.info({ event: 'anchor', mac, entry }, 'audit anchor');
  },
});

const webhookPublisher = (webhook: Webhook): Publisher => ({
  name: 'webhook',
  async publish(entries) {
    for (const { mac, entry } of entries)
      await webhook.send({
        id: `ledger-${entry.v}-${mac.slice(0, 16)}`,
        type: entry.type === 'anchor' ? 'audit.anchored' : 'audit.purged',
        data: { hash: mac, ...brief(entry) },
      });
  },
});

/** The hash covers the rest. */
function brief(entry: LedgerEntry): object {
  if (entry.type === 'purged') return entry;
  const { heads, ...rest } = entry;
  return { ...rest, changed: heads.length };
}
