// Where in a text something stands that looks like a token: plain or in base64, wrapped in any way. Errs towards too much. Pure.

import { Chain, type Range } from './chain.ts';
import { chainsOf } from './chains.ts';
import { signatureLengths } from './jws.ts';
import { isAsWritten, reading } from './visible.ts';

export const DEPTH = 2;
const MIN_HEAD = 10;
/** Of the shortest signature there is, HMAC-SHA256. */
const MIN_SIGNATURE = 43;
const MIN_PAYLOAD = 40;
/** Shorter base64 cannot hold a token. */
const MIN_BASE64 = 80;
/** A line of a body of base64. */
const MIN_LINE = 20;
/** How many beginnings are tried before one dot, and how far before it. */
const MAX_TRIES = 8;
const MAX_HEAD = 4096;

/** `binary`: a character stands for a byte. */
export function tokenRanges(text: string, depth = DEPTH, binary = false): Range[] {
  // Most texts are a name or an id: too short for base64, nothing encoded, and no beginning of a token.
  if (text.length < MIN_BASE64 && !text.includes('eyJ') && isAsWritten(text)) return [];
  const read = reading(text, binary);
  if (!mayHold(read.text)) return [];
  const ranges: Range[] = [];
  for (const runs of chainsOf(read.text)) {
    const chain = new Chain(read.text, runs);
    for (const range of rangesIn(chain, depth)) {
      const [start, end] = chain.place(range);
      ranges.push([read.origin(start), read.origin(end)]);
    }
  }
  return ranges;
}

/** Tokens in lines of one width, whatever that is and whatever stands before each: whole, to the end that the algorithm names. */
export function* wrappedTokens(text: string): Generator<string> {
  const read = reading(text).text;
  if (!mayHold(read)) return;
  for (const runs of chainsOf(read)) {
    const chain = new Chain(read, runs);
    for (const [start, end] of plainRanges(chain)) {
      const token = chain.joined.slice(start, end);
      const [head = '', , signature = ''] = token.split('.');
      if (signatureLengths(head).includes(signature.length) && chain.isEven([start, end])) yield token;
    }
  }
}

const PLAIN = ['eyJ', 'e\0y\0J'];
/** What a text with a token in it holds somewhere, whatever stands before its base64. */
const ENCODED = [...PLAIN.flatMap(encodings), ...PLAIN.flatMap(encodings).flatMap(encodings)];
const SIGNS = new RegExp(['eyJ', ...ENCODED].join('|'));
const OTHER = /[^A-Za-z0-9]+/g;
const mayHold = (text: string): boolean => SIGNS.test(text.replace(OTHER, ''));

/** The characters that its base64 has in any case, at each of the three places of a group where it may begin. */
function encodings(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.from('\0'.repeat(before) + text, 'latin1');
    const [first, end] = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)];
    return bytes.toString('base64').slice(first, end);
  });
}

/** In offsets of what is joined. */
function* rangesIn(chain: Chain, depth: number): Generator<Range> {
  let from = 0;
  for (const plain of plainRanges(chain)) {
    yield* encodedRanges(chain, [from, plain[0]], depth);
    yield plain;
    from = plain[1];
  }
  yield* encodedRanges(chain, [from, chain.joined.length], depth);
}

function* plainRanges(chain: Chain): Generator<Range> {
  const { joined } = chain;
  let from = 0;
  for (let dot = joined.indexOf('.'); dot >= 0; dot = joined.indexOf('.', dot + 1)) {
    const range = rangeAround(chain, from, dot);
    from = dot + 1;
    if (range === undefined) continue;
    yield range;
    // Half a token may stand directly before another: then what looked like a signature is the claims of that one.
    if (joined.startsWith('.eyJ', range[1])) continue;
    from = range[1];
    dot = from - 1;
  }
}

/** `from`: where what stands before the dot begins. */
function rangeAround(chain: Chain, from: number, dot: number): Range | undefined {
  const { joined } = chain;
  const body = wordAt(joined, dot + 1);
  if (body.length < MIN_HEAD) return undefined;
  if (!body.startsWith('eyJ')) return withoutHeader(chain, from, dot, body.length);
  const strict = strictStart(chain, from, dot);
  const start = strict ?? (isWhole(chain, dot, MIN_HEAD) ? looseStart(chain, from, dot) : undefined);
  if (start === undefined) return undefined;
  const next = dot + 1 + body.length;
  if (joined.startsWith('.eyJ', next)) return [start, next];
  const signature = joined[next] === '.' ? wordAt(joined, next + 1) : '';
  if (signature === '') return [start, stretchEnd(chain, dot, next)];
  return [start, signatureEnd(chain, joined.slice(start, dot), next + 1, signature.length)];
}

