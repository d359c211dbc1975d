// Makes the token that is collected: bound to a Secret of its own, so that it can be killed alone, and for a limited time.
import { connectAsPerson, type PersonalCluster } from '../../adapters/kubernetes/person.ts';
import type { HandOver } from '../../domain/afterwards/hand-over.ts';
import type { Collected } from '../../domain/incident/incident.ts';
import { COLLECTED_FOR } from '../../domain/kubernetes/own-annotations.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { ObjectMeta } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import type { Place } from '../plan/places.ts';
import type { Terminal } from '../terminal.ts';
import type { Outlet } from './outlet.ts';

export interface HandOut {
  of: Omit<HandOver, 'secrets'>;
  /** Name of the Secret that the token dies with. */
  anchor: string;
  user: string;
  seconds: number;
  audiences: string[];
  asKubeconfig: boolean;
  /** By the person's kubeconfig. */
  place: Place;
  /** Written down before the token is given away. */
  note?: (collected: Collected) => Promise<void>;
}

export async function handOut(
  wanted: HandOut,
  { outlet, stderr }: { outlet: Outlet; stderr: Terminal['stderr'] },
): Promise<void> {
  const { of, anchor, user, asKubeconfig, place } = wanted;
  const { namespace, serviceAccount } = of;
  const cluster = connectAsPerson(place.config);
  try {
    const { token, by, until } = await anchored(cluster, wanted);
    const value = asKubeconfig
      ? cluster.kubeconfigWith(token, { name: serviceAccount, namespace })
      : `${token.reveal()}\n`;
    outlet.put(new Secret(value));
    stderr.write(
      `A token of ServiceAccount ${namespace}/${serviceAccount} for ${user} is in ${outlet.name}. It was made on ${cluster.server} as ${by}, and ends ${until}.\n` +
        `To kill it before that, and no other user's: ${place.kubectl} -n ${namespace} delete secret ${anchor}\n`,
    );
  } finally {
    await cluster.close();
  }
}

async function anchored(
  cluster: PersonalCluster,
  wanted: HandOut,
): Promise<{ token: Secret; by: string; until: string }> {
  const { of, anchor: name, seconds, audiences } = wanted;
  const by = await cluster.whoAmI();
  const anchor = await anchorSecret(cluster, wanted);
  try {
    const { token, expiresAt: until } = await cluster.requestToken(of, {
      expirationSeconds: seconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name, uid: anchor.uid },
      ...(audiences.length > 0 && { audiences }),
    });
    await wanted.note?.({ ...of, by, anchor: name, until });
    return { token, by, until };
  } catch (error) {
    if (!anchor.made || !isAppError(error)) throw error;
    const left = await removed(cluster, of.namespace, name, anchor.uid);
    throw new AppError(error.code, `${error.message} No token was given away.${left}`, { cause: error });
  }
}

/** Resolves to what must be said where it stays. */
async function removed(cluster: PersonalCluster, namespace: string, name: string, uid: string) {
  return cluster.remove({ resource: resources.secrets, namespace, name }, { uid }).then(
    () => '',
    () => ` The empty Secret ${namespace}/${name} is left.`,
  );
}

/** Tokens for the same user share it, so that one deletion kills them all. */
async function anchorSecret(
  cluster: PersonalCluster,
  { of: { namespace }, anchor, user }: HandOut,
): Promise<{ made: boolean; uid: string }> {
  const where = { resource: resources.secrets, namespace };
  const metadata = { name: anchor, annotations: { [COLLECTED_FOR]: user } };
  try {
    const manifest = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata };
    const created = await cluster.create<{ metadata: ObjectMeta }>(where, manifest);
    return { made: true, uid: created.metadata.uid };
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
    const found = await cluster.get({ ...where, name: anchor }, { metadataOnly: true });
    if (found?.metadata.annotations?.[COLLECTED_FOR] === user)
      return { made: false, uid: found.metadata.uid };
    throw new AppError(
      'conflict',
      `Secret ${namespace}/${anchor} is not one that was made for this. It was not touched, and no token was made. Say another --for.`,
    );
  }
}
