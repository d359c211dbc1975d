// The benchmark of a rotation has to keep running, or its numbers cannot be repeated; how fast it is here says nothing.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const BENCH = fileURLToPath(new URL('../../bench/rotation.ts', import.meta.url));

test('it rotates three sets, counts what each asked for, and sees no workload without a Pod', {
  timeout: 300_000,
}, async () => {
  const { stdout } = await run(process.execPath, [BENCH, '--workloads', '2', '--most', '2']);
  const calls = (name: string): Record<string, number> =>
    JSON.parse(new RegExp(`^${name}.*?: (\\{.*\\})$`, 'm').exec(stdout)?.[1] ?? '{}');
  // One for each workload, and one that switches the old token off.
  expect(calls('playbook')).toMatchObject({ create: 1, patch: 3 });
  // The new Secret, asking whether the new token is taken, and two rounds of asking about the old one beside another.
  for (const most of [5, 2]) {
    const { create, patch, ...others } = calls(`Tourniquet, 25 %, at most ${most}`);
    expect(patch).toBe(3);
    // Each workload is tried before the first write.
    expect(others['patch by dry run']).toBe(2);
    expect(create).toBeGreaterThanOrEqual(6);
  }
  const rows = [...stdout.matchAll(/^(?:playbook|Tourniquet).* s +[\d.]+ s +[\d.]+x +(\d+) +([\d.]+) s$/gm)];
  expect(rows).toHaveLength(3);
  for (const [, asked, gap] of rows) {
    expect(Number(asked)).toBeGreaterThan(5);
    expect(gap).toBe('0.0');
  }
});
