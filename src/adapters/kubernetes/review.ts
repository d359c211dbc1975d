// Asks one API server about the token by TokenReview, for tokens whose audience a probe would be refused for anyway.
import { isAppError } from '../../errors.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import type { Api } from './request.ts';

interface TokenReview {
  status?: { authenticated?: boolean; error?: string };
}

export function createReview(api: Api): Cluster['review'] {
  return async (address, token, audiences) => {
    try {
      const review = await api.sendTo<TokenReview>(address, {
        verb: 'create',
        resource: 'tokenreviews',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: token.reveal(), ...(audiences.length > 0 && { audiences }) },
        },
      });
      return classify(review, token);
    } catch (error) {
      return { answer: 'inconclusive', seen: isAppError(error) ? error.message : 'no answer' };
    }
  };
}

/** How API servers say it, whatever the audiences are called; objects may have the word in their names too. */
const OTHER_AUDIENCE =
  /token audiences \[.*\] is invalid for the target audiences \[|invalid audience claim \(aud\)|expected audience "/s;

function classify({ status }: TokenReview, token: Secret): Awaited<ReturnType<Cluster['review']>> {
  if (status === undefined) return { answer: 'inconclusive', seen: 'TokenReview without a status' };
  const whole = (status.error ?? '').replaceAll(token.reveal(), '[secret]');
  const error = whole.slice(0, 300);
  if (status.authenticated === true) return { answer: 'accepted', seen: 'TokenReview: authenticated' };
  // The audience is checked before the token's objects, so this says nothing about revocation.
  if (OTHER_AUDIENCE.test(whole)) return { answer: 'inconclusive', seen: `TokenReview: ${error}` };
  return { answer: 'refused', seen: `TokenReview: not authenticated${error && `: ${error}`}` };
}
