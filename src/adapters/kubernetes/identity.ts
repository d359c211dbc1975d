// Knows whom the worker itself is taken for, and finds a healthy ServiceAccount token for control requests.
import { decodeJwt } from 'jose';
import type { ClusterConfig } from '../../config/file-schema.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import type { Access } from './kube-config.ts';
import type { Api } from './request.ts';
import { requestToken } from './token-request.ts';

/** The shortest that Kubernetes grants. */
const CONTROL_SECONDS = 600;
const SERVICE_ACCOUNT = /^system:serviceaccount:[^:]+:[^:]+$/;

interface OwnToken {
  token: Secret;
  subject: string;
  audiences: string[];
}

export function createIdentity(
  config: ClusterConfig,
  access: Access,
  api: Api,
  now: () => number,
): Pick<Cluster, 'control' | 'self'> {
  let requested: { token: Secret; audiences: string[]; until: number } | undefined;
  let self: string | undefined;
  return {
    async control() {
      const own = await ownServiceAccount(access);
      if (own) return { token: own.token, audiences: own.audiences };
      if (!config.control) return null;
      if (!requested || requested.until <= now()) requested = await controlToken(api, config.control, now);
      return { token: requested.token, audiences: requested.audiences };
    },
    async self() {
      self ??= (await ownServiceAccount(access))?.subject ?? (await reviewSelf(api));
      return self;
    },
  };
}

/** The worker's credential, where it is a ServiceAccount token that speaks for itself. */
async function ownServiceAccount(access: Access): Promise<OwnToken | null> {
  const { headers, tls } = await access.credential();
  const jwt = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  // A client certificate comes first at an API server, and impersonation makes somebody else of us.
  if (jwt === undefined || tls.cert !== undefined || 'impersonate-user' in headers) return null;
  try {
    const { sub, aud } = decodeJwt(jwt);
    if (sub === undefined || !SERVICE_ACCOUNT.test(sub)) return null;
    return { token: new Secret(jwt), subject: sub, audiences: [aud ?? []].flat() };
  } catch {
    return null;
  }
}

async function controlToken(api: Api, control: NonNullable<ClusterConfig['control']>, now: () => number) {
  const { token, expiresAt } = await requestToken(api, control, { expirationSeconds: CONTROL_SECONDS });
  return {
    token,
    audiences: [decodeJwt(token.reveal()).aud ?? []].flat(),
    until: now() + 0.8 * (Date.parse(expiresAt) - now() || CONTROL_SECONDS * 1000),
  };
}

export async function reviewSelf(api: Api): Promise<string> {
  const review = await api.send<{ status: { userInfo: { username: string } } }>({
    verb: 'create',
    resource: 'selfsubjectreviews',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return review.status.userInfo.username;
}
