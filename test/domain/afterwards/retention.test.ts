// What must never be forgotten: open incidents, work that is owed, live tokens, open reviews, sealed tokens.
import { expect, it } from 'vitest';
import { whyKept } from '../../../src/domain/afterwards/retention.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { anIdentity, anIncident, aPlan, contained, reported, revoked, T0, waiting } from '../../builders.ts';

const LATER = T0 + 10 * 86_400_000;
const closed = (as: 'resolved' | 'declined' | 'false-alarm' | 'expired'): EventBody => ({
  type: 'closed',
  as,
  reason: 'r',
});
const glass: EventBody = {
  type: 'decided',
  decision: { verb: 'break-glass', by: 'UINES00001', hash: aPlan().hash, reason: 'r' },
};
const review: EventBody = { type: 'decided', decision: { verb: 'review', by: 'UTOMAS0001', reason: 'fine' } };
const stopped = (run: string): EventBody => ({ type: 'run-stopped', run, reason: 'r' });
const withToken: EventBody = { ...(reported() as EventBody & { type: 'alert-received' }), fingerprint: 'f' };
const forgotten: EventBody = { type: 'token-forgotten', reason: 'r' };

it.each<[string, EventBody[], RegExp | undefined]>([
  ['resolved', [...revoked(), closed('resolved')], undefined],
  ['open', revoked(), /it is open/],
  ['opened again', [...revoked(), closed('resolved'), { type: 'reopened', reason: 'r' }], /it is open/],
  ['declined, of a live token', [...waiting(), closed('declined')], /token may still work/],
  ['declined, after a quarantine', [...contained(), closed('declined')], undefined],
  ['a false alarm, whose token is nobody’s leak', [...waiting(), closed('false-alarm')], undefined],
  [
    'declined, of a token that has expired since',
    [
      reported(),
      { type: 'identified', identity: anIdentity({ kind: 'unbound', expiresAt: T0 / 1000 + 60 }) },
      ...waiting().slice(2),
      closed('declined'),
    ],
    undefined,
  ],
  [
    'with an open review',
    [...waiting(), glass, stopped('plan-5'), closed('false-alarm')],
    /review of its broken/,
  ],
  ['with a closed one', [...waiting(), glass, stopped('plan-5'), review, closed('false-alarm')], undefined],
  ['with a run that goes on', [...waiting(), glass, review, closed('false-alarm')], /still running/],
  ['with a sealed token', [withToken, ...waiting().slice(1), closed('false-alarm')], /sealed token/],
  [
    'whose token was destroyed',
    [withToken, ...waiting().slice(1), closed('false-alarm'), forgotten],
    undefined,
  ],
])('%s', (_, events, expected) => {
  const why = whyKept(anIncident(events), [], LATER, LATER);
  if (expected) expect(why).toMatch(expected);
  else expect(why).toBeUndefined();
});

it('what is owed work, or was closed too lately', () => {
  const incident = anIncident([...revoked(), closed('resolved')]);
  expect(whyKept(incident, ['recheck', 'report'], LATER, LATER)).toBe('work is owed to it: recheck, report');
  expect(whyKept(incident, [], Date.parse(incident.closed?.at ?? ''), LATER)).toBe(
    'it was closed too lately',
  );
});
