// Asks the simulated API servers themselves which tokens work, and holds against them what is said: at once, or after the looks that are owed.
import { type Case, wasRefused } from './cases.ts';
import { accepted } from './stage.ts';
import { type Said, surfaces } from './surfaces.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;
/** No look may be further away than this, with time for a clock that is behind. */
const LONGEST = 24 * HOUR + 600_000;
/** A look that still finds it accepted asks again for two minutes before it says so. */
const SETTLING = 150_000;
const LOOKS = ['investigate', 'prove', 'recheck', 'look'];

export interface Violation {
  case: Case;
  /** Never asked again, or asked and still wrong. */
  kind: 'no look is owed' | 'the look is too far away' | 'wrong after the look' | 'old and not said so';
  truth: Truth;
  said: Said;
}

/** `reachable`: where somebody who asks gets an answer. `hidden`: only a server that is away would accept it. */
export type Truth = 'accepted' | 'hidden' | 'refused' | 'refused where asked';

/** `only`: on this cluster alone. */
export function truthOf(world: World, tokens: Iterable<string>, only?: string): Truth {
  const asked = [...world.stage.clusters.values()].filter(({ name }) => only === undefined || name === only);
  const all = asked.flatMap((cluster) =>
    cluster.servers.map((server, index) => ({
      // The worker reaches a cluster by its first server.
      seen: server.up && cluster.servers[0]?.up === true,
      accepted: [...tokens].some((token) => accepted(cluster, index, token)),
    })),
  );
  if (all.some((one) => one.accepted && one.seen)) return 'accepted';
  if (all.some((one) => one.accepted)) return 'hidden';
  return all.every(({ seen }) => seen) ? 'refused' : 'refused where asked';
}

/** The first thing that is said against the truth; undefined: nothing. */
async function lie(world: World, one: Case): Promise<{ truth: Truth; said: Said } | undefined> {
  const said = await surfaces(world, one.id);
  for (const each of said.filter(isSoothing)) {
    const truth = truthOf(world, one.about, each.cluster ?? one.given?.cluster);
    // Where nobody can look, or what was handed over cannot be sent, what was seen before may be said with its age.
    const isExcused =
      each.aged && ((truth === 'hidden' && mayBeSeen(world, one, each.cluster)) || one.doubtful);
    if ((truth === 'accepted' || truth === 'hidden') && !isExcused) return { truth, said: each };
  }
  const now = truthOf(world, one.about, one.given?.cluster);
  const [title] = said;
  if (now === 'accepted' && title && mustSay(world, one) && title.claim !== 'live')
    return { truth: now, said: title };
  // Every token of a ServiceAccount is meant then, also those that nobody here made.
  if (one.given?.serviceAccount) return undefined;
  const ever = truthOf(world, one.ever);
  const alarming = said.find(({ claim }) => claim === 'live');
  return ever === 'refused' && alarming ? { truth: ever, said: alarming } : undefined;
}

/** On this cluster alone, or on each. */
const mayBeSeen = ({ stage }: World, one: Case, only?: string): boolean =>
  [...stage.clusters].every(
    ([name, cluster]) => (only !== undefined && name !== only) || wasRefused(one, cluster),
  );

/** Who called it a false alarm, or declined, does not hear of it again; and what cannot be recognised can only be asked about. */
function mustSay(world: World, { id, about, doubtful }: Case): boolean {
  const { status, unidentified, identity } = world.incident(id);
  // That nobody knows is said by name: “prod not asked”.
  if ((identity?.unchecked?.length ?? 0) > 0) return false;
  const over = ['false-alarm', 'declined'].includes(status);
  return (
    !over && unidentified === undefined && !doubtful && [...about].some((token) => isVerifiable(world, token))
  );
}

/** Some cluster that can be asked publishes the key that signed it. */
function isVerifiable({ stage }: World, token: string): boolean {
  const [head = ''] = token.split('.');
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid?: string };
  return [...stage.clusters.values()].some(({ keys, servers }) => keys.bound.id === kid && servers[0]?.up);
}

/** Lets the looks be made that are owed, and then nothing may be said that is not so. */
export async function settle(world: World): Promise<Violation | undefined> {
  for (const cluster of world.stage.clusters.values()) cluster.faults.clear();
  world.trap = undefined;
  await world.work();
  world.noteCases();
  for (const one of world.cases) {
    const found = await settleOne(world, one);
    if (found) return found;
  }
  return undefined;
}

async function settleOne(world: World, one: Case): Promise<Violation | undefined> {
  for (let looks = 0; ; looks++) {
    const wrong = await lie(world, one);
    if (wrong === undefined) return undefined;
    if (isHistory(world, one, wrong.said)) return undefined;
    const next = world.pending(one.id).find(({ kind }) => LOOKS.includes(kind));
    // Of what nobody looks at any more, what was seen may stand with its date.
    if (next === undefined && wrong.said.aged && (wrong.said.surface === 'card' || isClosed(world, one)))
      return undefined;
    const violation = (kind: Violation['kind']): Violation => ({ case: one, kind, ...wrong });
    if (next === undefined) return violation('no look is owed');
    if (next.at - world.now > LONGEST) return violation('the look is too far away');
    if (looks >= 3) return violation('wrong after the look');
    await world.pass(Math.max(0, next.at - world.now) + SETTLING);
    world.noteCases();
  }
}

/** Read by people. */
const READ = ['headline', 'card', 'home', 'summary of a burst', 'tourniquet status'];
const SLACK = 60_000;

/** Nobody looks any more, as where every worker is down: then what was seen is too old to be said without its age. */
export async function agedWords(world: World): Promise<Violation | undefined> {
  world.now += LONGEST;
  for (const one of world.cases) {
    const overdue = world
      .pending(one.id)
      .some(({ kind, at }) => LOOKS.includes(kind) && at + SLACK < world.now);
    const said = overdue ? await surfaces(world, one.id) : [];
    const bold = said.find((each) => isSoothing(each) && !each.aged && READ.includes(each.surface));
    if (bold) return { case: one, kind: 'old and not said so', truth: truthOf(world, one.about), said: bold };
  }
  return undefined;
}

const isSoothing = ({ claim }: Said): boolean => claim === 'dead' || claim === 'contained';

const isClosed = (world: World, { id }: Case): boolean => world.incident(id).closed !== undefined;

/** Closed for longer than it is looked at afterwards; a quarantine that was left in place is looked at for good. */
function isHistory(world: World, { id }: Case, { claim }: Said): boolean {
  const { closed } = world.incident(id);
  if (closed?.as === 'declined' && claim === 'contained') return false;
  return closed !== undefined && Date.parse(closed.at) + LONGEST < world.now;
}
