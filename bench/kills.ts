// Sees each quarantine at the moment at which the API server has carried it out, on the clock of this process.
import type { SimulatedCluster } from '../sandbox/cluster/cluster.ts';
import type { LoggedRequest } from '../sandbox/cluster/faults.ts';

export interface Kill {
  /** As performance.now() counts. */
  at: number;
  request: LoggedRequest;
}

export interface Kills {
  /** Resolves with the first PATCH of this path that was carried out; refused ones do not count. */
  of(path: string): Promise<Kill>;
}

const PATIENCE_MS = 30_000;

export function watchKills({ faults }: SimulatedCluster): Kills {
  const waiting = new Map<string, (kill: Kill) => void>();
  // A fault that never strikes: its matcher is asked directly before a request is carried out, which happens at one go.
  faults.delay(0, (request) => {
    const [path = ''] = request.path.split('?');
    const found = request.method === 'PATCH' ? waiting.get(path) : undefined;
    if (found) queueMicrotask(() => request.status === 200 && found({ at: performance.now(), request }));
    return false;
  });
  return {
    of(path) {
      return new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`${path} was not patched within ${PATIENCE_MS / 1000} s.`));
        const timer = setTimeout(fail, PATIENCE_MS);
        waiting.set(path, (kill) => {
          clearTimeout(timer);
          waiting.delete(path);
          resolve(kill);
        });
      });
    },
  };
}
