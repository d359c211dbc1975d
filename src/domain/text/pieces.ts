// Text in which people, user groups and emphasis are named and not yet drawn: every chat and the terminal draw them in their own way. Pure.

/** A string is just what it says; nothing in it means anything to whoever draws it. */
export type Piece =
  | string
  | { person: string }
  | { group: string }
  | { code: string }
  | { strong: Text }
  /** Unix milliseconds. */
  | { moment: number }
  /** Without an address that may be linked: the words alone. */
  | { link: string | undefined; words: string }
  /** What the chat is called in which this is read. */
  | { chat: 'name' };

export type Text = string | readonly Piece[];

type Value = Text | Piece | number;

const piecesOf = (value: Value): readonly Piece[] => {
  if (typeof value === 'number') return [String(value)];
  return isPieces(value) ? value : [value];
};

const isPieces = (value: Value): value is readonly Piece[] => Array.isArray(value);

/** A template whose values are texts, pieces and numbers. */
export function text(strings: TemplateStringsArray, ...values: Value[]): Text {
  const all = strings.flatMap((plain, index) => {
    const value = values[index];
    return [plain, ...(value === undefined ? [] : piecesOf(value))];
  });
  return all.filter((piece) => piece !== '');
}

/** The same, as one emphasised piece. */
export const strong = (strings: TemplateStringsArray, ...values: Value[]): Piece => ({
  strong: text(strings, ...values),
});

export const joined = (texts: readonly Value[], between: string): Text =>
  texts.flatMap((each, index) => [...(index === 0 ? [] : [between]), ...piecesOf(each)]);

export const pieces = (given: Text): readonly Piece[] => piecesOf(given);

export const isEmpty = (given: Text): boolean => given.length === 0;

/** Ids of people. */
export const people = (ids: readonly string[]): Text =>
  joined(
    ids.map((person) => ({ person })),
    ', ',
  );

export const CHAT: Piece = { chat: 'name' };
