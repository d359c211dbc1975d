// Tells whoever waits that something in the workspace changed, so that nobody has to poll.

export interface Changes {
  changed(): void;
  onChange(listener: () => void): () => void;
  waitFor<T>(predicate: () => T, ms?: number, what?: string): Promise<NonNullable<T>>;
  close(): void;
}

export function createChanges(): Changes {
  const listeners = new Set<() => void>();
  const giveUps = new Set<(error: Error) => void>();

  function onChange(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  function waitFor<T>(predicate: () => T, ms = 10_000, what = 'the condition'): Promise<NonNullable<T>> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        giveUps.delete(giveUp);
        stop();
        settle();
      };
      const giveUp = (error: Error) => finish(() => reject(error));
      const check = () => {
        try {
          const value = predicate();
          if (value) finish(() => resolve(value as NonNullable<T>));
        } catch (error) {
          giveUp(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => {
        giveUp(
          new Error(`Nothing satisfied ${what} within ${ms} ms; print transcript() to see what happened.`),
        );
      }, ms);
      const stop = onChange(check);
      giveUps.add(giveUp);
      check();
    });
  }

  return {
    changed: () => {
      for (const listener of [...listeners]) listener();
    },
    onChange,
    waitFor,
    close: () => {
      for (const giveUp of [...giveUps]) giveUp(new Error('The workspace was closed while waiting.'));
      listeners.clear();
    },
  };
}
