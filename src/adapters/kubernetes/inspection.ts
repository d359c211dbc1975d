// Looks at one cluster for `tourniquet doctor`: its credential, its clock and its answers about the worker's own rights. Changes nothing.
import { X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { request } from 'undici';
import type { ClusterConfig } from '../../config/file-schema.ts';
import type { Grant, HeldRule } from '../../domain/kubernetes/missing-rules.ts';
import { openConnections } from './connections.ts';
import { networkError } from './failures.ts';
import { loadAccess } from './kube-config.ts';
import { createApi, USER_AGENT } from './request.ts';

export interface CredentialFacts {
  /** Unix milliseconds; undefined: it says nothing of an end. */
  expires: number | undefined;
  /** Renewed by something else than a person. */
  rotates: boolean;
}

export interface ClusterInspection {
  server: string;
  credential(): Promise<CredentialFacts>;
  /** With the worker's credential: `1.37.2`. Throws AppError. */
  version(): Promise<string>;
  /** How far this machine's clock is ahead of the server's, in milliseconds, to the second. Throws AppError. */
  clockSkew(): Promise<number | undefined>;
  /** Everything that the worker may do in a namespace, as far as the authorizers can list it. Throws AppError. */
  rules(namespace: string): Promise<{ rules: HeldRule[]; incomplete: boolean }>;
  /** `namespace` undefined: in all of them. Throws AppError. */
  may(grant: Grant, namespace?: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Throws AppError `bad-config`. */
export function inspectCluster(config: ClusterConfig, now: () => number): ClusterInspection {
  const access = loadAccess(config);
  const connections = openConnections(access);
  const api = createApi(config.name, access, connections, config.timeout);
  const review = <S>(resource: string, kind: string, spec: object) =>
    api.send<{ status?: S }>({
      verb: 'create',
      resource,
      path: `/apis/authorization.k8s.io/v1/${resource}`,
      body: { apiVersion: 'authorization.k8s.io/v1', kind, spec },
    });
  return {
    server: access.server,
    async credential() {
      const { headers, tls } = await access.credential();
      return { rotates: access.rotates, expires: endOf(headers.authorization, tls.cert) };
    },
    async version() {
      const call = { verb: 'get', resource: '/version', path: '/version' } as const;
      const { gitVersion = '' } = await api.send<{ gitVersion?: string }>(call);
      return gitVersion.replace(/^v/, '');
    },
    clockSkew: () => askDate(config, access.server, connections, now),
    async rules(namespace) {
      const answer = await review<{ resourceRules?: HeldRule[]; incomplete?: boolean }>(
        'selfsubjectrulesreviews',
        'SelfSubjectRulesReview',
        { namespace },
      );
      return {
        rules: answer.status?.resourceRules ?? [],
        incomplete: answer.status?.incomplete ?? true,
      };
    },
    async may({ group, resource: path, verb }, namespace) {
      const [resource, subresource] = path.split('/');
      const resourceAttributes = { group, resource, subresource, verb, namespace };
      const spec = { resourceAttributes };
      const answer = await review<{ allowed?: boolean }>(
        'selfsubjectaccessreviews',
        'SelfSubjectAccessReview',
        spec,
      );
      return answer.status?.allowed === true;
    },
    close: connections.close,
  };
}

/** Of a token that says so, or else of a client certificate. */
function endOf(authorization: string | undefined, cert: unknown): number | undefined {
  try {
    if (cert !== undefined) return Date.parse(new X509Certificate(String(cert)).validTo);
    const { exp } = decodeJwt(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
    return exp === undefined ? undefined : exp * 1000;
  } catch {
    return undefined;
  }
}

/** Without a credential: even a refusal is dated. */
async function askDate(
  config: ClusterConfig,
  server: string,
  connections: ReturnType<typeof openConnections>,
  now: () => number,
): Promise<number | undefined> {
  const dispatcher = connections.bare(server);
  try {
    const before = now();
    const response = await request(`${server}/version`, {
      dispatcher,
      signal: AbortSignal.timeout(config.timeout),
      headers: { 'user-agent': USER_AGENT },
    });
    const middle = (before + now()) / 2;
    response.body.on('error', () => undefined).destroy();
    const date = Date.parse(String(response.headers.date ?? ''));
    // The header's second has begun up to a second ago.
    return Number.isNaN(date) ? undefined : Math.round((middle - date - 500) / 1000) * 1000;
  } catch (error) {
    throw networkError(config.name, { verb: 'get', resource: '/version', path: '/version' }, server, error);
  } finally {
    await dispatcher.destroy().catch(() => undefined);
  }
}
