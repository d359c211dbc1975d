// Asks the API servers whether they accept the token in a Secret: nobody is pointed at one that was not seen to be accepted.
import type { StepTools } from '../../contracts/action.ts';
import type { ClusterView, KubernetesObject } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import { tokenSecretRef } from './token-secret.ts';

export interface Acceptance {
  /** Of the Secret that was asked about. */
  uid: string;
  of: number;
  accepted: number;
  refused: number;
}

/** Undefined: there is no such Secret, or no token in it. */
export async function acceptanceOf(
  cluster: ClusterView,
  namespace: string,
  secret: string,
): Promise<Acceptance | undefined> {
  const found = await cluster.get<KubernetesObject & { data?: { token?: string } }>(
    tokenSecretRef(namespace, secret),
  );
  const value = found?.data?.token;
  if (found === null || !value) return undefined;
  const token = new Secret(Buffer.from(value, 'base64').toString());
  const { servers } = await cluster.servers();
  const answers = await Promise.all(servers.map(({ address }) => cluster.probe(address, token)));
  const count = (wanted: string) => answers.filter(({ answer }) => answer === wanted).length;
  return {
    uid: found.metadata.uid,
    of: servers.length,
    accepted: count('accepted'),
    refused: count('refused'),
  };
}

const LOOK_EVERY_MS = 250;

/** Each server learns of a change in its own time; asks again while one refuses, for so long at most. */
export async function acceptedWithin(
  { cluster, sleep, now }: Pick<StepTools, 'cluster' | 'sleep' | 'now'>,
  where: { namespace: string; secret: string },
  patienceMs: number,
): Promise<Acceptance | undefined> {
  for (const until = now() + patienceMs; ; await sleep(LOOK_EVERY_MS)) {
    const seen = await acceptanceOf(cluster, where.namespace, where.secret);
    if (seen === undefined || seen.refused === 0 || now() >= until) return seen;
  }
}

export const acceptedBy = ({ accepted, of }: Acceptance): string => `${accepted} of ${of} API servers`;
