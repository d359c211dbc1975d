// Puts objects into the simulated cluster the way an administrator would, without going over the wire.

import type {
  BindingObject,
  Draft,
  KubeObject,
  PodSpec,
  PolicyRule,
  SecretObject,
  Subject,
} from './apimachinery/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  deployments,
  namespaces,
  pods,
  type Resource,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
} from './apimachinery/resources.ts';
import { requestToken, type TokenRequestSpec } from './apiserver/token-request.ts';
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from './storage/defaults.ts';
import { createObject } from './storage/lifecycle.ts';
import type { World } from './storage/world.ts';

const MANAGER = 'seed';

type Labels = Record<string, string>;

export interface ServiceAccountSeed {
  labels?: Labels;
  annotations?: Labels;
  imagePullSecrets?: string[];
  secrets?: string[];
  finalizers?: string[];
  automount?: boolean;
}

export interface SecretSeed {
  labels?: Labels;
  annotations?: Labels;
}

export interface PodSeed {
  serviceAccount?: string;
  /** Names of Secrets mounted as volumes. */
  secretMounts?: string[];
  /** What the Pod says of a token that it did not ask for. */
  automount?: boolean;
  /** A volume with a token for this audience. */
  tokenFor?: string;
  /** A Secret whose key `token` becomes the environment variable TOKEN. */
  envSecret?: string;
  labels?: Labels;
  finalizers?: string[];
  terminationGracePeriodSeconds?: number;
}

export interface DeploymentSeed extends PodSeed {
  replicas?: number;
  annotations?: Labels;
}

export interface BindingSeed {
  role: { kind: 'Role' | 'ClusterRole'; name: string };
  subjects: Subject[];
}

function podSpec(seed: PodSeed): PodSpec {
  const { serviceAccount = 'default', secretMounts = [], envSecret, automount, tokenFor } = seed;
  const { terminationGracePeriodSeconds } = seed;
  const sources =
    tokenFor === undefined ? [] : [{ serviceAccountToken: { audience: tokenFor, path: 'token' } }];
  const projected = sources.map((source) => ({ name: 'asked-for', projected: { sources: [source] } }));
  const mounted = secretMounts.map((secretName) => ({ name: secretName, secret: { secretName } }));
  const volumes = [...mounted, ...projected];
  const volumeMounts = volumes.map(({ name }) => ({
    name,
    mountPath: `/var/run/secrets/${name}`,
    readOnly: true,
  }));
  const env = envSecret && [
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: envSecret, key: 'token' } } },
  ];
  const container = { name: 'app', image: 'registry.example/app:1', volumeMounts, ...(env ? { env } : {}) };
  return {
    serviceAccountName: serviceAccount,
    containers: [container],
    volumes,
    ...(automount === undefined ? {} : { automountServiceAccountToken: automount }),
    ...(terminationGracePeriodSeconds === undefined ? {} : { terminationGracePeriodSeconds }),
  };
}

function binding(name: string, { role, subjects }: BindingSeed): Draft {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', ...role };
  return { metadata: { name }, roleRef, subjects } satisfies Draft & Pick<BindingObject, 'roleRef'>;
}

export class Seed {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  namespace(name: string, labels: Labels = {}): KubeObject {
    return this.#create(namespaces, undefined, { metadata: { name, labels } });
  }

  serviceAccount(namespace: string, name: string, seed: ServiceAccountSeed = {}): KubeObject {
    const { imagePullSecrets, secrets: listed, automount, ...metadata } = seed;
    return this.#create(serviceAccounts, namespace, {
      metadata: { name, ...metadata },
      ...(imagePullSecrets && { imagePullSecrets: imagePullSecrets.map((each) => ({ name: each })) }),
      ...(listed && { secrets: listed.map((each) => ({ name: each })) }),
      ...(automount === undefined ? {} : { automountServiceAccountToken: automount }),
    });
  }

  /** An ordinary Secret; values in the clear. */
  secret(namespace: string, name: string, stringData: Labels, seed: SecretSeed = {}): KubeObject {
    return this.#create(secrets, namespace, { metadata: { name, ...seed }, stringData });
  }

  /** A long-lived token: the Secret, and the token once the controller has filled it in. */
  async tokenSecret(
    namespace: string,
    name: string,
    serviceAccount: string,
    seed: SecretSeed = {},
  ): Promise<string> {
    const annotations = { ...seed.annotations, [SERVICE_ACCOUNT_NAME]: serviceAccount };
    this.#create(secrets, namespace, { metadata: { name, ...seed, annotations }, type: TOKEN_SECRET_TYPE });
    return this.#tokenIn(namespace, name);
  }

  /** A TokenRequest token; bound to nothing unless `boundObjectRef` says otherwise. */
  requestToken(namespace: string, serviceAccount: string, spec: TokenRequestSpec = {}): string {
    return requestToken(this.#world, namespace, serviceAccount, spec).token;
  }

  pod(namespace: string, name: string, seed: PodSeed = {}): KubeObject {
    const { labels = {}, finalizers } = seed;
    const metadata = { name, labels, ...(finalizers && { finalizers }) };
    return this.#create(pods, namespace, { metadata, spec: podSpec(seed) });
  }

  deployment(namespace: string, name: string, seed: DeploymentSeed = {}): KubeObject {
    const { replicas = 1, labels = {}, annotations = {} } = seed;
    const app = { app: name };
    return this.#create(deployments, namespace, {
      metadata: { name, labels: { ...app, ...labels }, annotations },
      spec: {
        replicas,
        selector: { matchLabels: app },
        template: { metadata: { labels: app }, spec: podSpec(seed) },
      },
    });
  }

  role(namespace: string, name: string, rules: PolicyRule[]): KubeObject {
    return this.#create(roles, namespace, { metadata: { name }, rules });
  }

  clusterRole(name: string, rules: PolicyRule[]): KubeObject {
    return this.#create(clusterRoles, undefined, { metadata: { name }, rules });
  }

  roleBinding(namespace: string, name: string, seed: BindingSeed): KubeObject {
    return this.#create(roleBindings, namespace, binding(name, seed));
  }

  clusterRoleBinding(name: string, seed: BindingSeed): KubeObject {
    return this.#create(clusterRoleBindings, undefined, binding(name, seed));
  }

  #create(resource: Resource, namespace: string | undefined, draft: Draft): KubeObject {
    return structuredClone(createObject(this.#world, resource, namespace, draft, MANAGER));
  }

  #tokenIn(namespace: string, name: string): Promise<string> {
    const { store } = this.#world;
    return new Promise((resolve, reject) => {
      const stop = store.subscribe(({ type, object }) => {
        const { namespace: where, name: which } = object.metadata;
        if (object.kind !== 'Secret' || where !== namespace || which !== name) return;
        const token = (object as SecretObject).data?.token;
        if (type === 'DELETED') {
          reject(new Error(`no token for ${namespace}/${name}: create its ServiceAccount first`));
        } else if (token) resolve(Buffer.from(token, 'base64').toString());
        else return;
        stop();
      });
    });
  }
}
