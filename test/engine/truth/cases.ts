// Which tokens each incident is about, by what people and alerts said; nothing here is read from what the product believes.
import type { Coordinates } from './product.ts';
import { accepted, ownerOf, SECRETS, type Stage, stored, type TokenName } from './stage.ts';

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
  /** Clusters that have refused what it is about, at some moment. */
  refusedOn: Set<string>;
  /** How many `identified` events were seen. */
  seen: number;
}

export const aCase = (id: string): Case => ({
  id,
  about: new Set(),
  ever: new Set(),
  doubtful: false,
  refusedOn: new Set(),
  seen: 0,
});

/** An altered token stands for the one that it was made of. */
export function isAbout(one: Case, name: TokenName, { tokens }: Stage): void {
  one.doubtful = name === 'altered';
  one.refusedOn = new Set();
  one.about = new Set([tokens[one.doubtful ? 'api-token' : name]]);
  one.ever = new Set([...one.ever, ...one.about]);
  delete one.given;
}

export function isAt(one: Case, at: Coordinates): void {
  one.about = new Set();
  one.refusedOn = new Set();
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
export function noteRefusals({ about, refusedOn }: Case, { clusters }: Stage): void {
  for (const [name, cluster] of clusters) {
    if (refusedOn.has(name) || about.size === 0) continue;
    const works = [...about].some((token) =>
      cluster.servers.some((_, index) => accepted(cluster, index, token)),
    );
    if (!works) refusedOn.add(name);
  }
}

const ofAccount = (account = ''): string[] => SECRETS.filter((secret) => ownerOf(secret) === account);
