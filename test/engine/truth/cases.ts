// Which tokens each incident is about, by what people and alerts said; nothing here is read from what the product believes.
import type { KubeObject, SimulatedCluster } from 'kube-sandbox';
import type { Coordinates } from './product.ts';
import { accepted, NAMESPACE, ownerOf, SECRETS, type Stage, stored, type TokenName } from './stage.ts';

export interface Case {
  id: string;
  /** What must not work unnoticed. */
  about: Set<string>;
  /** Whatever it was ever about: where one of them works, "live" may be said. */
  ever: Set<string>;
  /** Coordinates that count from the next identification on. */
  given?: Coordinates;
  /** Somebody handed over what no server can take for the token itself. */
  doubtful: boolean;
  /** Which cluster has refused which token of these, or shown its Secret switched off, at some moment. */
  refused: Set<string>;
  /** How many `identified` events were seen. */
  seen: number;
}

export const aCase = (id: string): Case => ({
  id,
  about: new Set(),
  ever: new Set(),
  doubtful: false,
  refused: new Set(),
  seen: 0,
});

/** An altered token stands for the one that it was made of. */
export function isAbout(one: Case, name: TokenName, { tokens }: Stage): void {
  one.doubtful = name === 'altered';
  one.about = new Set([tokens[one.doubtful ? 'api-token' : name]]);
  one.ever = new Set([...one.ever, ...one.about]);
  delete one.given;
}

export function isAt(one: Case, at: Coordinates): void {
  one.about = new Set();
  one.doubtful = false;
  one.given = at;
}

/** To be called after whatever may have identified something: coordinates mean what is there then. */
export function noteIdentified(one: Case, identifications: number, stage: Stage): void {
  const { given, seen } = one;
  one.seen = identifications;
  if (given === undefined) return;
  const named = given.secret === undefined ? ofAccount(given.serviceAccount) : [given.secret];
  const values = named.flatMap((secret) => stored(stage, secret));
  for (const value of values) one.ever.add(value);
  if (given.secret === undefined)
    if (given.serviceAccount === 'api')
      for (const name of ['unbound', 'in-pod', 'for-vault'] as const) one.ever.add(stage.tokens[name]);
  if (identifications > seen) one.about = new Set(values);
}

/** To be called whenever anything may have happened: what never was so cannot have been seen. */
export function noteRefusals({ about, refused }: Case, { clusters }: Stage): void {
  for (const cluster of clusters.values())
    for (const token of about) {
      const key = refusal(cluster, token);
      if (!refused.has(key) && (isSwitchedOff(cluster, token) || !works(cluster, token))) refused.add(key);
    }
}

/** Each of these that works on the cluster now has not always worked there, so that somebody may have seen that. */
export const wasRefused = ({ about, refused }: Case, cluster: SimulatedCluster): boolean =>
  [...about].every((token) => refused.has(refusal(cluster, token)) || !works(cluster, token));

const refusal = ({ name }: SimulatedCluster, token: string): string => `${name} ${token}`;

const works = (cluster: SimulatedCluster, token: string): boolean =>
  cluster.servers.some((_, index) => accepted(cluster, index, token));

/** A server answers from memory for a while, and who looks at the Secret sees it at once. */
const isSwitchedOff = (cluster: SimulatedCluster, token: string): boolean =>
  SECRETS.some((secret) => {
    const found = cluster.get(`/api/v1/namespaces/${NAMESPACE}/secrets/${secret}`);
    const { data, metadata } = (found ?? {}) as { data?: { token?: string } } & Partial<KubeObject>;
    const labelled = metadata?.labels?.['kubernetes.io/legacy-token-invalid-since'] !== undefined;
    return labelled && data?.token === Buffer.from(token).toString('base64');
  });

const ofAccount = (account = ''): string[] => SECRETS.filter((secret) => ownerOf(secret) === account);
