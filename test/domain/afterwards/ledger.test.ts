// What an anchor has to say about the logs of all incidents, and what it must never take for the truth.
import { expect, it } from 'vitest';
import {
  compare,
  type LedgerEntry,
  type LogHead,
  learn,
  ledgerText,
  nothingKnown,
} from '../../../src/domain/afterwards/ledger.ts';

const at = '2026-11-24T03:00:00.000Z';
const anchor = (v: number, ...heads: LogHead[]): LedgerEntry => ({
  v,
  at,
  type: 'anchor',
  why: 'closed',
  heads,
});
const stub = {
  type: 'purged',
  entries: 2,
  head: 'h',
  openedAt: at,
  closedAt: at,
  as: 'resolved',
  by: 'b',
} as const;

const known = (...entries: LedgerEntry[]) => {
  const all = nothingKnown();
  for (const entry of entries) learn(all, entry);
  return all;
};
const before = () => known(anchor(1, ['a', 2, 'a2'], ['b', 5, 'b5']), anchor(2, ['b', 6, 'b6']));

it.each<[string, LogHead[], { heads: LogHead[]; lost: string[] }]>([
  [
    'nothing new',
    [
      ['a', 2, 'a2'],
      ['b', 6, 'b6'],
    ],
    { heads: [], lost: [] },
  ],
  [
    'one that went on',
    [
      ['a', 3, 'a3'],
      ['b', 6, 'b6'],
    ],
    { heads: [['a', 3, 'a3']], lost: [] },
  ],
  [
    'a new one',
    [
      ['a', 2, 'a2'],
      ['b', 6, 'b6'],
      ['c', 1, 'c1'],
    ],
    { heads: [['c', 1, 'c1']], lost: [] },
  ],
  ['one that is gone', [['b', 6, 'b6']], { heads: [], lost: ['a'] }],
  [
    'one that was cut off',
    [
      ['a', 2, 'a2'],
      ['b', 5, 'b5'],
    ],
    { heads: [], lost: ['b'] },
  ],
  [
    'another of the same length',
    [
      ['a', 2, 'x2'],
      ['b', 6, 'b6'],
    ],
    { heads: [], lost: ['a'] },
  ],
])('%s', (_, now, expected) => {
  expect(compare(before(), now)).toEqual(expected);
});

it('what was purged is not missed', () => {
  const all = before();
  learn(all, { ...stub, v: 3, at, incident: 'a' });
  expect(compare(all, [['b', 6, 'b6']])).toEqual({ heads: [], lost: [] });
});

it('the text is the same, in whatever order a log gives the keys back', () => {
  const entry: LedgerEntry = { v: 1, at, type: 'anchor', why: 'daily', heads: [['a', 1, 'h']], lost: ['z'] };
  const turned = Object.fromEntries(Object.entries(entry).toReversed()) as unknown as LedgerEntry;
  expect(ledgerText(turned)).toBe(ledgerText(entry));
  const purged: LedgerEntry = { ...stub, v: 2, at, incident: 'a' };
  const other = Object.fromEntries(Object.entries(purged).toReversed()) as unknown as LedgerEntry;
  expect(ledgerText(other)).toBe(ledgerText(purged));
});

it('an entry that only a newer version knows changes nothing of what is known', () => {
  const all = nothingKnown();
  const tomorrow: unknown = { v: 1, at: '2026-01-01T00:00:00.000Z', type: 'of-tomorrow' };
  learn(all, tomorrow as Parameters<typeof learn>[1]);
  expect(all).toEqual(nothingKnown());
});
