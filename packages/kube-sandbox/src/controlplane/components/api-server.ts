// Runs the API servers of the control plane, each of which a test may stop and start.
import type { Call } from '../client/call.ts';
import { type ApiServerPlace, apiServerFlags } from './flags.ts';
import type { Workplace } from './workplace.ts';

export interface ApiServer {
  readonly url: string;
  /** host:port */
  readonly address: string;
  readonly pid: number;
  /** Ends it at once, as a node failure would. */
  stop(): Promise<void>;
  /** On the same port; resolves when it is ready. */
  start(): Promise<void>;
  /** Waits, after its etcd was away. */
  untilReady(): Promise<void>;
}

export function createApiServer(place: Workplace, call: Call, flags: ApiServerPlace): ApiServer {
  const { port, index } = flags;
  const component = `kube-apiserver-${index}`;
  const isReady = async (): Promise<boolean> => {
    const answer = await call('GET', '/readyz', { server: index }).catch(() => undefined);
    return answer?.status === 200;
  };
  return {
    url: `https://127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    get pid() {
      return place.running(component)?.pid ?? 0;
    },
    stop: async () => place.running(component)?.kill(),
    async start() {
      const server = await place.start(component, apiServerFlags(flags));
      await server.until(isReady);
    },
    untilReady: async () => place.running(component)?.until(isReady),
  };
}
