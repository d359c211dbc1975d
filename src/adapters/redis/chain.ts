// The keyed chain through an incident's events: what was written can be neither edited, moved nor removed unnoticed.
import { createHmac } from 'node:crypto';

export const MAC_LENGTH = 64;

export type ChainCheck =
  /** `head` is '' for no entries at all. */
  | { intact: true; texts: string[]; macs: string[]; head: string }
  /** `entry` counts from 1. */
  | { intact: false; entry: number; intactBefore: string };

export function macOf(key: Buffer, previous: string, id: string, text: string): string {
  return createHmac('sha256', key).update(`${previous}\n${id}\n${text}`).digest('hex');
}

/** An entry is `<mac> <json>`. `after`: the keyed hash of the entry before the first. */
export function checkChain(key: Buffer, id: string, entries: string[], after = ''): ChainCheck {
  const texts: string[] = [];
  const macs: string[] = [];
  let head = after;
  for (const [i, entry] of entries.entries()) {
    const text = entry.slice(MAC_LENGTH + 1);
    const mac = macOf(key, head, id, text);
    if (!entry.startsWith(mac) || entry[MAC_LENGTH] !== ' ')
      return { intact: false, entry: i + 1, intactBefore: head };
    texts.push(text);
    macs.push(mac);
    head = mac;
  }
  return { intact: true, texts, macs, head };
}
