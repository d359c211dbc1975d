// HTTPS (HTTP/2 and 1.1) on one port of this machine, that can be stopped and started again, and how answers are written to it.
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { ServingCertificate } from '../../certificate.ts';
import type { Answer, Streaming } from './call.ts';

export class HttpsListener {
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();

  constructor(
    { certPem: cert, keyPem: key }: ServingCertificate,
    serve: (request: Http2ServerRequest, response: Http2ServerResponse) => Promise<void>,
  ) {
    this.#server = createSecureServer({ allowHTTP1: true, cert, key }, (request, response) => {
      serve(request, response).catch(() => cutConnection(request));
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // Cut connections are a feature here: their errors must not end the process.
    this.#server.on('sessionError', () => {});
    this.#server.on('tlsClientError', () => {});
  }

  /** Listens on this port of 127.0.0.1, 0 for any; resolves to the one it got. */
  async start(port: number): Promise<number> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
    return (server.address() as AddressInfo).port;
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** The whole body as text. */
export async function readBody(request: Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The client sees its connection reset. */
export function cutConnection(request: Http2ServerRequest): void {
  if (request.httpVersionMajor === 2) request.stream.session?.destroy();
  else request.socket.destroy();
}

export function send({ status, body, headers = {} }: Answer, response: Http2ServerResponse): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(text);
}

/** Writes lines of JSON until the watch ends or the client goes. */
export function stream(answer: Streaming, response: Http2ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const stop = answer.run(
    (line) => response.write(`${JSON.stringify(line)}\n`),
    () => response.end(),
  );
  response.on('close', stop);
}
