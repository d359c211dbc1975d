// One sequence, told: `node test/engine/truth/replay.ts FILE`, a line of JSON for the world and one for each move, as campaign.ts prints them.
import { readFileSync } from 'node:fs';
import { type Move, play } from './operations.ts';
import { agedWords, settle, truthOf } from './oracle.ts';
import { headline } from './product.ts';
import { World } from './world.ts';

const lines = readFileSync(process.argv[2] ?? 0, 'utf8')
  .trim()
  .split('\n');
const [options, ...operations] = lines.map((line) => JSON.parse(line.trim().replace(/ \(idle\)$/, '')));
const moves = operations.map(
  (operation, index): Move => ({ operation, idle: lines[index + 1]?.endsWith('(idle)') === true }),
);

const world = await World.open(options);
const told = new Map<string, number>();
function tell(): void {
  for (const [index, one] of world.cases.entries()) {
    const events = world.memory.events(one.id);
    for (const event of events.slice(told.get(one.id) ?? 0))
      console.log(`      [${index}]`, JSON.stringify(event).slice(0, 420));
    told.set(one.id, events.length);
    const incident = world.incident(one.id);
    const due = world.pending(one.id).map(({ kind, at }) => `${kind} in ${(at - world.now) / 1000} s`);
    console.log(
      `   [${index}] ${incident.status} | ${headline(incident, world.now)} | truth: ${truthOf(world, one.about)} | owed: ${due.join(', ')}`,
    );
  }
}
try {
  for (const move of moves) {
    console.log(new Date(world.now).toISOString(), JSON.stringify(move.operation));
    await play(world, [move]);
    tell();
  }
  console.log('settle');
  const found = (await settle(world)) ?? (await agedWords(world));
  tell();
  console.log(found === undefined ? 'nothing wrong' : { ...found, case: undefined });
} catch (error) {
  tell();
  throw error;
}
