// One authenticated API request and the forms its answer can take.

import type { Resource } from '../apimachinery/resources.ts';
import { badRequest } from '../apimachinery/status.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import type { World } from '../storage/world.ts';
import type { User } from '../tokens/claims.ts';

/** Where a path points to, once it names a kind that is modelled. */
export interface Target {
  resource: Resource;
  namespace?: string;
  name?: string;
  subresource?: string;
}

export interface Call {
  world: World;
  authenticator: Authenticator;
  method: string;
  path: string;
  query: URLSearchParams;
  headers: { accept: string; contentType: string; userAgent: string };
  body: string;
  caller: User;
}

export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A watch: `run` writes lines until `end`, and returns what stops it. */
export interface Streaming {
  run: (write: (line: unknown) => void, end: () => void) => () => void;
}

export function parseBody(call: Call): unknown {
  if (call.body === '') return undefined;
  try {
    return JSON.parse(call.body);
  } catch {
    throw badRequest('the body of the request is not JSON; the simulated cluster reads nothing else');
  }
}

/** As managedFields names it: what the client says, else the first word of its User-Agent. */
export function managerOf(call: Call): string {
  return call.query.get('fieldManager') ?? (call.headers.userAgent.split('/')[0] || 'unknown');
}
