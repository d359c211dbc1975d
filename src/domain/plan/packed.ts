// Puts many short pieces into few notes, each of which is shown whole: notes are cut where they are shown, and half a command is none.
const LONGEST = 800;

export function packed(opening: string, pieces: readonly string[]): string[] {
  const notes: string[] = [];
  for (const piece of pieces) {
    const last = notes.at(-1);
    if (last !== undefined && last.length + piece.length + 3 <= LONGEST)
      notes[notes.length - 1] = `${last} ; ${piece}`;
    else notes.push(`${opening} ${piece}`);
  }
  return notes;
}
