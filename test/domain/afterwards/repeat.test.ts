// What is heard again: written down where it could matter, only counted where it cannot, and never silent for long.
import { describe, expect, it } from 'vitest';
import { quietFor } from '../../../src/domain/afterwards/repeat.ts';
import type { LeakAlert } from '../../../src/domain/incident/alert.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import { revoked } from '../../builders.ts';

const START = Date.parse('2026-11-24T03:00:00Z');
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

const alert: LeakAlert = { source: 'report', subject: { kind: 'token' }, where: { text: 'a gist' } };
const received = (more: Partial<LeakAlert> = {}): EventBody => ({
  type: 'alert-received',
  alert: { ...alert, ...more },
  fingerprint: 'f',
});
const unidentified: EventBody = { type: 'unidentified', reason: 'nobody knows it', near: [] };
const closedAs = (as: 'resolved' | 'declined' | 'false-alarm'): EventBody => ({
  type: 'closed',
  as,
  reason: 'r',
});

/** Each event at its time, in milliseconds after the start. */
const incidentOf = (...events: [at: number, body: EventBody][]): Incident =>
  fold(
    'one',
    events.map(([at, body], i) => ({ ...body, v: i + 1, at: new Date(START + at).toISOString() })),
  );

const quietAt = (incident: Incident, at: number, more: Partial<LeakAlert> = {}): number =>
  quietFor(incident, { ...alert, ...more }, 'f', START + at);

describe('a known and open finding', () => {
  const open = incidentOf([0, received()], [1000, unidentified]);

  it('is only counted, until five minutes after it was last written down', () => {
    expect(quietAt(open, 2000)).toBe(5 * MINUTE - 2000);
    expect(quietAt(open, 5 * MINUTE)).toBe(0);
  });

  it('in other words is the same finding', () => {
    expect(quietAt(open, 2000, { reason: 'scan 17', severity: 'low' })).toBeGreaterThan(0);
  });

  it.each<[string, Partial<LeakAlert>]>([
    ['a person', { reporter: 'UMAYA' }],
    ['another source', { source: 'gitguardian' }],
    ['another id', { externalId: '2' }],
    ['another place', { where: { text: 'a log' } }],
    ['another goal', { goal: { do: 'restart' } }],
  ])('is written down where %s says it', (_what, more) => {
    expect(quietAt(open, 2000, more)).toBe(0);
  });

  it('in the fifty-first place is counted like the first', () => {
    const places = Array.from({ length: 50 }, (_, i): [number, EventBody] => [
      i,
      received({ externalId: `${i}` }),
    ]);
    expect(quietAt(incidentOf(...places), 1000, { externalId: 'new' })).toBeGreaterThan(0);
    expect(quietAt(incidentOf(...places.slice(1)), 1000, { externalId: 'new' })).toBe(0);
  });
});

describe('a token that is believed contained, dead, or to be left alone', () => {
  const contained = revoked()
    .filter(({ type }) => type !== 'alert-received')
    .map((body, i): [number, EventBody] => [1000 + i, body]);

  it('is written down at once when it is heard of again: nobody may know yet that it lives', () => {
    expect(quietAt(incidentOf([0, received()], ...contained), 2000)).toBe(0);
    for (const as of ['resolved', 'declined'] as const)
      expect(quietAt(incidentOf([0, received()], [1000, closedAs(as)]), 2000)).toBe(0);
  });

  it('is only counted where nothing has happened since it was heard of again', () => {
    const again = incidentOf([0, received()], ...contained, [3000, received()]);
    expect(quietAt(again, 4000)).toBe(5 * MINUTE - 1000);
  });

  it('is only counted where somebody said that it is no leak, unless a person says so again', () => {
    const falseAlarm = incidentOf([0, received()], [1000, closedAs('false-alarm')]);
    expect(quietAt(falseAlarm, 2000)).toBeGreaterThan(0);
    expect(quietAt(falseAlarm, 2000, { reporter: 'UMAYA' })).toBe(0);
  });
});

it.each([
  ['open', [] as EventBody[]],
  ['closed again and again', [closedAs('resolved')]],
])('a scanner that says it every minute for a week is written down some hundred times: %s', (_what, then) => {
  const events: [number, EventBody][] = [[0, received()]];
  let incident = incidentOf(...events);
  const noted: number[] = [];
  for (let at = MINUTE; at < 7 * DAY; at += MINUTE) {
    if (quietAt(incident, at) > 0) continue;
    noted.push(at);
    for (const body of [received(), ...then]) events.push([at, body]);
    incident = incidentOf(...events);
  }
  expect(noted.length).toBeLessThan(250);
  expect(noted.filter((at) => at < DAY).length).toBeLessThan(60);
  // And never silent for more than an hour.
  const pauses = noted.slice(1).map((at, i) => at - (noted[i] ?? 0));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(HOUR);
});
