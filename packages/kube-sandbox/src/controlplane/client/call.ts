// One HTTPS request to an API server, as the administrator over kept connections or with a token over a fresh one.
import { Agent, type Dispatcher, request } from 'undici';
import type { Certificate } from '../../certificate.ts';

export interface CallOptions {
  body?: unknown;
  /** Authenticates with this token alone, over a connection of its own; absent: as the administrator. */
  token?: string;
  /** Which server, counted from 0. */
  server?: number;
  /** Of a body; for a PATCH, the kind of patch. */
  contentType?: string;
}

export interface CallAnswer<T> {
  status: number;
  body: T;
}

export type Call = <T = unknown>(
  method: Dispatcher.HttpMethod,
  path: string,
  options?: CallOptions,
) => Promise<CallAnswer<T>>;

export interface Caller {
  call: Call;
  close(): Promise<void>;
}

export function createCaller(urls: string[], ca: string, { certPem, keyPem }: Certificate): Caller {
  const kept = new Agent({ connect: { ca, cert: certPem, key: keyPem } });
  return {
    async call<T>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}) {
      const { body, token, server = 0, contentType = 'application/json' } = options;
      const dispatcher = token === undefined ? kept : new Agent({ connect: { ca } });
      try {
        const answer = await request(`${urls[server]}${path}`, {
          method,
          dispatcher,
          headers: {
            accept: 'application/json',
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': contentType }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await answer.body.text();
        return { status: answer.statusCode, body: parse(text) as T };
      } finally {
        if (dispatcher !== kept) await dispatcher.destroy();
      }
    },
    close: () => kept.destroy(),
  };
}

/** Health endpoints answer plain text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
