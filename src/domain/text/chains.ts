// Joins what stands on several lines, or apart, into one: the characters of tokens and base64, without what is between them. Pure.
import type { Run } from './chain.ts';

const RUN = /[A-Za-z0-9+/_.=-]+/g;
/** The signs by which code puts strings together. */
const JOINING = ['+', '.'];
const LINE_END = /\r\n|\r|\n/g;
/** What may follow a run at the end of its line: quotes, commas, the signs by which code puts text together. */
const TAIL = /^["'`,;)\]}\\+&. \t]{0,12}$/;
/** What may stand before the next: marks of quotations, comments and lists. */
const HEAD = /^[ \t>|"'`#*]{0,200}$/;
const SPACE = /^[ \t]{1,8}$/;
/** Of what a log or a listing puts before each line: a time, a number, a name. */
const MAX_PREFIX = 120;
const MAX_GAP = 400;
const MAX_BLANK_LINES = 2;

/** Runs that may belong together, in the order of the text. */
export function* chainsOf(text: string): Generator<Run[]> {
  let chain: Run[] = [];
  let line = 0;
  for (let run = nextRun(text, 0); run !== undefined; ) {
    const last = chain.at(-1)?.end ?? 0;
    const lineStart = startOfLine(text, run.start, last);
    const joined: Run | undefined =
      chain.length === 0
        ? undefined
        : lineStart === undefined
          ? inLine(text, last, run)
          : overLines(text, chain, { line, lineStart });
    if (lineStart !== undefined) line = lineStart;
    if (joined === undefined) {
      if (chain.length > 0) yield chain;
      chain = [run];
    } else chain.push(joined);
    run = nextRun(text, (joined ?? run).end);
  }
  if (chain.length > 0) yield chain;
}

function nextRun(text: string, from: number): Run | undefined {
  RUN.lastIndex = from;
  for (let found = RUN.exec(text); found !== null; found = RUN.exec(text)) {
    const { 0: run, index: start } = found;
    // Between two strings in code it is no part of either.
    if (JOINING.includes(run) && /["'`] ?$/.test(text.slice(Math.max(0, start - 2), start))) continue;
    return { start, end: RUN.lastIndex, gap: undefined };
  }
  return undefined;
}

/** Where the line of `at` begins, if that is behind `after`: nothing before is looked at twice. */
function startOfLine(text: string, at: number, after: number): number | undefined {
  const between = text.slice(after, at);
  const end = Math.max(between.lastIndexOf('\n'), between.lastIndexOf('\r'));
  return end < 0 ? undefined : after + end + 1;
}

const inLine = (text: string, last: number, run: Run): Run | undefined =>
  run.start - last <= 8 && SPACE.test(text.slice(last, run.start)) ? { ...run, gap: 'space' } : undefined;

/** The first run of a line behind what every line begins with, where nothing but the end of a line is before it. */
function overLines(
  text: string,
  chain: readonly Run[],
  { line, lineStart }: { line: number; lineStart: number },
): Run | undefined {
  const last = chain.at(-1)?.end ?? 0;
  const [tail = '', ...blank] = text.slice(last, Math.min(lineStart, last + MAX_GAP)).split(LINE_END);
  if (!TAIL.test(tail) || blank.length > MAX_BLANK_LINES + 1 || blank.some((one) => one.trim() !== ''))
    return;
  const marked = isMarked(text, chain, { line, lineStart }) ? [lineStart + 1] : [];
  for (const prefix of [...marked, ...commonPrefixes(text, line, lineStart)]) {
    const run = nextRun(text, prefix);
    if (run && run.start - prefix <= MAX_GAP && HEAD.test(text.slice(prefix, run.start)))
      return { ...run, gap: 'line' };
  }
  return undefined;
}

/** Ends of what both lines begin with, but for numbers and the width of space; whole words only, the longest first. */
function commonPrefixes(text: string, first: number, second: number): number[] {
  const found = [second];
  let [i, j] = [first, second];
  while (j - second < MAX_PREFIX && i - first < MAX_PREFIX) {
    const [a, b] = [text.charCodeAt(i), text.charCodeAt(j)];
    const is = [isDigit, isSpace].find((kind) => kind(a) && kind(b));
    if (is === undefined && (a !== b || a === 10 || a === 13)) break;
    i = is ? past(is, text, i) : i + 1;
    j = is ? past(is, text, j) : j + 1;
    if (is === isSpace || SEPARATORS.includes(a)) found.push(j);
  }
  return found.reverse();
}

/** Lines that were added, removed or commented out begin with what may be a character of base64, too. */
const MARKS = '+-/';

/** Whether that begins every line: it did before, or the line before is no further line of the same width. */
function isMarked(
  text: string,
  chain: readonly Run[],
  { line, lineStart }: { line: number; lineStart: number },
): boolean {
  const [before, last] = chain.slice(-2);
  const mark = text[lineStart] ?? ' ';
  if (!MARKS.includes(mark) || text[line] !== mark) return false;
  const run = last ?? before;
  if (run === undefined || run.start > line) return run?.start === line + 1;
  if (last?.gap !== 'line' || before === undefined) return true;
  const isLine = /[\r\n]/.test(text[before.start - 1] ?? '\n');
  return !isLine || before.end - before.start !== run.end - run.start;
}

const SEPARATORS = [...'|>:"\'`])'].map((char) => char.charCodeAt(0));
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isSpace = (code: number): boolean => code === 32 || code === 9;

function past(is: (code: number) => boolean, text: string, at: number): number {
  let end = at;
  while (end - at < MAX_PREFIX && is(text.charCodeAt(end))) end++;
  return end;
}
