// Counts how often the two processes fold a log on the way from an alert to its proof, by V8's own count of calls.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readerOf } from '../sandbox/incident-reader.ts';
import { openStage, raiseAlarm, type Stage } from './stage.ts';

/** Over all processes. */
export interface Folds {
  appends: number;
  /** Whole logs, from their first event. */
  folds: number;
  /** States that were taken further by what was appended since. */
  steps: number;
  /** Events that were applied for both. */
  events: number;
}

/** One alert, its quarantine, plan, card and proof; whatever the processes do meanwhile counts. */
export async function countFolds(): Promise<Folds> {
  const directory = await mkdtemp(join(tmpdir(), 'tourniquet-folds-'));
  try {
    await untilProven(await openStage({ alerts: 1, stability: '1s' }), directory);
    return await readCounts(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Each process writes its counts when it ends. */
async function untilProven(stage: Stage, directory: string): Promise<void> {
  const { world, target } = stage;
  try {
    world.env.NODE_V8_COVERAGE = directory;
    await world.startRole('bot');
    await world.startRole('worker');
    const reader = readerOf(world);
    const { incidentId } = await raiseAlarm(stage, await target.seed());
    await reader.until(incidentId, ({ proof }) => proof?.outcome !== undefined);
    await reader.close();
    await stage.calm();
  } finally {
    await stage.close();
  }
}

interface Coverage {
  result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
}

async function readCounts(directory: string): Promise<Folds> {
  const files = await readdir(directory);
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  const scripts = texts.flatMap((text) => (JSON.parse(text) as Coverage).result);
  const calls = (file: string, name: string): number =>
    scripts
      .filter(({ url }) => url.endsWith(file))
      .flatMap(({ functions }) => functions.filter(({ functionName }) => functionName === name))
      .reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
  return {
    appends: calls('/src/adapters/redis/incident-log.ts', 'append'),
    folds: calls('/src/domain/incident/fold.ts', 'fold'),
    steps: calls('/src/domain/incident/fold.ts', 'evolve'),
    events: calls('/src/domain/incident/fold.ts', 'apply'),
  };
}
