// Calls something again and again, never twice at once.

/** The first call is at once, or after `firstAfter` milliseconds. `stop` waits for a call that is under way. */
export function every(
  ms: number,
  call: () => Promise<void>,
  failed: (error: unknown) => void,
  firstAfter = 0,
): { /** No further calls; may be said from within one. */ end(): void; stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();
  const next = (): void => {
    current = call()
      .catch(failed)
      .then(() => {
        if (!stopped) timer = setTimeout(next, ms);
      });
  };
  // Not in this turn: the call may want to use what this function returns.
  timer = setTimeout(next, firstAfter);
  return {
    end() {
      stopped = true;
      clearTimeout(timer);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
