// The one line that everybody reads is as good as what was last seen, and of each cluster that may accept the token.
import { describe, expect, it } from 'vitest';
import { headline } from '../../../../src/adapters/slack/cards/headline.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { done } from '../../../../src/domain/outcome.ts';
import { anIdentity, anIncident, aRound, revoked, waiting } from '../../../builders.ts';

const MIN = 60_000;

/** So long after the last thing that happened. */
function said(events: EventBody[], later = 0): string {
  const incident = anIncident(events);
  return headline(incident, Date.parse(incident.updatedAt) + later);
}

describe('a cluster that could not be asked', () => {
  const identity = anIdentity({ unchecked: ['restored'] });
  const events = revoked().map(
    (event): EventBody => (event.type === 'identified' ? { ...event, identity } : event),
  );
  const leftOut = (cluster: string): EventBody => ({
    type: 'decided',
    decision: { verb: 'leave-out', by: 'UINES00001', clusters: [cluster], reason: 'scrapped' },
  });

  it('is named, and nothing is green', () => {
    expect(said(events)).toMatch(/^🟠 Refused by 3 of 3 API servers; restored not asked/);
  });

  it('that a person left out is named in the green', () => {
    expect(said([...events, leftOut('restored')])).toMatch(
      /^🟢 Revoked: refused by 3 of 3 API servers; restored left out, not asked/,
    );
  });

  it('is not left out with another', () => {
    expect(said([...events, leftOut('other')])).toMatch(/^🟠/);
  });
});

it('what was found dead is not said of the token that a person has just named', () => {
  const gone = aRound({ level: 'object-state', answers: [] });
  const events = waiting().filter(({ type }) => type !== 'situation-observed');
  const dead: EventBody[] = [
    ...events,
    { type: 'rechecked', index: 0, outcome: done('gone'), rounds: [gone] },
  ];
  const named: EventBody = { type: 'decided', decision: { verb: 'identify', by: 'UMAYA00001' } };
  expect(said(dead)).toMatch(/^🟠 Found dead/);
  expect(said([...dead, named])).not.toMatch(/dead/);
});

describe('a claim that nobody could renew', () => {
  it('is green until its look is overdue, and then says its age and is not', () => {
    expect(said(revoked(), 5 * MIN)).toMatch(/^🟢 Revoked: refused by 3 of 3 API servers ·/);
    expect(said(revoked(), 30 * MIN)).toMatch(
      /^🟠 Revoked: refused by 3 of 3 API servers, last seen 3\d min ago/,
    );
  });

  it('keeps its age where there is too little room for all words', () => {
    const clusters = Array.from({ length: 4 }, (_, index) => `a-cluster-with-a-long-name-${index}`);
    const events = revoked().map((event): EventBody => {
      if (event.type === 'identified') return { ...event, identity: anIdentity({ clusters }) };
      if (event.type !== 'probed') return event;
      const level = 'load-balancer' as const;
      return { ...event, rounds: clusters.map((cluster) => ({ ...aRound(), cluster, level })) };
    });
    expect(said(events, 30 * MIN)).toMatch(/….*, last seen 3\d min ago/);
  });

  it('is not made any more once a closed incident was looked at for the last time', () => {
    const closed: EventBody = { type: 'closed', as: 'resolved', reason: 'r' };
    const looked = [0, 1, 2].map(
      (index): EventBody => ({ type: 'rechecked', index, outcome: done('refused'), rounds: [aRound()] }),
    );
    expect(said([...revoked(), closed], 10 * MIN)).toMatch(/^🟠 Revoked: .*, last seen/);
    expect(said([...revoked(), closed, ...looked], 365 * 24 * 60 * MIN)).toMatch(
      /^🟢 Revoked: refused by 3 of 3 API servers ·/,
    );
  });
});
