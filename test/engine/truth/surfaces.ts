// Everything that people and machines read about an incident, line by line, drawn as the product draws it.
import type { KnownBlock } from '@slack/types';
import {
  type Bot,
  createCensus,
  followUps,
  headline,
  type Incident,
  incidentJson,
  isProvenDead,
  lastEvidence,
  renderBurst,
  renderCard,
  renderReport,
  showHome,
  standing,
  steps,
  summary,
} from './product.ts';
import { type Claimed, claimOf } from './words.ts';
import type { World } from './world.ts';

export interface Said extends Claimed {
  surface: string;
  words: string;
  /** Said of this cluster alone. */
  cluster?: string;
}

/** The headline is the first. */
export async function surfaces(world: World, id: string): Promise<Said[]> {
  const now = world.now + world.botSkewMs;
  const incident = world.incident(id);
  const { policy } = world;
  const burst = { id: 'b1', members: [incident], cards: new Map<string, string>(), policy, now };
  const texts: [string, string[]][] = [
    ['headline', [headline(incident, now)]],
    ['card', wordsOf(renderCard(incident, { now, head: 'head', policy }).blocks)],
    ['home', wordsOf(await home(world, incident))],
    ['summary of a burst', wordsOf(renderBurst(burst).blocks)],
    ['metrics', await metrics(world, id, now)],
    ['tourniquet status --json', json(incident, world, now)],
    [
      'tourniquet status',
      [standing(incident, now), ...summary(incident), ...followUps(incident), ...steps(incident)],
    ],
    ['audit report', renderReport({ incident, events: world.memory.events(id), head: 'head' }).split('\n')],
  ];
  return texts.flatMap(([surface, lines]) =>
    lines
      .filter((line) => line.trim() !== '')
      .map((words) => ({ surface, words, ...claimOf(words), ...ofOne(words) })),
  );
}

function ofOne(words: string): { cluster?: string } {
  const cluster = /^\*Still works:\* ([\w-]+): /.exec(words)?.[1];
  return cluster === undefined ? {} : { cluster };
}

function wordsOf(blocks: readonly KnownBlock[]): string[] {
  return blocks.flatMap((block) => {
    if (block.type === 'header') return [block.text.text];
    if (block.type === 'section') return (block.text?.text ?? '').split('\n');
    if (block.type === 'context')
      return block.elements.flatMap((element) => ('text' in element ? String(element.text) : []));
    return [];
  });
}

/** What one person sees who opens the App Home. */
async function home(world: World, incident: Incident): Promise<KnownBlock[]> {
  let shown: KnownBlock[] = [];
  const person = { id: 'UINES', teamId: 'T1', guest: false, bot: false, deactivated: false, groups: [] };
  const bot = {
    front: { incidents: async () => [incident], paused: () => world.bot.paused() },
    roster: { policy: world.policy, teamId: 'T1' },
    shelf: { store: { get: async () => undefined, burstOf: async () => undefined }, url: '', channel: 'C1' },
    client: {
      views: { publish: async ({ view }: { view: { blocks: KnownBlock[] } }) => (shown = view.blocks) },
    },
    directory: { person: async () => person },
    clock: { now: () => world.now + world.botSkewMs },
    log: { warn: (_: object, message: string) => Promise.reject(new Error(message)) },
  };
  await showHome(bot as unknown as Bot, 'UINES');
  return shown;
}

/** What the gauges would show were this the only incident: a status has no age, which a gauge beside it tells. */
async function metrics({ memory }: World, id: string, now: number): Promise<string[]> {
  const { byStatus, claims } = await createCensus({ log: { ...memory, list: async () => [id] } })();
  const [stale] = claims.filter(({ from }) => now > from);
  const age = stale && new Date(stale.since).toISOString();
  return Object.keys(byStatus).map((status) => withAge(`status: ${status}`, age));
}

/** In words of the model's own: here the age is a field or a metric of its own, which who reads the status reads too. */
const withAge = (status: string, since: string | undefined): string =>
  since === undefined ? status : `${status}, last seen ${since}`;

/** By field, because a machine reads each for itself. */
function json(incident: Incident, world: World, now: number): string[] {
  const { status, contained, provenDead, lastSeen } = incidentJson(incident, world.policy, now);
  const evidence = lastEvidence(incident);
  return [
    withAge(`status: ${status}`, lastSeen),
    `contained: ${contained}`,
    `provenDead: ${provenDead || isProvenDead(incident, now)}`,
    ...(evidence ? [`evidence: ${evidence.verdict} at ${evidence.at}`] : []),
  ];
}
