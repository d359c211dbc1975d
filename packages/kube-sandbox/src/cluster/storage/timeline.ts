// Runs delayed work by the cluster's own clock, so that a test that moves the clock moves Pods and deadlines with it.

interface Task {
  at: number;
  run: () => void;
}

const TICK_MS = 10;

export class Timeline {
  readonly #now: () => number;
  #tasks: Task[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Zero means right after the current work, whatever the clock says. */
  after(ms: number, run: () => void): void {
    if (this.#closed) return;
    if (ms <= 0) {
      setImmediate(() => this.#closed || run());
      return;
    }
    this.#tasks.push({ at: this.#now() + ms, run });
    this.#timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Runs what is due. Also called before each request, so that a moved clock is noticed at once. */
  tick(): void {
    const now = this.#now();
    const due = this.#tasks.filter((task) => task.at <= now).sort((a, b) => a.at - b.at);
    this.#tasks = this.#tasks.filter((task) => task.at > now);
    for (const task of due) task.run();
    if (this.#tasks.length === 0) this.#stopTimer();
  }

  close(): void {
    this.#closed = true;
    this.#tasks = [];
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
