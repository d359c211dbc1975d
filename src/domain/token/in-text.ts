// Finds tokens in text of any origin: wrapped over lines, quoted, in base64, or base64 of base64.

import { signatureLengths } from '../text/jws.ts';
import { readClaims, TRUNCATED } from './claims.ts';

/** What joins again into one unbroken stretch of token or base64 characters. */
export interface Block {
  start: number;
  end: number;
  joined: string;
  /** Offsets in `joined` at which a line ended. */
  breaks: number[];
}

const DEPTH = 2;
/** Of the shortest signature there is, HMAC-SHA256. */
const MIN_SIGNATURE = 43;
/** Shorter base64 cannot hold a token. */
const MIN_BASE64 = 80;
// One character class and no alternatives inside the repetition: linear whatever the text.
const RUN = /[A-Za-z0-9+/_.=-]{20,}/g;
/** A further line that is nothing but such characters; the break may be written out as in JSON or escaped as in YAML. */
const NEXT_LINE =
  /\\?[ \t]*(?:\r?\n|(?:\\r)?\\n)[ \t>|"']*([A-Za-z0-9+/_.=-]+)(?=["',;)\]}\\]{0,3}[ \t]*(?:\r|\n|\\n|\\r|$))/y;

export function* blocksOf(text: string): Generator<Block> {
  for (let from = 0; ; ) {
    RUN.lastIndex = from;
    const first = RUN.exec(text);
    if (first === null) return;
    const block = { start: first.index, end: RUN.lastIndex, joined: first[0], breaks: [first[0].length] };
    joinLines(text, block);
    from = block.end;
    yield block;
  }
}

/** Wrapped lines are all equally long but the last, which tells them from a next line that is something else. */
function joinLines(text: string, block: Block): void {
  const lines = [block.joined];
  let chars = block.joined.length;
  for (let width = Number.POSITIVE_INFINITY; ; ) {
    NEXT_LINE.lastIndex = block.end;
    const line = NEXT_LINE.exec(text)?.[1];
    const last = lines[lines.length - 1] ?? '';
    if (line === undefined || line.length > width || last.endsWith('=')) break;
    if (/^(?:eyJ|ZXlK)/.test(line) && !last.endsWith('.')) break;
    block.end = NEXT_LINE.lastIndex;
    lines.push(line);
    chars += line.length;
    block.breaks.push(chars);
    if (width !== Number.POSITIVE_INFINITY && line.length < width) break;
    width = line.length;
  }
  if (lines.length > 1) block.joined = lines.join('');
}

/** The text itself and whatever its base64 decodes to. */
export function* layersOf(text: string, depth = DEPTH): Generator<{ text: string; blocks: Block[] }> {
  const blocks = [...blocksOf(text)];
  yield { text, blocks };
  if (depth === 0) return;
  for (const block of blocks) yield* decodedOf(block, depth - 1);
}

function* decodedOf(block: Block, depth: number): Generator<{ text: string; blocks: Block[] }> {
  for (const part of block.joined.split(/[.=]+/)) {
    if (part.length < MIN_BASE64) continue;
    // Something may stand directly before the base64, such as a path: one of the four offsets is the right one.
    for (let skip = 0; skip < 4; skip++)
      yield* layersOf(Buffer.from(part.slice(skip), 'base64').toString('latin1'), depth);
  }
}

/** Where something begins that looks like the first two parts of a token, with the pieces from there on. */
function* startsOf(
  block: Block,
): Generator<{ at: number; head: string; body: string; rest: string | undefined }> {
  const parts = block.joined.split('.');
  let offset = 0;
  for (const [i, part] of parts.entries()) {
    const body = parts[i + 1];
    const from = part.indexOf(
      'eyJ',
      Math.max(part.lastIndexOf('='), part.lastIndexOf('/'), part.lastIndexOf('+')) + 1,
    );
    if (
      from >= 0 &&
      part.length - from >= 10 &&
      body !== undefined &&
      body.length >= 10 &&
      body.startsWith('eyJ')
    )
      yield { at: offset + from, head: part.slice(from), body, rest: parts[i + 2] };
    offset += part.length + 1;
  }
}

/** Every ServiceAccount token in the block; `problem` hears why something that looks like one is not. */
export function* tokensIn(block: Block, problem: (sentence: string) => void): Generator<string> {
  for (const { at, head, body, rest = '' } of startsOf(block)) {
    const signature = /^[\w-]*/.exec(rest)?.[0] ?? '';
    if (signature.length < MIN_SIGNATURE) {
      problem(TRUNCATED);
      continue;
    }
    const begin = at + head.length + body.length + 2;
    const fitting = signatureLengths(head).filter((length) => length <= signature.length);
    // What follows the signature may have been joined to it: prefer a length at which a line ended.
    const length = fitting.findLast((one) => block.breaks.includes(begin + one)) ?? fitting.at(-1);
    const token = `${head}.${body}.${signature.slice(0, length)}`;
    const claims = readClaims(token);
    if ('problem' in claims) problem(claims.problem);
    else yield token;
  }
}
