// What is believed of a token: the last clear sighting on each cluster, about this token alone, and how old it may get.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Incident } from '../../../src/domain/incident/incident.ts';
import { isContained } from '../../../src/domain/incident/runs.ts';
import {
  DEFAULT_LOOKS,
  isLive,
  isStopped,
  nextLook,
  staleSince,
  unasked,
} from '../../../src/domain/incident/sightings.ts';
import { done, notDone, unknown } from '../../../src/domain/outcome.ts';
import { due } from '../../../src/domain/owed/due.ts';
import type { Timing } from '../../../src/domain/owed/timing.ts';
import {
  anIdentity,
  anIncident,
  aRound,
  aSituation,
  contained,
  reported,
  revoked,
  waiting,
} from '../../builders.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const timing: Timing = {
  approvalExpiry: 24 * HOUR,
  stability: 15_000,
  retryEvery: 2000,
  recheckAfter: [5 * MIN, HOUR, 24 * HOUR],
  keepTokenFor: 25 * HOUR,
  soak: 24 * HOUR,
};
const lookAt = (incident: Incident) =>
  due(incident, timing, { cursors: {}, reporters: [] }).find(({ kind }) => kind === 'recheck')?.at;

const proven: EventBody[] = [
  ...contained(),
  { type: 'probed', rounds: [aRound(), aRound()] },
  { type: 'proved', outcome: done('refused') },
];
const looked = (outcome = done('refused')): EventBody => ({
  type: 'rechecked',
  index: 0,
  outcome,
  rounds: [aRound({ outcome })],
});
const observed = (alive: 'alive' | 'quarantined' | 'dead' | 'unknown', cluster = 'prod'): EventBody => ({
  type: 'situation-observed',
  situations: [aSituation({ cluster, liveness: { alive, reason: 'r' } })],
});
const standing = (events: EventBody[]) => {
  const incident = anIncident(events);
  return { live: isLive(incident), stopped: isStopped(incident), contained: isContained(incident) };
};

describe('what is believed', () => {
  it.each<[string, EventBody[], ReturnType<typeof standing>]>([
    ['nothing before anybody looked', [reported()], { live: false, stopped: false, contained: false }],
    ['live, as the objects say', waiting(), { live: true, stopped: false, contained: false }],
    ['contained, as our write said', contained(), { live: false, stopped: true, contained: true }],
    ['contained, as servers said', proven, { live: false, stopped: true, contained: true }],
    ['still contained at a look', [...proven, looked()], { live: false, stopped: true, contained: true }],
    [
      'no longer contained when a look says so',
      [...proven, looked(notDone('accepted'))],
      { live: true, stopped: false, contained: false },
    ],
    [
      'what it was, where a look told nothing',
      [...proven, looked(unknown('silence'))],
      { live: false, stopped: true, contained: true },
    ],
    [
      'what an investigation saw, whatever was done before',
      [...proven, observed('alive')],
      { live: true, stopped: false, contained: false },
    ],
    [
      'stopped by somebody else, which is no containment of ours',
      [...waiting(), observed('quarantined')],
      { live: false, stopped: true, contained: false },
    ],
  ])('%s', (_name, events, expected) => {
    expect(standing(events)).toEqual(expected);
  });

  it('what servers accepted is not stopped because the objects say so: servers are asked again', () => {
    const accepted: EventBody[] = [
      ...contained(),
      { type: 'probed', rounds: [aRound({ outcome: notDone('still accepted') })] },
      { type: 'reopened', reason: 'still accepted', clusters: ['prod'] },
    ];
    const incident = anIncident([...accepted, observed('quarantined')]);
    expect(incident).toMatchObject({ liveAgain: true, looks: { count: 0 } });
    expect(isStopped(incident)).toBe(false);
    expect(isStopped(anIncident([...accepted, observed('quarantined'), looked()]))).toBe(true);
  });

  it('of another token nothing, whatever was seen of the first', () => {
    const other = anIdentity({ boundTo: { kind: 'Secret', name: 'other-token' } });
    const incident = anIncident([...proven, { type: 'identified', identity: other }]);
    expect(incident).toMatchObject({ beliefs: {}, situations: [], rechecks: [], stale: true });
    expect(incident.proof).toBeUndefined();
  });

  it('of the same token all, however often it is identified', () => {
    const incident = anIncident([...proven, { type: 'identified', identity: anIdentity() }]);
    expect(incident.proof?.outcome?.verdict).toBe('done');
    expect(isContained(incident)).toBe(true);
  });

  it('not of all clusters, once another is known to have signed it', () => {
    const identity = anIdentity({ clusters: ['prod', 'restored'] });
    const incident = anIncident([...proven, { type: 'identified', identity }]);
    expect(isStopped(incident)).toBe(false);
    expect(incident).toMatchObject({ stale: true });
    expect(incident.proof).toBeUndefined();
  });

  it('not by a run that was about another token', () => {
    const other = anIdentity({ boundTo: { kind: 'Secret', name: 'other-token' } });
    const [report, identified, ...rest] = contained();
    const kill = rest.findLast(({ type }) => type === 'step-ended');
    if (!report || !identified || !kill) throw new Error('no kill');
    const before = rest.slice(0, rest.indexOf(kill));
    const late: EventBody[] = [report, identified, ...before, { type: 'identified', identity: other }, kill];
    expect(anIncident(late).proof).toBeUndefined();
    expect(anIncident(late).beliefs).toEqual({});
  });

  it('a plan that expired takes back no proof', () => {
    const incident = anIncident([...proven, { type: 'plan-expired' }]);
    expect(incident).toMatchObject({ stale: true, proof: { outcome: { verdict: 'done' } } });
  });

  it('what somebody else took back is not in effect, and can be done again', () => {
    const again: EventBody = { type: 'reopened', reason: 'label gone', clusters: ['prod'] };
    const incident = anIncident([...proven, looked(notDone('accepted')), again]);
    expect(incident).toMatchObject({ liveAgain: true, stale: true });
    expect(incident.runs[0]?.steps[0]?.lost).toBeDefined();
    const put: EventBody = { type: 'rechecked', index: 0, outcome: done('d'), rounds: [aRound()] };
    expect(anIncident([...proven, again, put]).liveAgain).toBe(false);
  });

  it('the log of an older version, which did not say where it had looked', () => {
    const old: EventBody[] = [
      ...proven,
      { type: 'rechecked', index: 0, outcome: notDone('prod: accepted') },
      { type: 'reopened', reason: 'works again' },
    ];
    expect(anIncident(old)).toMatchObject({ liveAgain: true });
    expect(isLive(anIncident(old))).toBe(true);
  });
});

