// What `/rotate-sa` and `/restart-sa` have in common: a target, flags, perhaps a strategy, and a reason.

import { nearest } from '../../src/domain/kubernetes/near.ts';
import { STRATEGIES, type Strategy } from '../../src/domain/plan/goal.ts';
import { readTarget, readWords, shown, type Target } from './target.ts';

export interface Request {
  at: Target;
  strategy?: Strategy;
  dryRun: boolean;
  /** What only a person may say: Pods without an owner, of Jobs and of paused workloads are replaced too. */
  all: boolean;
  reason?: string;
}

export type Parsed =
  | { kind: 'help' }
  /** Nothing was typed. */
  | { kind: 'form' }
  | { kind: 'invalid'; message: string }
  | { kind: 'request'; request: Request };

const FLAGS = ['--dry-run', '--all'];
const TOKEN =
  'That holds a token, which this command does not take, and which is not kept: paste it into the form of `/revoke-sa`. Nothing was opened.';

export function parseRequest(
  text: string,
  about: { command: string; usage: string; strategies: boolean },
): Parsed {
  const { words, token } = readWords(text);
  if (token) return { kind: 'invalid', message: TOKEN };
  if (words.length === 0) return { kind: 'form' };
  // What follows it is the reason, whatever it looks like.
  const end = words.indexOf('--');
  const [typed, after] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end + 1)];
  const flags = typed.filter((word) => word.startsWith('--') || word.startsWith('—'));
  const [first, ...rest] = typed.filter((word) => !flags.includes(word));
  if (first === undefined || first === 'help') return { kind: 'help' };
  // Phones write one long dash for two short ones.
  const meant = flags.map((flag) => flag.replace(/^—/, '--'));
  const strange = meant.find((flag) => !FLAGS.includes(flag));
  if (strange !== undefined)
    return {
      kind: 'invalid',
      message: `There is no ${'`'}${shown(strange)}${'`'}: there are ${FLAGS.map((flag) => `${'`'}${flag}${'`'}`).join(' and ')}. Nothing was opened.`,
    };
  const at = readTarget(first, about);
  if ('problem' in at) return { kind: 'invalid', message: at.problem };
  const strategy = about.strategies ? readStrategy(rest[0]) : undefined;
  if (typeof strategy === 'object') return { kind: 'invalid', message: strategy.problem };
  const reason = [...rest.slice(strategy === undefined ? 0 : 1), ...after].join(' ');
  return {
    kind: 'request',
    request: {
      at,
      ...(strategy === undefined ? {} : { strategy }),
      dryRun: meant.includes('--dry-run'),
      all: meant.includes('--all'),
      ...(reason === '' ? {} : { reason }),
    },
  };
}

/** A word that is nearly a strategy is a typing error, not the beginning of a reason. */
function readStrategy(word: string | undefined): Strategy | { problem: string } | undefined {
  const found = STRATEGIES.find((strategy) => strategy === word);
  if (found !== undefined || word === undefined || !word.includes('-')) return found;
  const [near] = nearest(word, STRATEGIES);
  if (near === undefined) return undefined;
  return {
    problem: `There is no strategy ${'`'}${shown(word)}${'`'}. Did you mean ${'`'}${near}${'`'}? There are: ${STRATEGIES.join(', ')}. Nothing was opened.`,
  };
}
