// How long from a signed alert to the dead token? Measured through the whole product, beside the fastest way to write the same.
import { parseArgs } from 'node:util';
import { median, quantile, type Series, table } from './distribution.ts';
import { redisTrips } from './redis-trips.ts';
import { durableWrite, kubectl, rawRequest } from './rivals.ts';
import { type Leak, openStage, type Round, raiseAlarm, type Stage } from './stage.ts';

const { values } = parseArgs({
  options: { alerts: { type: 'string', default: '200' }, burst: { type: 'boolean', default: false } },
});
const alerts = Number.parseInt(values.alerts, 10);
if (!(alerts > 0)) throw new Error('--alerts has to be a number above 0.');
const WARM_UP = Math.min(alerts, 20);
/** Starting a process takes so long that fewer rounds must do. */
const PROCESSES = Math.min(alerts, 25);

const took = ({ sentAt, kill }: Round): number => kill.at - sentAt;
const ms = (time: number): string => `${time.toFixed(1)} ms`;
const ratio = (a: number[], b: number[]): string => (median(a) / median(b)).toFixed(1);

async function main(): Promise<void> {
  const stage = await openStage(1 + WARM_UP + alerts);
  try {
    await stage.world.startRole('bot');
    await stage.world.startRole('worker');
    await fetch(`http://127.0.0.1:${stage.world.bot().ports.http}/healthz`);
    const first = await raiseAlarm(stage, await stage.seed());
    await stage.calm();
    console.log(`First alert after the start: kill after ${ms(took(first))}.`);
    for (let i = 0; i < WARM_UP; i++) {
      await raiseAlarm(stage, await stage.seed());
      await stage.calm();
    }
    await (values.burst ? allAtOnce(stage) : oneByOne(stage));
  } finally {
    await stage.close();
  }
  if (!values.burst) printTrips(await redisTrips());
}

async function oneByOne(stage: Stage): Promise<void> {
  const raw = rawRequest(stage);
  const durable = durableWrite(stage);
  const process = await kubectl(stage);
  const rounds: Round[] = [];
  const floor: number[] = [];
  const write: number[] = [];
  const processes: number[] = [];
  let requests = 0;
  try {
    for (let i = 0; i < WARM_UP; i++) await Promise.all([stage.seed().then(raw.kill), durable.write()]);
    await process?.kill(await stage.seed());
    for (let i = 0; i < alerts; i++) {
      floor.push(await raw.kill(await stage.seed()));
      write.push(await durable.write());
      const leak = await stage.seed();
      const before = stage.cluster.requests.length;
      const round = await raiseAlarm(stage, leak);
      rounds.push(round);
      requests += stage.cluster.requests.indexOf(round.kill.request, before) - before;
      await stage.calm();
      if (process && (i * PROCESSES) % alerts < PROCESSES)
        processes.push(await process.kill(await stage.seed()));
    }
  } finally {
    await Promise.all([raw.close(), durable.close(), process?.close()]);
  }
  const kills = rounds.map(took);
  const series: Series[] = [
    { name: 'alert sent -> token dead', times: kills },
    { name: 'alert sent -> HTTP answer', times: rounds.map(({ sentAt, answeredAt }) => answeredAt - sentAt) },
    { name: 'floor: one raw PATCH, connection kept', times: floor },
    { name: 'floor: one durable write to Redis', times: write },
    ...(process ? [{ name: `kubectl patch, one process (${process.version})`, times: processes }] : []),
  ];
  console.log(`\n${table(series)}\n`);
  console.log(`Kill path / raw PATCH (medians):   ${ratio(kills, floor)}`);
  if (process) console.log(`kubectl process / kill path:       ${ratio(processes, kills)}`);
  else console.log('There is no kubectl on PATH, so it was not measured.');
  console.log(`Kubernetes requests between an alert and its kill: ${requests} in ${rounds.length} alerts.`);
}

async function allAtOnce(stage: Stage): Promise<void> {
  const leaks: Leak[] = [];
  for (let i = 0; i < alerts; i++) leaks.push(await stage.seed());
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
