// Turns words and facts into Slack mrkdwn: what means something to Slack is escaped here and nowhere else.

import { type Piece, pieces, type Text } from '../../../domain/text/pieces.ts';
import { scrub } from '../../../domain/token/leak-material.ts';
import { utc } from '../../../words/pieces/moments.ts';
import { plain } from '../../../words/pieces/plain.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const mrkdwn = (text: Text): string => pieces(text).map(drawn).join('');

function drawn(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece);
  if ('person' in piece) return `<@${clean(piece.person, 30)}>`;
  if ('group' in piece) return `<!subteam^${clean(piece.group, 30)}>`;
  if ('code' in piece) return `\`${escaped(piece.code).replaceAll('`', "'")}\``;
  if ('strong' in piece) return `*${mrkdwn(piece.strong)}*`;
  if ('moment' in piece) return moment(piece.moment);
  return 'chat' in piece ? 'Slack' : link(piece.link, piece.words);
}

/** Text from outside, as one line of mrkdwn. */
export const clean = (text: string, max = 300): string => escaped(plain(text, max));

/** Our own mrkdwn (refusals, errors), in which only tokens must not stand. */
export const own = (text: string): string => scrub(text).slice(0, 2900);

export const code = (text: string, max = 300): string => drawn({ code: plain(text, max) });

/** Several lines as they stand, to be copied. Undefined: longer than `max`. */
export function preformatted(text: string, max: number): string | undefined {
  const shown = `\`\`\`\n${escaped(scrub(text)).replaceAll('```', "'''").trimEnd()}\n\`\`\``;
  return shown.length > max ? undefined : shown;
}

export const people = (ids: readonly string[]): string => ids.map((person) => drawn({ person })).join(', ');

export function link(url: string | undefined, text: string): string {
  const safe = url === undefined || !/^https?:\/\/[^\s<>|]{1,1500}$/.test(url) ? undefined : clean(url, 1600);
  return safe === undefined ? clean(text) : `<${safe}|${clean(text)}>`;
}

/** A moment, in the reader's own time zone. */
export function moment(ms: number): string {
  const shown = utc(ms);
  return Number.isFinite(new Date(ms).getTime())
    ? `<!date^${Math.floor(ms / 1000)}^{date_short_pretty} {time}|${shown}>`
    : shown;
}
