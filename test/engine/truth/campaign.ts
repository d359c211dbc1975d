// Many sequences outside CI: `node test/engine/truth/campaign.ts [sequences] [seed] [plain]`. Every kind of violation once, in as short a sequence as it takes; `plain`: only counted.
import fc from 'fast-check';
import type { Move } from './operations.ts';
import { type Sequence, sequence, violationOf } from './property.ts';

const [count = '1000', seed = '1', plain] = process.argv.slice(2);
const LONGEST = 12;

/** What tells one kind of violation from another. */
async function faultOf(one: Sequence): Promise<string | undefined> {
  try {
    const found = await violationOf(one);
    if (found === undefined) return undefined;
    const words = found.said.words
      .replaceAll(/<!date[^>]*>|<@\w+>|[\d-]{10}T[\d:.]+Z|\d+/g, '#')
      .slice(0, 60);
    const truth = found.kind.startsWith('old') ? '' : found.truth;
    return `${found.kind} | ${truth} | ${found.said.surface} | ${words}`;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `ERROR ${text.replaceAll(/[0-9a-f]{10}|\d+/g, '#').slice(0, 100)}`;
  }
}

/** Leaves out whatever it does not take, until nothing more can be left out. */
async function shrink([options, all]: Sequence, fault: string): Promise<Sequence> {
  let kept = all;
  for (let before = kept.length + 1; kept.length < before; ) {
    before = kept.length;
    for (let index = before - 1; index >= 0; index--) {
      const without = kept.toSpliced(index, 1);
      if ((await faultOf([options, without])) === fault) kept = without;
    }
  }
  kept = await calmed([options, kept], fault);
  let least = options;
  for (const simpler of [{ clone: false }, { servers: 1 as const }, { old: false }, { labels: false }])
    if ((await faultOf([{ ...least, ...simpler }, kept])) === fault) least = { ...least, ...simpler };
  return [least, kept];
}

async function calmed([options, all]: Sequence, fault: string): Promise<Move[]> {
  let kept = all;
  for (const [index, move] of all.entries()) {
    const calm = kept.with(index, { ...move, idle: false });
    if (move.idle && (await faultOf([options, calm])) === fault) kept = calm;
  }
  return kept;
}

const show = ([options, all]: Sequence): string =>
  [
    JSON.stringify(options),
    ...all.map(({ operation, idle }) => `${JSON.stringify(operation)}${idle ? ' (idle)' : ''}`),
  ]
    .map((line) => `    ${line}`)
    .join('\n');

const seen = new Map<string, number>();
const began = Date.now();
let done = 0;
const report = (): void => {
  const rate = ((done * 1000) / (Date.now() - began)).toFixed(1);
  console.log(`\n${done} sequences, ${rate}/s, seed ${seed}`);
  for (const [fault, times] of [...seen].sort((a, b) => b[1] - a[1]))
    console.log(`${String(times).padStart(6)}  ${fault}`);
};
const STEP = 500;
for (let from = 0; from < Number(count); from += STEP) {
  const size = Math.min(STEP, Number(count) - from);
  const drawn = { numRuns: size, seed: Number(seed) + from };
  for (const one of fc.sample(sequence(LONGEST), drawn)) {
    const fault = await faultOf(one);
    done += 1;
    if (fault === undefined) continue;
    const times = seen.get(fault) ?? 0;
    seen.set(fault, times + 1);
    if (times === 0 && plain === undefined) console.log(`\n${fault}\n${show(await shrink(one, fault))}`);
  }
}
report();
process.exitCode = seen.size === 0 ? 0 : 1;
