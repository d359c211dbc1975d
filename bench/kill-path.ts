// How long from a signed alert to the dead token? Measured through the whole product, beside the fastest way to write the same.
import { parseArgs } from 'node:util';
import { median, quantile, type Series, table } from './distribution.ts';
import { countFolds } from './folds.ts';
import { proofTimes } from './proof-times.ts';
import { redisTrips } from './redis-trips.ts';
import { durableWrite, kubectl, rawRequest } from './rivals.ts';
import { openStage, type Round, raiseAlarm, type Stage } from './stage.ts';
import type { Leak } from './target.ts';

const { values } = parseArgs({
  options: {
    alerts: { type: 'string', default: '200' },
    burst: { type: 'boolean', default: false },
    /** On a real control plane. */
    real: { type: 'boolean', default: false },
    /** Only counts what is folded on the way to a proof. */
    folds: { type: 'boolean', default: false },
  },
});
const alerts = Number.parseInt(values.alerts, 10);
if (!(alerts > 0)) throw new Error('--alerts has to be a number above 0.');
const WARM_UP = Math.min(alerts, 20);
/** Starting a process takes so long that fewer rounds must do. */
const PROCESSES = Math.min(alerts, 25);
/** Each takes as long as the proof does. */
const PROOFS = Math.min(alerts, 10);

const took = ({ sentAt, kill }: Round): number => kill.at - sentAt;
const ms = (time: number): string => `${time.toFixed(1)} ms`;
const ratio = (a: number[], b: number[]): string => (median(a) / median(b)).toFixed(1);

async function main(): Promise<void> {
  if (values.folds) return console.log(await countFolds());
  const stage = await openStage({ alerts: 1 + WARM_UP + alerts, real: values.real });
  try {
    await stage.world.startRole('bot');
    await stage.world.startRole('worker');
    await fetch(`http://127.0.0.1:${stage.world.bot().ports.http}/healthz`);
    const first = await raiseAlarm(stage, await stage.target.seed());
    await stage.calm();
    console.log(`First alert after the start: kill after ${ms(took(first))}.`);
    for (let i = 0; i < WARM_UP; i++) {
      await raiseAlarm(stage, await stage.target.seed());
      await stage.calm();
    }
    await (values.burst ? allAtOnce(stage) : oneByOne(stage));
  } finally {
    await stage.close();
  }
  if (values.burst) return;
  if (values.real) console.log(`\n${table(await proofTimes(PROOFS))}`);
  else printTrips(await redisTrips());
}

async function oneByOne(stage: Stage): Promise<void> {
  const { target } = stage;
  const raw = await rawRequest(stage);
  const durable = durableWrite(stage);
  const typed = await kubectl(stage);
  const commands = values.real ? (['label', 'delete'] as const) : (['patch'] as const);
  const rounds: Round[] = [];
  const floor: number[] = [];
  const write: number[] = [];
  const processes = commands.map((what) => ({ what, times: [] as number[] }));
  let requests = 0;
  try {
    for (let i = 0; i < WARM_UP; i++) await Promise.all([target.seed().then(raw.kill), durable.write()]);
    for (const { what } of processes) await typed?.type(what)(await target.seed());
    for (let i = 0; i < alerts; i++) {
      floor.push(await raw.kill(await target.seed()));
      write.push(await durable.write());
      const leak = await target.seed();
      const before = target.requests();
      const round = await raiseAlarm(stage, leak);
      rounds.push(round);
      requests += target.requestsBefore(round.kill, before);
      await stage.calm();
      if (typed && (i * PROCESSES) % alerts < PROCESSES)
        for (const { what, times } of processes) times.push(await typed.type(what)(await target.seed()));
    }
  } finally {
    await Promise.all([raw.close(), durable.close(), typed?.close()]);
  }
  const kills = rounds.map(took);
  const series: Series[] = [
    { name: 'alert sent -> token dead', times: kills },
    { name: 'alert sent -> HTTP answer', times: rounds.map(({ sentAt, answeredAt }) => answeredAt - sentAt) },
    { name: 'floor: one raw PATCH, connection kept', times: floor },
    { name: 'floor: one durable write to Redis', times: write },
    ...processes
      .filter(({ times }) => times.length > 0)
      .map(({ what, times }) => ({ name: `kubectl ${what}, one process (${typed?.version})`, times })),
  ];
  console.log(`\n${table(series)}\n`);
  console.log(`Kill path / raw PATCH (medians):   ${ratio(kills, floor)}`);
  for (const { what, times } of processes)
    if (typed) console.log(`${`kubectl ${what} / kill path:`.padEnd(34)} ${ratio(times, kills)}`);
  if (!typed) console.log('There is no kubectl on PATH, so it was not measured.');
  if (!values.real)
    console.log(`Kubernetes requests between an alert and its kill: ${requests} in ${rounds.length} alerts.`);
}

async function allAtOnce(stage: Stage): Promise<void> {
  const leaks: Leak[] = [];
  for (let i = 0; i < alerts; i++) leaks.push(await stage.target.seed());
  const rounds = await Promise.all(leaks.map((leak) => raiseAlarm(stage, leak)));
  const start = Math.min(...rounds.map(({ sentAt }) => sentAt));
  const dead = rounds.map(({ kill }) => kill.at - start);
  console.log(`\n${table([{ name: `${alerts} alerts at once -> token dead`, times: dead }])}\n`);
  console.log(`All ${rounds.length} tokens dead after ${ms(quantile(dead, 1))}; none lost.`);
}

function printTrips(ways: string[][]): void {
  const texts = ways.map((way) => way.map((step, i) => `  ${i + 1}. ${step}`).join('\n'));
  console.log('\nRound trips to Redis that a kill waits for, seen on the wire:');
  for (const text of new Set(texts))
    console.log(`${text}\n  in ${texts.filter((other) => other === text).length} of ${ways.length} alerts`);
}

await main();
