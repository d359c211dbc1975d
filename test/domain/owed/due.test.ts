// What is owed, when: every state that can be left by time or by a worker names the work that leaves it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import { notDone, unknown } from '../../../src/domain/outcome.ts';
import { due } from '../../../src/domain/owed/due.ts';
import { EARLY_MS, type Timing } from '../../../src/domain/owed/timing.ts';
import { judgeProof } from '../../../src/domain/proof/judge-proof.ts';
import {
  anIdentity,
  anIncident,
  aPlan,
  aRound,
  contained,
  eventsOf,
  reported,
  revoked,
  T0,
  waiting,
} from '../../builders.ts';

const MIN = 60_000;
const timing: Timing = {
  approvalExpiry: 24 * 60 * MIN,
  stability: 15_000,
  retryEvery: 2000,
  recheckAfter: [5 * MIN, 60 * MIN],
  keepTokenFor: 25 * 60 * MIN,
  soak: 24 * 60 * MIN,
};
const silent = { cursors: {}, reporters: [] };
const owed = (events: EventBody[]) => due(anIncident(events), timing, silent);
const kinds = (events: EventBody[]) => owed(events).map(({ kind }) => kind);
const at = (events: EventBody[], kind: string) => owed(events).find((work) => work.kind === kind)?.at;

const withToken: EventBody = { ...(reported() as EventBody & { type: 'alert-received' }), fingerprint: 'f' };
const approve: EventBody = {
  type: 'decided',
  decision: { verb: 'approve', by: 'UTOMAS0001', hash: aPlan().hash },
};
const closed: EventBody = { type: 'closed', as: 'resolved', reason: 'r' };