/** The header is the same for every token of a key: the rest is as good as the whole. */
function withoutHeader(chain: Chain, from: number, dot: number, length: number): Range | undefined {
  if (length < MIN_SIGNATURE || !isWhole(chain, dot, MIN_SIGNATURE)) return undefined;
  const start = looseStart(chain, from, dot);
  if (start === undefined || dot - start < MIN_PAYLOAD) return undefined;
  return [start, stretchEnd(chain, dot, dot + 1 + length)];
}

/** What the algorithm says, at best where a line ended, for what follows may have been joined to it. */
function signatureEnd(chain: Chain, head: string, at: number, length: number): number {
  const fitting = signatureLengths(head).filter((one) => one <= length);
  const exact = fitting.findLast((one) => chain.breaksAt(at + one)) ?? fitting.at(-1);
  return exact === undefined ? stretchEnd(chain, at, at + length) : chain.runEnd(at + exact);
}

const stretchEnd = (chain: Chain, from: number, to: number): number =>
  chain.spaceAfter(from, to - 1) ?? chain.runEnd(to);

const isWhole = (chain: Chain, from: number, length: number): boolean =>
  chain.spaceAfter(from, from + length) === undefined;

/** A word that decodes to the header of a token: then it is one, whatever it was broken by. */
function strictStart(chain: Chain, from: number, dot: number): number | undefined {
  const first = Math.max(from, dot - MAX_HEAD);
  const part = chain.joined.slice(first, dot);
  let at = part.length - MIN_HEAD;
  for (let tries = 0; tries < MAX_TRIES && at >= 0; at--) {
    at = part.lastIndexOf('eyJ', at);
    if (at < 0) return undefined;
    if (!chain.breaksAt(first + at) && /\w/.test(part[at - 1] ?? '')) continue;
    tries++;
    if (signatureLengths(part.slice(at)).length > 0) return first + at;
  }
  return undefined;
}

/** Whatever begins as one does, in one piece but for the ends of lines. */
function looseStart(chain: Chain, from: number, dot: number): number | undefined {
  const begin = chain.spaceBefore(dot, from);
  const part = chain.joined.slice(begin, dot);
  const word = Math.max(part.lastIndexOf('='), part.lastIndexOf('/'), part.lastIndexOf('+')) + 1;
  const at = part.indexOf('eyJ', word);
  return at >= 0 && part.length - at >= MIN_HEAD ? begin + at : undefined;
}

const WORD = /[\w-]*/y;
function wordAt(text: string, at: number): string {
  WORD.lastIndex = at;
  return WORD.exec(text)?.[0] ?? '';
}

const BASE64 = new RegExp(`[\\w+/-]{${MIN_BASE64},}`, 'g');

function* encodedRanges(chain: Chain, [from, to]: Range, depth: number): Generator<Range> {
  if (depth === 0) return;
  for (let start = from; to - start >= MIN_BASE64; ) {
    const end = chain.spaceAfter(start, to - 1) ?? to;
    for (const { 0: part, index } of chain.joined.slice(start, end).matchAll(BASE64)) {
      const at = start + index;
      for (const [a, b] of decodedRanges(part, depth - 1))
        yield chain.lines([at + a, at + b], [at, at + part.length], MIN_LINE);
    }
    start = end;
  }
}

const LONG_WORD = /[\w+/-]{20}/;

/** Something may stand directly before the base64, such as a path: one of the four offsets is the right one. */
function decodedRanges(part: string, depth: number): Range[] {
  if (!SIGNS.test(part)) return [];
  return [0, 1, 2, 3].flatMap((skip) => {
    const text = Buffer.from(part.slice(skip), 'base64').toString('latin1');
    if (!PLAIN.some((sign) => text.includes(sign)) && !(depth > 0 && LONG_WORD.test(text))) return [];
    return tokenRanges(text, depth, true).map(
      ([a, b]): Range => [
        skip + Math.floor((a * 4) / 3),
        Math.min(part.length, skip + Math.ceil((b * 4) / 3)),
      ],
    );
  });
}
