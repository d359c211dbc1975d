// A second chat in fifty lines: one that knows nothing but lines of plain text, through the port that Slack's reporter fills.
import type { Policy } from '../../src/domain/rules/policy.ts';
import { type Piece, pieces, type Text } from '../../src/domain/text/pieces.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Reporter } from '../../src/ports/reporter.ts';
import { cardGroups } from '../../src/words/card/card.ts';
import { utc } from '../../src/words/pieces/moments.ts';
import { headline } from '../../src/words/standing/standing.ts';
import { milestones } from '../../src/words/thread/milestones.ts';

export interface PlainChat {
  policy: Policy;
  clock: Clock;
  /** Names of people and groups, by id. */
  names: Readonly<Record<string, string>>;
  say(line: string): void;
}

export function plainReporter({ policy, clock, names, say }: PlainChat): Reporter {
  return {
    name: 'plain',
    async report(incident, events, cursor) {
      const { level, title } = headline(incident, clock.now());
      say(`[${level}] ${title}`);
      if (cursor === 0)
        for (const { lines } of cardGroups(incident, { policy }, clock.now()))
          for (const line of lines) say(`  ${plainText(line, names)}`);
      for (const { lines, alone } of milestones(incident.id, events, cursor, policy)) {
        for (const line of lines) say(`> ${plainText(line, names)}`);
        for (const person of alone) say(`(to ${names[person] ?? person}) An incident waits for you.`);
      }
      return incident.version;
    },
  };
}

export const plainText = (text: Text, names: PlainChat['names']): string =>
  pieces(text)
    .map((piece) => drawn(piece, names))
    .join('');

function drawn(piece: Piece, names: PlainChat['names']): string {
  if (typeof piece === 'string') return piece;
  if ('person' in piece) return names[piece.person] ?? piece.person;
  if ('group' in piece) return names[piece.group] ?? piece.group;
  if ('code' in piece) return piece.code;
  if ('strong' in piece) return plainText(piece.strong, names);
  if ('moment' in piece) return utc(piece.moment);
  return 'chat' in piece ? 'this chat' : piece.words;
}
