// A load balancer as simple as can be: each new connection goes to the server that is chosen, and stays there.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Agent, request } from 'undici';

export interface Balancer {
  /** HTTP statuses of so many questions over one connection, which this server got. */
  askOverOneConnection(
    caPem: string,
    token: string,
    ask: { times: number; server: number },
  ): Promise<number[]>;
  close(): Promise<void>;
}

export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  let chosen = 0;
  const sockets = new Set<Socket>();
  const balancer = createServer((client) => {
    const server = connect(Number(new URL(urls[chosen] ?? '').port), '127.0.0.1');
    // The next connection would go to the other.
    chosen = (chosen + 1) % urls.length;
    for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
    client.pipe(server).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const url = `https://127.0.0.1:${(balancer.address() as AddressInfo).port}`;
  return {
    async askOverOneConnection(ca, token, { times, server }) {
      chosen = server;
      const kept = new Agent({ connect: { ca }, connections: 1 });
      const statuses: number[] = [];
      try {
        for (let i = 0; i < times; i++) statuses.push(await ask(kept, url, token));
      } finally {
        await kept.destroy();
      }
      return statuses;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      balancer.close();
      await once(balancer, 'close');
    },
  };
}

async function ask(dispatcher: Agent, url: string, token: string): Promise<number> {
  const answer = await request(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }),
  });
  await answer.body.dump();
  return answer.statusCode;
}
