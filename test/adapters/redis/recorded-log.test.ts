// Logs that an older version wrote, recorded from a simulated cluster: they verify, and mean the same or something safer.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { headline } from '../../../src/adapters/slack/cards/headline.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import { isContained } from '../../../src/domain/incident/runs.ts';
import { isLive, isStopped } from '../../../src/domain/incident/sightings.ts';
import { due } from '../../../src/domain/owed/due.ts';
import { Secret } from '../../../src/secret.ts';
import { TIMING } from '../../engine/harness.ts';
import { openWorld } from './support.ts';

/** By 9e2ab70, with a key that exists for this recording alone. */
const recorded = JSON.parse(
  readFileSync(new URL('recorded/before-sightings.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;
const key = new Secret(createHash('sha256').update('fixture: a recorded log').digest('base64'));

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;
beforeAll(async () => {
  redis = await startRedis();
  world = openWorld(redis, {}, key);
});
afterAll(async () => {
  await world.close();
  await redis.close();
});

async function read(name: string): Promise<Incident> {
  const entries = recorded[name] ?? [];
  await world.store.run((r) => r.rpush(world.space.log(name), ...entries));
  const loaded = await world.log.load(name);
  expect(loaded?.events).toHaveLength(entries.length);
  return fold(name, loaded?.events ?? []);
}
const owes = (incident: Incident) =>
  due(incident, TIMING, { cursors: {}, reporters: [] }).map(({ kind }) => kind);
const says = (incident: Incident) => headline(incident, Date.parse(incident.updatedAt));

test('what was contained and waits is contained, and owed the looks that the old version forgot', async () => {
  const incident = await read('contained-and-waiting');
  expect({ contained: isContained(incident), status: incident.status }).toEqual({
    contained: true,
    status: 'awaiting-approval',
  });
  expect(owes(incident)).toContain('recheck');
});

test('what was live again is', async () => {
  const incident = await read('live-again');
  expect({ live: isLive(incident), again: incident.liveAgain }).toEqual({ live: true, again: true });
  expect(says(incident)).toMatch(/^🔴 LEAK LIVE AGAIN/);
});

test('what was revoked twice and looked at for the last time is over', async () => {
  const incident = await read('revoked-twice');
  expect({ stopped: isStopped(incident), status: incident.status }).toEqual({
    stopped: true,
    status: 'resolved',
  });
  expect(says(incident)).toMatch(/^🟢/);
  expect(owes(incident)).not.toContain('recheck');
});

test('what was undone is live', async () => {
  const incident = await read('undone');
  expect(isLive(incident)).toBe(true);
  expect(says(incident)).toMatch(/LIVE AGAIN/);
});
