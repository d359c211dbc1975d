// From a pipeline's point of view: what a scanner found is piped in, the real bot and worker do the rest, and the pipeline waits for the proof.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectTraces } from '../../sandbox/traces.ts';
import type { World } from '../../sandbox/world.ts';
import { expectNoTrace, type Told } from '../cli/terminal.ts';
import { answersTo, cardShows, newToken, openStage, START_MS } from './stage.ts';

const CLI = fileURLToPath(new URL('../../src/cli/tourniquet.js', import.meta.url));
let world: World;
beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('worker'), world.startRole('bot')]);
}, START_MS);
afterAll(() => world?.close());

function pipe(stdin: string, ...args: string[]): Promise<Told> {
  const env = {
    PATH: process.env.PATH ?? '',
    ...world.env,
    TOURNIQUET_URL: `http://127.0.0.1:${world.bot().ports.http}`,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(stdin);
  });
}

test('a report of gitleaks ends in a proof, and the token shows nowhere', { timeout: START_MS }, async () => {
  const { token } = await newToken(world, 'piped');
  const finding = { RuleID: 'jwt', Secret: token, Match: token, File: 'deploy/kc.yaml', StartLine: 4 };
  const reported = await pipe(JSON.stringify([finding]), 'report', '--json');
  expect(reported.code).toBe(1);
  const id: string = JSON.parse(reported.out).leaks[0].incidents[0].id;

  const waited = await pipe('', 'status', id.slice(0, 6), '--wait', '--timeout', '1m');
  expect(waited.code).toBe(0);
  expect(waited.out).toContain('Proven dead: yes');
  expect(waited.out).toContain('found in deploy/kc.yaml:4 (gitleaks: jwt)');
  expect(await answersTo(world, token)).toEqual([401, 401]);
  await cardShows(world, id, /Contained: refused by 2 of 2/);

  const open = await pipe('', 'incidents', '--open');
  expect(open.code).toBe(0);
  expect(open.out).toMatch(new RegExp(`^${id}  Contained: .*\\n.*waits for approval by`, 'm'));
  const again = await pipe(JSON.stringify([finding]), 'report', '--exit-zero');
  expect(again.code).toBe(0);
  expect(again.out).toContain(`already known: incident ${id}`);

  const all = [reported, waited, open, again];
  expectNoTrace({ out: all.map(({ out }) => out).join(''), err: all.map(({ err }) => err).join('') }, token);
  expect((await inspectTraces(world, token)).found).toEqual([]);
});
