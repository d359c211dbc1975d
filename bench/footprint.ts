// What a bot and a worker cost: time from their start until they are ready, and memory at rest and after a burst of alerts.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { RoleProcess } from '../sandbox/process.ts';
import type { World, WorldCluster } from '../sandbox/world.ts';
import { table } from './distribution.ts';
import { openStage, raiseAlarm, type Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '5' },
    alerts: { type: 'string', default: '100' },
    /** Seconds of idling before memory is read. */
    rest: { type: 'string', default: '30' },
  },
});
const [starts, alerts, rest] = [values.starts, values.alerts, values.rest].map(Number) as [
  number,
  number,
  number,
];
if (!(starts > 0 && alerts > 0 && rest >= 0)) throw new Error('--starts, --alerts and --rest are numbers.');

const ROLES = ['bot', 'worker'] as const;
type Role = (typeof ROLES)[number];
/** As the image starts it: nothing compiled beforehand. */
const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function main(): Promise<void> {
  const stage = await openStage({ alerts });
  const { world } = stage;
  world.env.NODE_ENV = 'production';
  try {
    const series = [];
    for (const role of ROLES)
      series.push({ name: `${role}: start -> /readyz 200`, times: await startTimes(world, role) });
    console.log(`\n${table(series)}\n`);
    console.log(await memory(stage));
  } finally {
    await stage.close();
  }
}

/** The last process that was started stays. */
async function startTimes(world: World<WorldCluster>, role: Role): Promise<number[]> {
  const times: number[] = [];
  let running: RoleProcess | undefined;
  for (let i = 0; i < starts; i++) {
    await running?.stop();
    const began = performance.now();
    running = await world.startRole(role, { program: PROGRAM });
    const { http, health } = running.ports;
    while (!(await isReady(role === 'bot' ? http : health))) await delay(5);
    times.push(performance.now() - began);
  }
  return times;
}

const isReady = (port: number | undefined): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

async function memory(stage: Stage): Promise<string> {
  const { world, target } = stage;
  const processes = { bot: world.bot(), worker: world.worker() };
  const read = () => Promise.all(ROLES.map((role) => memoryOf(processes[role].pid)));
  await delay(rest * 1000);
  const idle = await read();
  const leaks = [];
  for (let i = 0; i < alerts; i++) leaks.push(await target.seed());
  await Promise.all(leaks.map((leak) => raiseAlarm(stage, leak)));
  await stage.calm();
  const busy = await read();
  await delay(rest * 1000);
  const after = await read();
  const rows = [
    ['MiB', `idle ${rest} s`, `${alerts} alerts`, `${rest} s later`, 'peak'],
    ...ROLES.map((role, i) => [role, idle[i]?.now, busy[i]?.now, after[i]?.now, after[i]?.peak]),
  ];
  return rows
    .map(
      ([name, ...cells]) => String(name).padEnd(8) + cells.map((cell) => String(cell).padStart(13)).join(''),
    )
    .join('\n');
}

/** Resident memory in MiB, and the most that it ever was, as Linux counts it. */
async function memoryOf(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { now: mib('VmRSS'), peak: mib('VmHWM') };
}

await main();
