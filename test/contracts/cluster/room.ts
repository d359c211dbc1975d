// One namespace for one test, with the few things that almost every test makes in it.
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect } from 'vitest';
import { type Api, type Body, eventually, type Reply } from './api.ts';

export const SELF_REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
export const TOKEN_REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';
export const TOKEN_TYPE = 'kubernetes.io/service-account-token';
export const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const randomName = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`;

/** On everything outside a namespace, so that a cluster which goes on without us can be cleaned. */
export const RUN = { 'tourniquet-test-run': randomName('run') };

/** By REST path; namespaced kinds of the core group need no entry. */
const GROUPS: Record<string, string> = {
  deployments: 'apis/apps/v1',
  replicasets: 'apis/apps/v1',
  roles: 'apis/rbac.authorization.k8s.io/v1',
  rolebindings: 'apis/rbac.authorization.k8s.io/v1',
};

export interface BoundRef {
  apiVersion?: string;
  kind: string;
  name: string;
  uid?: string;
}

export interface TokenSpec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: BoundRef;
}

export interface KubernetesClaims {
  namespace: string;
  serviceaccount: { name: string; uid: string };
  pod?: { name: string; uid: string };
  secret?: { name: string; uid: string };
  node?: { name: string; uid: string };
  warnafter?: number;
}

export const claimsOf = (token: string) =>
  decodeJwt<{ 'kubernetes.io': KubernetesClaims; sub: string; exp: number; iat: number; jti: string }>(token);

export type Room = ReturnType<typeof roomIn>;

/** A namespace of its own, ready for Pods. */
export async function openRoom(api: Api): Promise<Room> {
  const room = roomIn(api, randomName('conformance'));
  await room.make('/api/v1/namespaces', { metadata: { name: room.namespace, labels: RUN } });
  // Pods need it, and a namespace gets it a moment after its creation.
  await eventually(async () => expect(await room.exists('serviceaccounts', 'default')).toBe(true));
  return room;
}

/** One that exists. */
export function roomIn(api: Api, namespace: string) {
  const at = (plural: string, name?: string): string => {
    const collection = `/${GROUPS[plural] ?? 'api/v1'}/namespaces/${namespace}/${plural}`;
    return name === undefined ? collection : `${collection}/${name}`;
  };
  /** With this body, or the test fails. */
  const make = async (path: string, body: object): Promise<Body> => {
    const reply = await api.ask('POST', path, { body });
    expect(reply.status, `POST ${path}: ${reply.body.message}`).toBe(201);
    return reply.body;
  };
  const read = async (plural: string, name: string): Promise<Body> =>
    (await api.ask('GET', at(plural, name))).body;
  const room = {
    api,
    namespace,
    at,
    make,
    read,
    create: (plural: string, name: string, rest: { metadata?: object; [field: string]: unknown } = {}) =>
      make(at(plural), { ...rest, metadata: { name, ...rest.metadata } }),
    remove: (plural: string, name: string, body?: object): Promise<Reply> =>
      api.ask('DELETE', at(plural, name), { body }),
    exists: async (plural: string, name: string): Promise<boolean> =>
      (await api.ask('GET', at(plural, name))).status === 200,
    /** Waits until there is no object of this name, or none with this UID. */
    gone: (plural: string, name: string, uid?: string): Promise<void> =>
      eventually(async () => {
        const { status, body } = await api.ask('GET', at(plural, name));
        if (uid === undefined || status !== 200) expect(status).toBe(404);
        else expect(body.metadata.uid).not.toBe(uid);
      }),
    async tokenSecret(name: string, serviceAccount: string, labels?: Record<string, string>) {
      const annotations = { [ACCOUNT_NAME]: serviceAccount };
      await room.create('secrets', name, { type: TOKEN_TYPE, metadata: { annotations, labels } });
      return room.tokenIn(name);
    },
    /** Once the controller has put one there. */
    tokenIn: (secret: string): Promise<string> =>
      eventually(async () => {
        const token = (await read('secrets', secret)).data?.token;
        expect(token, `token in Secret ${secret}`).toBeTruthy();
        return Buffer.from(token ?? '', 'base64').toString();
      }),
    requestToken: (serviceAccount: string, spec: TokenSpec = {}): Promise<Reply> =>
      api.ask('POST', `${at('serviceaccounts', serviceAccount)}/token`, { body: { spec } }),
    async token(serviceAccount: string, spec: TokenSpec = {}): Promise<string> {
      const { status, body } = await room.requestToken(serviceAccount, spec);
      expect(status, body.message).toBe(201);
      return body.status?.token ?? '';
    },
    /** On a Node of its own, where no kubelet is: it neither starts nor, with a grace period, goes. */
    async strandedPod(name: string, serviceAccount = 'default') {
      const node = await make('/api/v1/nodes', {
        metadata: { name: randomName('bare'), labels: RUN },
      });
      const spec = { nodeName: node.metadata.name, serviceAccountName: serviceAccount, containers };
      return { node, pod: await room.create('pods', name, { spec }) };
    },
    /** 201: the token is accepted; 401: it is not. */
    probe: async (token: string): Promise<number> =>
      (await api.ask('POST', SELF_REVIEW, { token, body: SELF })).status,
    /** Waits out what the server still remembers. */
    dies: (token: string): Promise<void> => eventually(async () => expect(await room.probe(token)).toBe(401)),
    lives: (token: string): Promise<void> =>
      eventually(async () => expect(await room.probe(token)).toBe(201)),
    async review(token: string, audiences?: string[]) {
      const spec = { token, ...(audiences && { audiences }) };
      const { status, body } = await api.ask('POST', TOKEN_REVIEW, { body: { ...REVIEW, spec } });
      expect(status).toBe(201);
      return body.status ?? {};
    },
  };
  return room;
}

export const SELF = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
export const REVIEW = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' };
export const containers = [{ name: 'main', image: 'example.test/none' }];
