// Asks an API server what it makes of a token, as a thief would.
import { request } from 'node:https';

/** HTTP status of a selfsubjectreviews request with this token, over a connection of its own. */
export function statusWith(url: string, caPem: string, token: string): Promise<number> {
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  return new Promise((resolve, reject) => {
    const call = request(
      new URL('/apis/authentication.k8s.io/v1/selfsubjectreviews', url),
      {
        method: 'POST',
        agent: false,
        ca: caPem,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    call.once('error', reject);
    call.end(body);
  });
}
