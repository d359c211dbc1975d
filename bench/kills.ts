// Sees each quarantine at the moment at which the API server has carried it out, on the clock of this process.
import type { LoggedRequest, SimulatedCluster } from 'kube-sandbox';

export interface Kill {
  /** As performance.now() counts. */
  at: number;
  /** Where the cluster is simulated. */
  request?: LoggedRequest;
}

export interface Kills {
  /** Resolves with the first kill of this Secret that was carried out; refused ones do not count. */
  of(path: string): Promise<Kill>;
}

const PATIENCE_MS = 30_000;

/** Who waits for the end of which Secret. */
export function createWaiting() {
  const waiting = new Map<string, (kill: Kill) => void>();
  return {
    isAwaited: (path: string): boolean => waiting.has(path),
    over: (path: string, kill: Kill): void => waiting.get(path)?.(kill),
    of: (path: string): Promise<Kill> =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`${path} was not killed within ${PATIENCE_MS / 1000} s.`));
        const timer = setTimeout(fail, PATIENCE_MS);
        waiting.set(path, (kill) => {
          clearTimeout(timer);
          waiting.delete(path);
          resolve(kill);
        });
      }),
  };
}

export function watchKills({ faults }: SimulatedCluster): Kills {
  const waiting = createWaiting();
  // A fault that never strikes: its matcher is asked directly before a request is carried out, which happens at one go.
  faults.delay(0, (request) => {
    const [path = ''] = request.path.split('?');
    if (request.method === 'PATCH' && waiting.isAwaited(path))
      queueMicrotask(() => {
        if (request.status === 200) waiting.over(path, { at: performance.now(), request });
      });
    return false;
  });
  return { of: waiting.of };
}
