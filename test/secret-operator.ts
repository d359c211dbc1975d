// Stand-ins for controllers that make a Secret again as soon as it is gone, as real ones were recorded: without the label that switches its token off.
import { setTimeout as delay } from 'node:timers/promises';
import { type Body, eventually, openApi } from './contracts/cluster/api.ts';

export interface Maker {
  /** Field manager of its writes. */
  manager: string;
  owner?: { apiVersion: string; kind: string; name: string; uid: string };
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** It keeps this very value, in a Secret of type Opaque: API servers look at nothing else. */
  value?: string;
}

const OWNER_UID = '6f1c1f4e-0c1c-4b0e-9a37-0f5d1f2f7c11';

/** As the real ones write their Secrets (External Secrets v2.9.0 and Sealed Secrets v0.40.0 were recorded). */
export const externalSecrets = (name: string, uid = OWNER_UID): Maker => ({
  manager: `externalsecrets.external-secrets.io/${name}`,
  owner: { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', name, uid },
  labels: { 'reconcile.external-secrets.io/managed': 'true' },
});
export const sealedSecrets = (name: string, uid = OWNER_UID): Maker => ({
  manager: 'controller',
  owner: { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', name, uid },
});
/** By the field manager alone, as a restored Orphan is. */
export const withoutOwner = ({ manager }: Maker): Maker => ({ manager });

export interface Watched {
  namespace: string;
  name: string;
  serviceAccount: string;
}

export type Operator = Awaited<ReturnType<typeof startOperator>>;

/** Looks every few milliseconds: quicker than any that was recorded. */
const LOOK_EVERY_MS = 20;

/** `kubeconfig`: of somebody with every power. */
export async function startOperator(kubeconfig: string, watched: Watched, maker: Maker) {
  const api = openApi({ kubeconfig, close: async () => {} });
  const path = `/api/v1/namespaces/${watched.namespace}/secrets`;
  const { value } = maker;
  const content = value
    ? { type: 'Opaque', stringData: { token: value } }
    : { type: 'kubernetes.io/service-account-token' };
  const draft = { apiVersion: 'v1', kind: 'Secret', ...content, metadata: metadataFor(watched, maker) };
  const there = async (): Promise<Body | undefined> => {
    const { status, body } = await api.ask('GET', `${path}/${watched.name}`);
    return status === 200 ? body : undefined;
  };
  let made = 0;
  let stopped = false;
  const make = async (): Promise<void> => {
    const { status } = await api.ask('POST', `${path}?fieldManager=${encodeURIComponent(maker.manager)}`, {
      body: draft,
    });
    if (status === 201) made += 1;
  };
  const follow = async (): Promise<void> => {
    while (!stopped) {
      if (!(await there())) await make();
      await delay(LOOK_EVERY_MS);
    }
  };
  await make();
  const following = follow();
  return {
    made: () => made,
    /** The token that the cluster has put into it. */
    token: (): Promise<string> =>
      eventually(async () => {
        const token = (await there())?.data?.token;
        if (!token) throw new Error('no token yet');
        return Buffer.from(token, 'base64').toString();
      }),
    /** Its owner is deleted, and takes the Secret with it or leaves it behind. */
    async stop(): Promise<void> {
      stopped = true;
      await following;
      await api.close();
    },
  };
}

const metadataFor = ({ name, serviceAccount }: Watched, { owner, labels, annotations, value }: Maker) => ({
  name,
  ...(labels ? { labels } : {}),
  annotations: {
    ...annotations,
    ...(value ? {} : { 'kubernetes.io/service-account.name': serviceAccount }),
  },
  ...(owner ? { ownerReferences: [owner] } : {}),
});
