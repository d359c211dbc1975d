// Makes tokens of every kind on a real control plane and asks its servers whether they still accept them.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from 'kube-sandbox/controlplane';

export interface KubeObject {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    finalizers?: string[];
  };
  data?: Record<string, string>;
}

export interface TokenReview {
  status: { authenticated?: boolean; error?: string; audiences?: string[] };
}

export interface Bound {
  kind: 'Pod' | 'Secret' | 'Node';
  name: string;
  uid: string;
}

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const MERGE = 'application/merge-patch+json';
const DEATH_MS = 110_000;
const LOOK_AGAIN_MS = 20;

/** One namespace of a control plane, with the calls that the facts need. */
export async function openNamespace(plane: ControlPlane) {
  const namespace = `facts-${randomBytes(4).toString('hex')}`;
  const at = (kind: string, name = ''): string =>
    `/api/v1/namespaces/${namespace}/${kind}${name && `/${name}`}`;
  const send = async <T = KubeObject>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const answer = await plane.call<T>(method, path, {
      body,
      ...(method === 'PATCH' && { contentType: MERGE }),
    });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const exists = async (path: string): Promise<boolean> => (await plane.call('GET', path)).status === 200;
  /** Pods and Secrets need it, and a namespace gets it a moment after its creation. */
  await until(() => exists(at('serviceaccounts', 'default')));

  const secretToken = (name: string): Promise<string> =>
    until(async () => {
      const token = (await plane.call<KubeObject>('GET', at('secrets', name))).body.data?.token;
      return token && Buffer.from(token, 'base64').toString();
    });
  const space = {
    namespace,
    at,
    send,
    exists,
    secretToken,
    serviceAccount: (name: string, finalizers: string[] = []) =>
      send('POST', at('serviceaccounts'), { metadata: { name, finalizers } }),
    /** A Secret of type service-account-token; answers the token that the controller put into it. */
    async legacyToken(serviceAccount: string, name: string): Promise<string> {
      await send('POST', at('secrets'), {
        type: 'kubernetes.io/service-account-token',
        metadata: { name, annotations: { 'kubernetes.io/service-account.name': serviceAccount } },
      });
      return secretToken(name);
    },
    async requestToken(serviceAccount: string, options: { bound?: Bound; audience?: string } = {}) {
      const { bound, audience } = options;
      const apiVersion = 'v1';
      const { status } = await send<{ status: { token: string } }>(
        'POST',
        `${at('serviceaccounts', serviceAccount)}/token`,
        {
          spec: {
            ...(bound && { boundObjectRef: { apiVersion, ...bound } }),
            ...(audience && { audiences: [audience] }),
          },
        },
      );
      return status.token;
    },
    /** On a Node whose kubelet nobody plays: deleted with a grace period, it stays. */
    async pod(name: string, serviceAccountName: string, nodeName: string): Promise<Bound> {
      const containers = [{ name: 'main', image: 'example.test/none' }];
      const { metadata } = await send('POST', at('pods'), {
        metadata: { name },
        spec: { nodeName, serviceAccountName, containers },
      });
      return { kind: 'Pod', name, uid: metadata.uid };
    },
    quarantine: (secret: string, since: string | null = '2026-01-01') =>
      send('PATCH', at('secrets', secret), { metadata: { labels: { [INVALID_SINCE]: since } } }),
    remove: (kind: string, name: string, options: object = {}) => send('DELETE', at(kind, name), options),
    /** 201: accepted; 401: not. Over a connection of its own. */
    async probe(token: string, server = 0): Promise<number> {
      const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      return (await plane.call('POST', path, { token, server, body })).status;
    },
    async review(token: string, audiences: string[] = []): Promise<TokenReview['status']> {
      const body = {
        kind: 'TokenReview',
        apiVersion: 'authentication.k8s.io/v1',
        spec: { token, audiences },
      };
      const { status } = await send<TokenReview>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', body);
      return status;
    },
    /** Waits until the token is accepted; answers when the request that was is sent, which starts the server's cache. */
    async use(token: string, server = 0): Promise<number> {
      let sent = 0;
      await until(async () => {
        sent = Date.now();
        return (await space.probe(token, server)) === 201;
      });
      return sent;
    },
    /** Waits until this server's watch cache, which its token checks follow, knows of the last write of that object. */
    async seen(written: KubeObject, path: string, server = 0): Promise<void> {
      const fromCache = `${path}?resourceVersion=0`;
      await until(async () => {
        const { body } = await plane.call<KubeObject>('GET', fromCache, { server });
        return body.metadata.resourceVersion === written.metadata.resourceVersion;
      });
    },
    /** How long after `since` the token is first refused. */
    async death(token: string, since: number, server = 0): Promise<number> {
      await until(async () => (await space.probe(token, server)) === 401);
      return Date.now() - since;
    },
  };
  return space;
}

/** Asks again until the answer is something. */
export async function until<T>(question: () => Promise<T>): Promise<NonNullable<T> & Exclude<T, false | ''>> {
  const deadline = Date.now() + DEATH_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer as NonNullable<T> & Exclude<T, false | ''>;
    if (Date.now() > deadline) throw new Error(`It did not happen within ${DEATH_MS / 1000} s.`);
    await delay(LOOK_AGAIN_MS);
  }
}
