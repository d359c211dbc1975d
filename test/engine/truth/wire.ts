// The product's own Kubernetes adapter on a simulated cluster without sockets: a handshake for each probe would be all that a long run does.
import type { SimulatedCluster } from 'kube-sandbox';
import { Dispatcher } from 'undici';
import {
  type Access,
  type Clock,
  type ConnectedCluster,
  type Connections,
  connectCluster,
} from './product.ts';

/** Told of every request before it is carried out. */
export type Ambush = (request: { method: string; path: string }) => Promise<void>;

/** `kubeconfig`: path of a file. */
export const connect = (
  cluster: SimulatedCluster,
  kubeconfig: string,
  clock: Clock,
  ambush: Ambush,
): ConnectedCluster =>
  connectCluster(
    { name: cluster.name, kubeconfig, searchNamespaces: [], timeout: 2000 },
    { now: clock.now, open: (access) => withoutSockets(access, cluster, ambush) },
  );

function withoutSockets(access: Access, cluster: SimulatedCluster, ambush: Ambush): Connections {
  const dispatcher = new InProcess(cluster, ambush);
  const own = async () => ({ dispatcher, headers: (await access.credential()).headers });
  return { kept: own, fresh: own, bare: () => dispatcher, abandon() {}, async close() {} };
}

class InProcess extends Dispatcher {
  readonly #cluster: SimulatedCluster;

  readonly #ambush: Ambush;

  constructor(cluster: SimulatedCluster, ambush: Ambush) {
    super();
    this.#cluster = cluster;
    this.#ambush = ambush;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const controller = new Controller();
    handler.onRequestStart?.(controller, {});
    this.#exchange(options).then(
      ({ status, body, headers = {} }) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        handler.onResponseStart?.(controller, status, { 'content-type': 'application/json', ...headers }, '');
        handler.onResponseData?.(controller, Buffer.from(text));
        handler.onResponseEnd?.(controller, {});
      },
      (error) => handler.onResponseError?.(controller, error),
    );
    return true;
  }

  async #exchange({ origin, path, method, headers, body }: Dispatcher.DispatchOptions) {
    const server = this.#cluster.servers.find(({ url }) => url === String(origin));
    if (server === undefined) throw Object.assign(new Error('nobody'), { code: 'ECONNREFUSED' });
    // A turn of the loop, as any network takes: what the cluster does at once is done meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#ambush({ method, path });
    const incoming = { method, url: path, headers: headers as Record<string, string> };
    return await server.ask(incoming, typeof body === 'string' ? body : '');
  }

  override async close(): Promise<void> {}
  override async destroy(): Promise<void> {}
}

/** Answers come whole and at once, so there is nothing to hold back; who aborts has lost interest. */
class Controller implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  pause(): void {}
  resume(): void {}
  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
  }
}
