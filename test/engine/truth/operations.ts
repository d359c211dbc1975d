// Everything that may happen in a sequence, how it is drawn, and how it is carried out.
import fc from 'fast-check';
import {
  changeCluster,
  clusterOperation,
  type Draws,
  kind,
  REQUESTS,
  requests,
} from './cluster-operations.ts';
import { type PeopleOperation, peopleDo, peopleOperation, which } from './people-operations.ts';
import type { WorkKind } from './product.ts';
import { policyOf, type World } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const time = fc.constantFrom(
  SECOND,
  11 * SECOND,
  65 * SECOND,
  6 * MINUTE,
  2 * HOUR,
  7 * HOUR,
  26 * HOUR,
  4 * DAY,
);
const skew = fc.constantFrom(0, -30 * SECOND, 30 * SECOND, 5 * MINUTE, -5 * MINUTE);
const works: WorkKind[] = ['investigate', 'run', 'prove', 'recheck', 'expire', 'close', 'forget-token'];

const processOperation = fc.oneof(
  {
    weight: 1,
    arbitrary: kind('policy', { autoContain: fc.boolean(), approvals: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 6, arbitrary: kind('pass', { time }) },
  { weight: 2, arbitrary: kind('stall', { time }) },
  { weight: 1, arbitrary: kind('doom', { appends: fc.integer({ min: 1, max: 4 }), written: fc.boolean() }) },
  { weight: 1, arbitrary: kind('restart', { skew }) },
  { weight: 1, arbitrary: kind('double', { skew }) },
  { weight: 1, arbitrary: kind('stale', { which, work: fc.constantFrom(...works) }) },
  { weight: 1, arbitrary: kind('bot-clock', { skew }) },
);

const outside = fc.oneof(
  { weight: 3, arbitrary: clusterOperation },
  { weight: 2, arbitrary: peopleOperation },
);

const operation = fc.oneof(
  { weight: 10, arbitrary: clusterOperation },
  { weight: 15, arbitrary: peopleOperation },
  { weight: 14, arbitrary: processOperation },
  /** In the middle of what the worker does next. */
  { weight: 2, arbitrary: kind('meanwhile', { during: fc.constantFrom(...REQUESTS), deed: outside }) },
);

type Operation = Draws<typeof operation>;
type ProcessOperation = Draws<typeof processOperation>;
/** `idle`: no worker turns up before the next operation. */
export type Move = { operation: Operation; idle: boolean };

export const world = fc.record({
  servers: fc.constantFrom(1 as const, 2 as const),
  clone: fc.boolean(),
  labels: fc.boolean(),
  old: fc.constantFrom(false, false, false, true),
  autoContain: fc.constantFrom(true, true, false),
});

const move: fc.Arbitrary<Move> = fc.record({
  operation,
  idle: fc.constantFrom(false, false, false, false, false, true),
});

const leaked: Move = { operation: { do: 'leak', token: 'api-token', by: undefined }, idle: false };

/** Most begin with a leak; what begins otherwise is drawn too. */
export const moves = (most: number): fc.Arbitrary<Move[]> => {
  const any = fc.array(move, { minLength: 1, maxLength: most });
  const afterLeak = any.map((all) => [leaked, ...all]);
  return fc.oneof({ weight: 4, arbitrary: afterLeak }, { weight: 1, arbitrary: any });
};

export async function play(world: World, all: readonly Move[]): Promise<void> {
  for (const { operation: each, idle } of all) {
    await carryOut(world, each);
    if (!idle) await world.work();
    world.noteCases();
  }
}

async function carryOut(world: World, each: Operation): Promise<void> {
  if ('on' in each) await changeCluster(world, each);
  else if (each.do === 'meanwhile') {
    const { during, deed } = each;
    world.trap = { matches: requests(during), spring: () => carryOut(world, deed) };
  } else if (isPeople(each)) await peopleDo[each.do](world, each as never);
  else await processDo[each.do](world, each as never);
}

const isPeople = (each: PeopleOperation | ProcessOperation): each is PeopleOperation => each.do in peopleDo;

type Deeds = {
  [K in ProcessOperation['do']]: (world: World, each: Extract<ProcessOperation, { do: K }>) => unknown;
};

const processDo: Deeds = {
  async policy(world, { autoContain, approvals }) {
    world.policy = policyOf(autoContain, approvals);
    world.restartBot(world.botSkewMs);
    await world.restartWorkers();
  },
  pass: (world, { time: ms }) => world.pass(ms),
  stall(world, { time: ms }) {
    world.now += ms;
  },
  doom(world, { appends, written }) {
    const [worker] = world.workers;
    if (worker) worker.doom = { appends, written };
  },
  restart: (world, { skew: ms }) => world.restartWorkers(ms),
  async double(world, { skew: ms }) {
    if (world.workers.length > 1) world.workers.pop();
    else await world.startWorker(ms);
  },
  async stale(world, { which: nth, work }) {
    const found = world.nthCase(nth);
    if (found) await world.do(work, found.id);
  },
  'bot-clock': (world, { skew: ms }) => world.restartBot(ms),
};