describe('due', () => {
  it.each<[string, EventBody[], string[]]>([
    ['a new alert is investigated', [reported()], ['investigate']],
    ['an alert with a token is also forgotten one day', [withToken], ['investigate', 'forget-token']],
    ['a plan waits for people, and expires, and somebody looks', waiting(), ['recheck', 'remind', 'expire']],
    [
      'an unidentified token waits for people',
      [reported(), { type: 'unidentified', reason: 'r', near: [] }],
      [],
    ],
    ['an approved plan is run, and somebody looks', [...waiting(), approve], ['run', 'recheck']],
    ['a kill is proven', contained(), ['prove', 'remind', 'expire']],
    [
      'a stopped run is looked at anew',
      [...waiting(), approve, { type: 'run-stopped', run: 'plan-5', reason: 'r' }],
      ['investigate'],
    ],
    ['a proven kill is closed and re-checked', revoked(), ['close', 'recheck']],
    ['a closed incident is re-checked', [...revoked(), closed], ['recheck']],
    [
      'a declined incident is looked at',
      [...waiting(), { type: 'closed', as: 'declined', reason: 'r' }],
      ['recheck'],
    ],
    [
      'a false alarm forgets its token at once',
      [withToken, ...waiting().slice(1), { type: 'closed', as: 'false-alarm', reason: 'r' }],
      ['forget-token'],
    ],
  ])('%s', (_name, events, expected) => {
    expect(kinds(events)).toEqual(expected);
  });

  it('names what is owed earlier than before anew, because the queue keeps one job of a name, at its first moment', () => {
    const forget = (events: EventBody[]) => owed(events).find(({ kind }) => kind === 'forget-token');
    const open = [withToken, ...waiting().slice(1)];
    const declined = [...open, { type: 'closed', as: 'declined', reason: 'r' } satisfies EventBody];
    expect(forget(declined)?.at).toBeLessThan(forget(open)?.at ?? 0);
    expect(forget(declined)?.occasion).not.toBe(forget(open)?.occasion);
  });

  it('does not re-check a false alarm, whose token may be given back', () => {
    expect(kinds([...revoked(), { type: 'closed', as: 'false-alarm', reason: 'r' }])).toEqual([]);
  });

  it('asks again after a refusal when it must hold, and after an acceptance soon', () => {
    const probed = (round: ReturnType<typeof aRound>): EventBody[] => [
      ...contained(),
      { type: 'probed', rounds: [round] },
    ];
    expect(at(probed(aRound()), 'prove')).toBe(Date.parse(aRound().at) + 15_000);
    expect(at(probed(aRound({ outcome: notDone('accepted') })), 'prove')).toBe(
      Date.parse(aRound().at) + 2000,
    );
    expect(at(probed(aRound({ outcome: unknown('silence') })), 'prove')).toBe(Date.parse(aRound().at) + 2000);
  });

  it('looks at the objects again late enough for a proof, though work may come a moment early', () => {
    const gone = (time: number) => {
      const at = new Date(time).toISOString();
      return aRound({ level: 'object-state', answers: [], began: at, at });
    };
    const first = gone(T0 + 1000);
    const events: EventBody[] = [...contained(), { type: 'probed', rounds: [first] }];
    const hasty = { ...timing, stability: 300 };
    const [again] = due(anIncident(events), hasty, silent).filter(({ kind }) => kind === 'prove');
    const second = gone((again?.at ?? 0) - EARLY_MS);
    const proof = { killedAt: new Date(T0).toISOString(), rounds: [first, second] };
    expect(judgeProof(proof, ['prod'], 120_000, again?.at ?? 0).kind).toBe('proved');
  });

  it('asks ever more rarely where no answer comes, so that the log does not grow without end', () => {
    const events = [...contained()];
    let asked = 0;
    for (let time = T0; time < T0 + 24 * 60 * MIN; asked++) {
      time = at(events, 'prove') ?? Number.POSITIVE_INFINITY;
      events.push({
        type: 'probed',
        rounds: [aRound({ at: new Date(time).toISOString(), outcome: unknown('silence') })],
      });
    }
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThan(120);
  });

  it('looks at the agreed times after the closing and then no more', () => {
    const closedAt = anIncident([...revoked(), closed]).closed?.at ?? '';
    const rechecked = (index: number): EventBody => ({
      type: 'rechecked',
      index,
      outcome: { verdict: 'done', detail: 'd' },
    });
    expect(at([...revoked(), closed], 'recheck')).toBe(Date.parse(closedAt) + 5 * MIN);
    expect(at([...revoked(), closed, rechecked(0)], 'recheck')).toBe(Date.parse(closedAt) + 60 * MIN);
    expect(kinds([...revoked(), closed, rechecked(0), rechecked(1)])).toEqual([]);
  });

  it('goes on looking for a week where the last look at a closed incident told nothing', () => {
    const done = { verdict: 'done', detail: 'd' } as const;
    const looked = (outcome: ReturnType<typeof unknown> | typeof done): EventBody => ({
      type: 'rechecked',
      index: 0,
      outcome,
      rounds: [aRound({ outcome })],
    });
    const silent = [...revoked(), closed, looked(done), looked(unknown('silence'))];
    const last = Date.parse(anIncident(silent).updatedAt);
    expect(at(silent, 'recheck')).toBe(last + 6 * 60 * MIN);
    expect(kinds([...silent, looked(done)])).toEqual([]);
  });

  it.each([
    ['sooner than the usual wait', 500, 1000],
    ['later than it', 30_000, 30_000],
    ['absurdly late', 86_400_000, 600_000],
  ])('comes back when a server asked for it: %s', (_name, retryAfterMs, expected) => {
    const events: EventBody[] = [
      reported(),
      { type: 'trouble', work: 'investigate', message: 'm', retryAfterMs },
    ];
    const failedAt = Date.parse(anIncident(events).updatedAt);
    expect(at(events, 'investigate')).toBe(failedAt + expected);
  });

  it('closes what somebody accepts offline only when it has expired', () => {
    const expiresAt = T0 / 1000 + 7200;
    const identity = anIdentity({
      audiences: ['sts.cloud.example'],
      issuer: 'https://issuer.example',
      expiresAt,
    });
    const events = revoked().map(
      (event): EventBody => (event.type === 'identified' ? { ...event, identity } : event),
    );
    expect(at(events, 'close')).toBe(expiresAt * 1000);
    const { expiresAt: _, ...forever } = identity;
    const never = events.map(
      (event): EventBody => (event.type === 'identified' ? { ...event, identity: forever } : event),
    );
    expect(kinds(never)).not.toContain('close');
  });

  it('tries failed work again, each time later, up to a minute', () => {
    const trouble: EventBody = { type: 'trouble', work: 'investigate', message: 'prod does not answer' };
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 20].map((n) => {
      const incident = anIncident([reported(), ...Array<EventBody>(n).fill(trouble)]);
      const [work] = due(incident, timing, silent);
      return ((work?.at ?? 0) - Date.parse(incident.updatedAt)) / 1000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    const ids = [1, 2].map(
      (n) => due(anIncident([reported(), ...Array<EventBody>(n).fill(trouble)]), timing, silent)[0]?.occasion,
    );
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('owes a report to every reporter that is behind', () => {
    const incident = anIncident(waiting());
    const reporters = ['slack', 'other'];
    const report = (cursors: Record<string, number>) =>
      due(incident, timing, { cursors, reporters }).filter(({ kind }) => kind === 'report');
    expect(report({})).toHaveLength(2);
    expect(report({ slack: incident.version })).toHaveLength(1);
    expect(report({ slack: incident.version, other: incident.version })).toEqual([]);
  });

  it('of any prefix of any story is named once per kind, at a real time, and an open incident that owes nothing waits for a person', () => {
    const stories = [waiting(), contained(), revoked(), [...revoked(), closed], [...contained(), approve]];
    fc.assert(
      fc.property(fc.constantFrom(...stories), fc.nat(20), (story, cut) => {
        const events = eventsOf(...story.slice(0, Math.max(1, cut)));
        const incident = fold('i', events);
        const work = due(incident, timing, silent);
        expect(new Set(work.map(({ kind }) => kind)).size).toBe(work.length);
        for (const { at: time } of work) expect(Number.isFinite(time)).toBe(true);
        if (work.length === 0) expect(['needs-human', 'resolved']).toContain(incident.status);
      }),
    );
  });
});

describe('calls outside Slack', () => {
  const escalation = { reviewAfter: 24 * 60 * MIN };
  const calls = (events: EventBody[]) =>
    due(anIncident(events), { ...timing, escalation }, silent)
      .filter(({ kind }) => kind === 'escalate')
      .map(({ occasion, at: when }) => [occasion, when - T0]);
  const expired: EventBody = { type: 'plan-expired' };
  const glass: EventBody = {
    type: 'decided',
    decision: { verb: 'break-glass', by: 'UINES00001', hash: aPlan().hash, reason: 'r' },
  };

  it.each<[string, EventBody[], [string, number][]]>([
    ['a plan that nobody approved, of a live token', [...waiting(), expired], [['approval-expired-5', 8000]]],
    ['of one that was contained', [...contained(), expired], []],
    ['because the policy changed', [...waiting(), { ...expired, why: 'policy-changed' }], []],
    [
      'one that was called',
      [...waiting(), expired, { type: 'escalated', call: 'approval-expired-5', why: 'approval-expired' }],
      [],
    ],
    [
      'one that failed for good',
      [
        ...waiting(),
        expired,
        { type: 'escalated', call: 'approval-expired-5', why: 'approval-expired', failed: 'f' },
      ],
      [],
    ],
    ['a closed incident', [...waiting(), expired, { type: 'closed', as: 'declined', reason: 'r' }], []],
    ['a token that works again', [...revoked(), { type: 'reopened', reason: 'r' }], [[`reopened`, 0]]],
    ['a broken glass', [...waiting(), glass], [[`review-open-${T0 + 8000}`, 8000 + escalation.reviewAfter]]],
    [
      'a broken glass that somebody else has looked at',
      [
        ...waiting(),
        glass,
        { type: 'decided', decision: { verb: 'review', by: 'UTOMAS0001', reason: 'fine' } },
      ],
      [],
    ],
  ])('%s', (_name, events, expected) => {
    const last = [`token-still-accepted-${events.length}`, (events.length - 1) * 2000];
    expect(calls(events)).toEqual(expected.map((call) => (call[0] === 'reopened' ? last : call)));
  });

  it('without a webhook nobody is called', () => {
    expect(kinds([...waiting(), expired])).not.toContain('escalate');
  });
});
