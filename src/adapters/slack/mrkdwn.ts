// Turns facts into Slack mrkdwn: what came from outside is scrubbed, cut and escaped here and nowhere else.
import type { KnownBlock } from '@slack/types';
import { scrub } from '../../domain/leak-material.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** For plain_text objects, which need no escaping. Scrubbed before it is cut, so that no half of a token is left. */
export function plain(text: string, max = 300): string {
  const one = scrub(text).replaceAll(/\s+/g, ' ').trim();
  return one.length > max ? `${one.slice(0, max - 1)}…` : one;
}

/** Text from outside, as one line of mrkdwn. */
export const clean = (text: string, max = 300): string => escaped(plain(text, max));

/** Our own mrkdwn (refusals, errors), in which only tokens must not stand. */
export const own = (text: string): string => scrub(text).slice(0, 2900);

export const code = (text: string, max = 300): string => `\`${clean(text, max).replaceAll('`', "'")}\``;

/** Several lines as they stand, to be copied. Undefined: more than a section may hold. */
export function preformatted(text: string): string | undefined {
  const shown = `\`\`\`\n${escaped(scrub(text)).replaceAll('```', "'''").trimEnd()}\n\`\`\``;
  return shown.length > SECTION_MAX - 200 ? undefined : shown;
}

export const people = (ids: readonly string[]): string => ids.map((id) => `<@${clean(id, 30)}>`).join(', ');

/** "A, B or C": one of them is enough. */
export const anyOf = (ids: readonly string[]): string => people(ids).replace(/, (?=[^,]*$)/, ' or ');

export function link(url: string | undefined, text: string): string {
  const safe = url === undefined || !/^https?:\/\/[^\s<>|]{1,1500}$/.test(url) ? undefined : clean(url, 1600);
  return safe === undefined ? clean(text) : `<${safe}|${clean(text)}>`;
}

/** A moment, in the reader's own time zone. */
export function moment(ms: number): string {
  if (!Number.isFinite(new Date(ms).getTime())) return 'an unknown time';
  const iso = new Date(ms).toISOString().replace('T', ' ').slice(0, 16);
  return `<!date^${Math.floor(ms / 1000)}^{date_short_pretty} {time}|${iso} UTC>`;
}

export function span(ms: number): string {
  if (ms >= 0 && ms < 10_000)
    return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** At most `max` items; what is left out is counted. */
export function some(items: readonly string[], max: number, more = '(Details)'): string[] {
  if (items.length <= max) return [...items];
  return [...items.slice(0, max), `… and ${items.length - max} more ${more}`];
}

export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${n} ${n === 1 ? noun : plural}`;

const SECTION_MAX = 3000;

/** Lines as one section, whole lines left out where they would not within. */
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
