// Somebody else with kubectl and all rights, whom no stopped server and no injected fault keeps away.

import type { Answer } from './apiserver/call.ts';
import { handle } from './apiserver/rest.ts';
import { Authenticator } from './authn/authenticator.ts';
import type { World } from './storage/world.ts';

/** Throws ApiError, as the API would answer. */
export type Administrator = (method: string, path: string, body?: unknown, contentType?: string) => Answer;

export function administrator(world: World): Administrator {
  const authenticator = new Authenticator(world, '1.37.2', 0);
  return (method, path, body, contentType = 'application/json') => {
    world.timeline.tick();
    const url = new URL(path, 'https://cluster.example');
    const answer = handle({
      world,
      authenticator,
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: { accept: 'application/json', contentType, userAgent: 'kubectl' },
      body: body === undefined ? '' : JSON.stringify(body),
      caller: { username: 'admin', groups: ['system:masters'] },
    });
    if ('run' in answer) throw new Error('a watch needs a socket');
    return answer;
  };
}