describe('looks', () => {
  it.each([
    ['at first soon', 0, 5 * MIN, 5 * MIN],
    ['then later', 1, HOUR, HOUR],
    ['then at the last wait or sooner', 2, 1, 6 * HOUR],
    ['and again and again', 99, 1, 6 * HOUR],
  ])('%s', (_name, count, least, most) => {
    const since = '2026-11-24T03:00:00.000Z';
    const next = nextLook({ ...anIncident(proven), looks: { since, count } }, DEFAULT_LOOKS) ?? 0;
    expect(next - Date.parse(since)).toBeGreaterThanOrEqual(least);
    expect(next - Date.parse(since)).toBeLessThanOrEqual(most);
  });

  it('of one ServiceAccount come at the same moment', () => {
    const at = (since: number, count: number) =>
      nextLook(
        { ...anIncident(proven), looks: { since: new Date(since).toISOString(), count } },
        DEFAULT_LOOKS,
      );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 * HOUR }), (offset) => {
        const first = Date.parse('2026-11-24T03:00:00Z');
        const [a, b] = [at(first, 2) ?? 0, at(first + offset, 2) ?? 0];
        expect((b - a) % (6 * HOUR)).toBe(0);
        expect(a - first).toBeLessThanOrEqual(6 * HOUR);
        expect(a).toBeGreaterThan(first);
      }),
    );
  });

  it('come soon where the token was reported again since the last one', () => {
    const again: EventBody = {
      type: 'alert-received',
      alert: { source: 'scanner', subject: { kind: 'token' } },
      fingerprint: 'f',
    };
    const quiet = anIncident([...proven, looked(), looked()]);
    const asked = anIncident([...proven, looked(), looked(), again]);
    expect(lookAt(asked) ?? 0).toBeLessThan(lookAt(quiet) ?? 0);
  });

  it('are not owed for a false alarm, a restart, or a rotation of what never leaked before its kill', () => {
    expect(
      lookAt(anIncident([...proven, { type: 'closed', as: 'false-alarm', reason: 'r' }])),
    ).toBeUndefined();
    const calm = waiting().map(
      (event): EventBody =>
        event.type === 'alert-received'
          ? { ...event, alert: { ...event.alert, goal: { do: 'rotate' } } }
          : event,
    );
    expect(lookAt(anIncident(calm))).toBeUndefined();
  });
});

describe('the age of a claim', () => {
  const at = (incident: Incident, after: number) =>
    staleSince(incident, Date.parse(incident.looks?.since ?? '') + after);

  it('is said once the look that was to renew it is overdue', () => {
    const incident = anIncident(proven);
    expect(at(incident, 5 * MIN)).toBeUndefined();
    expect(at(incident, 7 * MIN)).toBe(incident.beliefs.prod?.seen?.at);
  });

  it('is said at once where a look told nothing', () => {
    expect(at(anIncident([...proven, looked(unknown('silence'))]), 1000)).toBeDefined();
  });

  it('is said of what is closed while looks are owed to it, and not after the last of them', () => {
    const over = [...revoked(), { type: 'closed', as: 'resolved', reason: 'r' } as const];
    expect(at(anIncident(over), 4 * MIN)).toBeUndefined();
    expect(at(anIncident(over), 2 * HOUR)).toBeDefined();
    const done = [...over, looked(), looked(), looked()];
    expect(at(anIncident(done), 365 * 24 * HOUR)).toBeUndefined();
  });

  it('counts from the kill where nobody has had an answer since', () => {
    const unanswered: EventBody[] = [
      ...contained(),
      { type: 'probed', rounds: [aRound({ outcome: unknown('silence') })] },
    ];
    const incident = anIncident(unanswered);
    expect(staleSince({ ...incident, beliefs: {} }, Date.parse(incident.updatedAt) + HOUR)).toBe(
      incident.proof?.killedAt,
    );
  });
});

it('a cluster that was never asked keeps the incident open, until a person leaves it out by name', () => {
  const identity = anIdentity({ unchecked: ['restored'] });
  const events = revoked().map(
    (event): EventBody => (event.type === 'identified' ? { ...event, identity } : event),
  );
  const owes = (list: EventBody[]) =>
    due(anIncident(list), timing, { cursors: {}, reporters: [] }).map(({ kind }) => kind);
  expect(unasked(anIncident(events))).toEqual(['restored']);
  expect(owes(events)).not.toContain('close');
  const without: EventBody = {
    type: 'decided',
    decision: { verb: 'leave-out', by: 'UINES00001', clusters: ['restored'], reason: 'scrapped' },
  };
  expect(owes([...events, without])).toContain('close');
  const elsewhere: EventBody = {
    type: 'decided',
    decision: { verb: 'leave-out', by: 'UINES00001', clusters: ['other'], reason: 'scrapped' },
  };
  expect(owes([...events, elsewhere])).not.toContain('close');
});
