// Asks one API server whether it still accepts the leaked token, as the thief would, and never throws: what was seen is the answer.
import { STATUS_CODES } from 'node:http';
import { type Dispatcher, request } from 'undici';
import type { Cluster } from '../../ports/cluster.ts';
import type { Connections } from './connections.ts';
import { networkWord } from './failures.ts';

const DEADLINE = 5000;
/** Distinct, so that the audit log tells our probes from the thief's requests. */
const USER_AGENT = 'tourniquet-probe';

export function createProbe(
  connections: Connections,
  watch: (code: string, ms: number) => void,
): Cluster['probe'] {
  return async (address, token) => {
    const began = performance.now();
    let code = 'failed';
    let own: Dispatcher | undefined;
    try {
      own = connections.bare(address);
      const status = await ask(own, address, token.reveal());
      code = String(status);
      return { answer: classify(status), seen: `${status} ${STATUS_CODES[status] ?? ''}`.trim() };
    } catch (error) {
      const { kind, word } = networkWord(error);
      code = kind;
      return { answer: 'inconclusive', seen: word };
    } finally {
      watch(code, performance.now() - began);
      await own?.destroy().catch(() => undefined);
    }
  };
}

async function ask(dispatcher: Dispatcher, address: string, token: string): Promise<number> {
  const response = await request(`${address}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    dispatcher,
    signal: AbortSignal.timeout(DEADLINE),
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
    },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
  });
  // The status says it all; the connection is thrown away with the rest.
  response.body.on('error', () => undefined).destroy();
  return response.statusCode;
}

/** 403 is the answer to somebody who was recognised: the token is alive. */
function classify(status: number): 'refused' | 'accepted' | 'inconclusive' {
  if (status === 401) return 'refused';
  if (status === 403 || (status >= 200 && status < 300)) return 'accepted';
  return 'inconclusive';
}
