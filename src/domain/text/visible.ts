// Reads text as whoever it is meant for would: without colours, tags and invisible marks, and with what was encoded decoded. Pure.

export interface Reading {
  text: string;
  /** Where in the original text that is of which this character was made; the end answers the end. */
  origin(offset: number): number;
}

/** Encodings may lie over one another, such as a colour that JSON wrote out. */
const MAX_PASSES = 4;

const CONTROL = String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f]`;
/** Where a mark may begin: everything else is passed over quickly. */
const FIRST_OF_BYTES = new RegExp(String.raw`[%&\\=<^[({]|${CONTROL}`, 'g');
const FIRST = new RegExp(String.raw`[%&\\=<^[({]|${CONTROL}|[^\0-\x7f]`, 'gu');

// Every repetition is bounded, so that looking at one mark takes no longer in a long text.
const MARK = new RegExp(
  [
    // Colours and other commands to a terminal, also as `cat -v` shows them, or where something took the escape out.
    String.raw`(?<drop>\x1b\[[0-?]{0,60}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,60}(?:\x07|\x1b\\)|\x1b[()][\dAB]|\^\[\[[\d;]{0,20}[A-Za-z]|\[\d[\d;]{0,20}[mK])`,
    String.raw`<\/?(?<tag>[A-Za-z][A-Za-z\d]{0,9})(?:\s[^<>]{0,60})?\/?>`,
    String.raw`%(?:25){0,4}(?<percent>[0-7][\dA-Fa-f])`,
    String.raw`&(?:amp;){0,3}(?:#0{0,6}(?<decimal>\d{1,7});?|#[xX]0{0,6}(?<hex>[\dA-Fa-f]{1,6});?|(?<entity>[A-Za-z]{2,16});)`,
    String.raw`\\{1,8}(?:u\{0{0,4}(?<point>[\dA-Fa-f]{1,5})\}|u(?<unit>[\dA-Fa-f]{4})|x(?<byte>[\dA-Fa-f]{2})|(?<octal>[0-3][0-7]{2})|(?<written>[nrtfvab/.=+_"'-]|e(?=\[)))`,
    // Quoted-printable, as mail has it.
    String.raw`(?<soft>(?<!=)=[ \t]{0,4}\r?\n(?=[\w.-]{1,76}(?:=?\r?\n|$|[\s"'<])))|=(?<quoted>[2-7][\dA-F])`,
    String.raw`(?<dot>\[\.\]|\(\.\)|\{\.\}|[[({]dot[\])}])`,
    String.raw`(?<line>[\x0b\x0c])|(?<control>[\0-\x08\x0e-\x1f\x7f])|(?<wide>[^\0-\x7f])`,
  ].join('|'),
  'uy',
);

const ENTITIES: Record<string, string> = {
  period: '.',
  lowbar: '_',
  UnderBar: '_',
  hyphen: '-',
  dash: '-',
  equals: '=',
  plus: '+',
  sol: '/',
  quot: '"',
  apos: "'",
  lt: '<',
  gt: '>',
  amp: '&',
  Tab: '\t',
  NewLine: '\n',
  nbsp: ' ',
  shy: '',
  zwj: '',
  zwnj: '',
  ZeroWidthSpace: '',
  NoBreak: '',
};
const ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\n',
  f: '\n',
  v: '\n',
  t: '\t',
  a: '',
  b: '',
  e: '\x1b',
};
const BREAKING_TAGS = /^(?:br|p|div|li|tr|pre)$/i;
const MARKS = /\p{M}/gu;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{M}\u2800]/u;

/** Whether there is nothing in it that could be read differently. */
export const isAsWritten = (text: string): boolean => text.search(FIRST) < 0;

/** `binary`: what was decoded, of which a character stands for a byte and not for what people see. */
export function reading(text: string, binary = false): Reading {
  let current: Reading = { text, origin: (offset) => offset };
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = readOnce(current.text, binary ? FIRST_OF_BYTES : FIRST);
    if (next === undefined) break;
    const { origin } = current;
    current = { text: next.text, origin: (offset) => origin(next.origin(offset)) };
  }
  return current;
}

/** Undefined: there is nothing to be read differently. */
function readOnce(text: string, first: RegExp): Reading | undefined {
  const pieces: string[] = [];
  /** Where each stretch begins in what is read, and in `text`. */
  const [at, from]: [number[], number[]] = [[0], [0]];
  let [length, kept] = [0, 0];
  const add = (piece: string, source: number): void => {
    at.push(length);
    from.push(source);
    pieces.push(piece);
    length += piece.length;
  };
  first.lastIndex = 0;
  for (let found = first.exec(text); found !== null; found = first.exec(text)) {
    MARK.lastIndex = found.index;
    const mark = MARK.exec(text);
    const read = mark?.groups && readMark(mark.groups);
    if (mark === null || read === undefined || read === mark[0]) continue;
    if (found.index > kept) add(text.slice(kept, found.index), kept);
    add(read, found.index);
    kept = found.index + mark[0].length;
    first.lastIndex = kept;
  }
  if (kept === 0) return undefined;
  add(text.slice(kept), kept);
  return {
    text: pieces.join(''),
    origin: (offset) => originOf(offset, at, from, { length, end: text.length }),
  };
}

function originOf(
  offset: number,
  at: readonly number[],
  from: readonly number[],
  { length, end }: { length: number; end: number },
): number {
  if (offset >= length) return end;
  let [low, high] = [0, at.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((at[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return (from[low] ?? 0) + offset - (at[low] ?? 0);
}

/** What stands there for whoever reads it; undefined: just what is written. */
function readMark(mark: Record<string, string | undefined>): string | undefined {
  const { drop, soft, control, line, dot, tag, entity, written, decimal, octal, wide } = mark;
  if (drop !== undefined || soft !== undefined || control !== undefined) return '';
  if (line !== undefined) return '\n';
  if (dot !== undefined) return '.';
  if (tag !== undefined) return BREAKING_TAGS.test(tag) ? '\n' : '';
  if (entity !== undefined) return ENTITIES[entity];
  if (written !== undefined) return ESCAPES[written] ?? written;
  if (decimal !== undefined) return character(Number(decimal));
  if (octal !== undefined) return character(Number.parseInt(octal, 8));
  if (wide !== undefined) return readWide(wide);
  const hex = mark.percent ?? mark.hex ?? mark.point ?? mark.unit ?? mark.byte ?? mark.quoted;
  return hex === undefined ? undefined : character(Number.parseInt(hex, 16));
}

const character = (code: number): string | undefined =>
  code <= 0x10ffff ? String.fromCodePoint(code) : undefined;

/** Letters of other widths and styles are the plain ones, as far as those exist. */
function readWide(char: string): string {
  if (char === '\u0085' || char === '\u2028' || char === '\u2029') return '\n';
  if (char === '\u3002' || char === '\uff61') return '.';
  if (INVISIBLE.test(char)) return '';
  const plain = char.normalize('NFKD').replace(MARKS, '');
  return plain.length === 1 && plain <= '\x7f' ? plain : char;
}
