// Posts the daily anchor in the incident channel: whoever can change Redis cannot change what stands there.
import type { WebClient } from '@slack/web-api';
import type { LedgerEntry } from '../../../domain/afterwards/ledger.ts';
import type { Chained } from '../../../engine/ground/ledger.ts';
import type { Publisher } from '../../../engine/keep/anchors.ts';
import { counted, some } from '../../../words/pieces/counted.ts';
import { slackError } from '../connection/web-client.ts';
import { clean, code } from '../mrkdwn/mrkdwn.ts';

const ANCHOR_EVENT = 'tourniquet_anchor';

export interface Channel {
  client: WebClient;
  channel: string;
}

/** Between two of them the ends of incidents are anchored too; those would be noise here. */
export const slackPublisher = ({ client, channel }: Channel): Publisher => ({
  name: 'slack',
  async publish(entries) {
    const daily = entries.findLast(({ entry }) => entry.type === 'anchor' && entry.why === 'daily');
    if (daily === undefined) return;
    const { entry, mac } = daily;
    try {
      await client.chat.postMessage({
        channel,
        text: anchorText(daily, counts(entries)),
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: ANCHOR_EVENT, event_payload: { entry: entry.v, hash: mac } },
      });
    } catch (error) {
      throw slackError(error, channel);
    }
  },
});

/** What happened since the last one that was posted. */
function counts(entries: readonly Chained[]) {
  const of = (type: LedgerEntry['type']) => entries.filter(({ entry }) => entry.type === type);
  const changed = new Set(
    of('anchor').flatMap(({ entry }) => (entry.type === 'anchor' ? entry.heads.map(([id]) => id) : [])),
  );
  return { changed: changed.size, purged: of('purged').length };
}

function anchorText({ entry, mac }: Chained, { changed, purged }: ReturnType<typeof counts>): string {
  const lost = entry.type === 'anchor' ? (entry.lost ?? []) : [];
  const lines = [
    `Audit anchor ${entry.v}: ${code(mac)}`,
    `It covers every incident so far; since the last one here ${counted(changed, 'incident')} changed${purged > 0 ? ` and ${counted(purged, 'old one')} ${purged === 1 ? 'was' : 'were'} purged` : ''}. To check that nothing was removed since: ${code(`tourniquet audit verify --all --anchor ${mac.slice(0, 16)}`, 120)}`,
  ];
  if (lost.length === 0) return lines.join('\n');
  const names = some(
    lost.map((id) => code(clean(id, 20))),
    10,
  ).join(', ');
  return [
    `*The log of ${counted(lost.length, 'incident')} was removed or cut off:* ${names}. Somebody changed Redis, or it lost data. Run ${code('tourniquet audit verify --all')}.`,
    ...lines,
  ].join('\n');
}
