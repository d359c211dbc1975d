// The benchmark has to keep running, or its numbers cannot be repeated; how fast it is here says nothing.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const BENCH = fileURLToPath(new URL('../../bench/kill-path.ts', import.meta.url));

test('it prints every time, the ratio, and what a kill waits for', { timeout: 90_000 }, async () => {
  const { stdout } = await run(process.execPath, [BENCH, '--alerts', '5']);
  const row = (name: string): number[] | undefined =>
    new RegExp(`^${name}.*?  +(5(?: +\\d+\\.\\d){6})$`, 'm').exec(stdout)?.[1]?.split(/ +/).map(Number);
  const dead = row('alert sent -> token dead');
  expect(dead?.slice(1)).toEqual(dead?.slice(1).toSorted((a, b) => a - b));
  for (const name of ['alert sent -> HTTP answer', 'floor: one raw PATCH', 'floor: one durable write'])
    expect(row(name), name).toHaveLength(7);
  expect(stdout).toMatch(/^Kill path \/ raw PATCH \(medians\): +\d+\.\d$/m);
  expect(stdout).toMatch(/^Kubernetes requests between an alert and its kill: 0 in 5 alerts\.$/m);
  expect(stdout).toMatch(
    /1\. bot: .*\n.*2\. bot: append to the log \+ enqueue\n[\s\S]*worker: append to the log/,
  );
});

test('a burst loses no alert', { timeout: 90_000 }, async () => {
  const { stdout } = await run(process.execPath, [BENCH, '--alerts', '5', '--burst']);
  expect(stdout).toMatch(/^All 5 tokens dead after \d+\.\d ms; none lost\.$/m);
});
