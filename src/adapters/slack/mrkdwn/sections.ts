// Lines of mrkdwn as blocks, within what Slack takes.
import type { KnownBlock } from '@slack/types';
import { counted } from '../../../words/pieces/counted.ts';

export const SECTION_MAX = 3000;

/** Lines as one section, whole lines left out where they would not fit. */
export function section(id: string, lines: readonly string[]): KnownBlock {
  return { type: 'section', block_id: id, text: { type: 'mrkdwn', text: within(lines, SECTION_MAX) } };
}

export function within(lines: readonly string[], max: number): string {
  const kept: string[] = [];
  let left = max - 40;
  for (const line of lines) {
    if (line.length + 1 > left) break;
    kept.push(line);
    left -= line.length + 1;
  }
  const missing = lines.length - kept.length;
  return missing === 0
    ? kept.join('\n')
    : [...kept, `… and ${counted(missing, 'more line')} (Details)`].join('\n');
}

export const context = (id: string, lines: readonly string[]): KnownBlock => ({
  type: 'context',
  block_id: id,
  elements: [{ type: 'mrkdwn', text: within(lines, SECTION_MAX) }],
});
