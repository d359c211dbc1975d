// One chain of runs as if it were one word, and the way back from there to the text. Pure.

/** What separates two runs of such characters: the end of a line with what begins the next one, or mere space. */
export type Gap = 'line' | 'space';

export interface Run {
  start: number;
  end: number;
  /** What is between this run and the one before it in its chain. */
  gap: Gap | undefined;
}

export type Range = readonly [start: number, end: number];

export class Chain {
  readonly joined: string;
  readonly #runs: readonly Run[];
  /** Where each run begins in `joined`. */
  readonly #starts: number[] = [];

  constructor(text: string, runs: readonly Run[]) {
    let length = 0;
    for (const { start, end } of runs) {
      this.#starts.push(length);
      length += end - start;
    }
    this.#runs = runs;
    this.joined = runs.map(({ start, end }) => text.slice(start, end)).join('');
  }

  /** Where in the text a range of `joined` is. */
  place([start, end]: Range): Range {
    return [this.#origin(start), this.#origin(end - 1) + 1];
  }

  /** Whether a run ends here. */
  breaksAt(offset: number): boolean {
    return offset === this.joined.length || this.#starts[this.#indexOf(offset)] === offset;
  }

  /** The end of the run in which this ends. */
  runEnd(end: number): number {
    return this.#starts[this.#indexOf(end - 1) + 1] ?? this.joined.length;
  }

  /** The first place behind `from`, up to `to`, where there is space in the text. */
  spaceAfter(from: number, to: number): number | undefined {
    for (let i = this.#indexOf(from) + 1; i < this.#starts.length; i++) {
      const start = this.#starts[i] ?? 0;
      if (start > to) return undefined;
      if (this.#gap(i) === 'space') return start;
    }
    return undefined;
  }

  /** The last place up to `to`, and behind `from`, where there is space in the text; or `from`. */
  spaceBefore(to: number, from: number): number {
    for (let i = this.#indexOf(to); i > 0; i--) {
      const start = this.#starts[i] ?? 0;
      if (start <= from) return from;
      if (this.#gap(i) === 'space') return start;
    }
    return from;
  }

  /** Whole lines around a range, as long as they are lines of one body: `least` characters, and within bounds. */
  lines([start, end]: Range, [low, high]: Range, least: number): Range {
    let [first, last] = [this.#indexOf(start), this.#indexOf(end - 1)];
    while (first > 0 && (this.#starts[first] ?? 0) > low && this.#length(first - 1) >= least) first--;
    while ((this.#starts[last + 1] ?? high) < high && this.#length(last + 1) >= least) last++;
    return [this.#starts[first] ?? 0, this.#starts[last + 1] ?? this.joined.length];
  }

  /** Whether it is in lines of one width, of which the first may begin and the last may end within something else. */
  isEven([start, end]: Range): boolean {
    const [first, last] = [this.#indexOf(start), this.#indexOf(end - 1)];
    for (let i = first + 1; i <= last; i++)
      if (this.#gap(i) !== 'line' || (i < last && this.#length(i) !== this.#length(first + 1))) return false;
    return true;
  }

  #length(i: number): number {
    return (this.#starts[i + 1] ?? this.joined.length) - (this.#starts[i] ?? 0);
  }

  #gap(i: number): Gap | undefined {
    return this.#runs[i]?.gap;
  }

  #origin(offset: number): number {
    const i = this.#indexOf(offset);
    return (this.#runs[i]?.start ?? 0) + offset - (this.#starts[i] ?? 0);
  }

  /** Of the run that holds this offset. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
