// Who may decide what: a table of clicks, and that what the card offers is what is accepted.
import { describe, expect, it } from 'vitest';
import { refuse } from '../../../src/domain/decision/approval.ts';
import type { Click, Person, Roster } from '../../../src/domain/decision/click.ts';
import type { Verb } from '../../../src/domain/incident/decision.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { offers } from '../../../src/domain/incident/offers.ts';
import {
  anIdentity,
  anIncident,
  aPlan,
  aPolicy,
  contained,
  reported,
  revoked,
  T0,
  waiting,
} from '../../builders.ts';

const policy = aPolicy({}, { people: { responders: ['UMAYA'], approvers: ['UINES', 'UTOMAS'] } });
const roster: Roster = { policy, teamId: 'T1' };
const person = (id: string, over: Partial<Person> = {}): Person => ({
  id,
  teamId: 'T1',
  guest: false,
  bot: false,
  deactivated: false,
  ...over,
});
const { hash, containHash } = aPlan();
const NOW = T0 + 60_000;

const click = (verb: Verb, by: Person, over: Partial<Click> = {}): Click => ({
  verb,
  by,
  reason: 'because',
  hash: verb === 'contain' ? containHash : hash,
  ...over,
});

const running: EventBody[] = [
  ...waiting(),
  { type: 'decided', decision: { verb: 'approve', by: 'UINES', hash } },
];
const falseAlarm: EventBody[] = [
  ...waiting(),
  { type: 'decided', decision: { verb: 'not-a-leak', by: 'UINES', reason: 'x' } },
  { type: 'closed', as: 'false-alarm', reason: 'x' },
];
const unknown: EventBody[] = [reported(), { type: 'unidentified', reason: 'who knows', near: [] }];
const unasked = revoked().map(
  (event): EventBody =>
    event.type === 'identified' ? { ...event, identity: anIdentity({ unchecked: ['restored'] }) } : event,
);
const leaveOut = (by: string, over: Partial<Click> = {}) =>
  click('leave-out', person(by), { hash: 'restored', ...over });
const identifiedBy: EventBody[] = [
  ...unknown,
  {
    type: 'decided',
    decision: { verb: 'identify', by: 'UINES', at: { namespace: 'payments', serviceAccount: 'api' } },
  },
  { type: 'identified', identity: anIdentity() },
  { type: 'plan-proposed', plan: aPlan() },
];

describe('refuse', () => {
  it.each<[string, EventBody[], Click, string | undefined]>([
    ['a responder contains', waiting(), click('contain', person('UMAYA')), undefined],
    ['an approver contains', waiting(), click('contain', person('UINES')), undefined],
    ['the reporter contains', waiting('UMAYA'), click('contain', person('UMAYA')), undefined],
    ['somebody else contains', waiting(), click('contain', person('UDAN')), 'not-allowed'],
    ['an approver approves', waiting(), click('approve', person('UINES')), undefined],
    ['a responder approves', waiting(), click('approve', person('UMAYA')), 'not-allowed'],
    ['the requester approves', waiting('UINES'), click('approve', person('UINES')), 'self-approval'],
    ['another approver approves', waiting('UINES'), click('approve', person('UTOMAS')), undefined],
    ['who identified the token approves', identifiedBy, click('approve', person('UINES')), 'self-approval'],
    [
      'a later reporter of the same leak approves',
      [...waiting(), reported('UTOMAS')],
      click('approve', person('UTOMAS')),
      'self-approval',
    ],
    ['of another workspace', waiting(), click('approve', person('UINES', { teamId: 'T2' })), 'foreign-user'],
    ['a guest on the list', waiting(), click('contain', person('UMAYA', { guest: true })), 'foreign-user'],
    ['a bot on the list', waiting(), click('contain', person('UMAYA', { bot: true })), 'foreign-user'],
    [
      'somebody who left',
      waiting(),
      click('approve', person('UINES', { deactivated: true })),
      'foreign-user',
    ],
    ['an old hash', waiting(), click('approve', person('UINES'), { hash: 'old' }), 'plan-changed'],
    [
      'containing with the hash of the plan',
      waiting(),
      click('contain', person('UINES'), { hash }),
      'plan-changed',
    ],
    ['no hash at all', waiting(), { verb: 'approve', by: person('UINES') }, 'plan-changed'],
    [
      'a plan that is gone',
      [...waiting(), { type: 'plan-expired' }],
      click('approve', person('UINES')),
      'plan-changed',
    ],
    ['approving twice', running, click('approve', person('UTOMAS')), 'already-decided'],
    ['declining what runs', running, click('decline', person('UTOMAS')), 'already-decided'],
    ['containing twice', contained(), click('contain', person('UMAYA')), 'nothing-to-do'],
    ['approving after everything is done', revoked(), click('approve', person('UTOMAS')), 'nothing-to-do'],
    ['undoing a quarantine', contained(), click('undo', person('UTOMAS')), undefined],
    ['undoing as responder', contained(), click('undo', person('UMAYA')), 'not-allowed'],
    [
      'undoing without a reason',
      contained(),
      click('undo', person('UTOMAS'), { reason: '  ' }),
      'reason-missing',
    ],
    ['undoing nothing', waiting(), click('undo', person('UTOMAS')), 'nothing-to-do'],
    ['undoing what was followed by a deletion', revoked(), click('undo', person('UTOMAS')), 'nothing-to-do'],
    [
      'declining without a reason',
      waiting(),
      { verb: 'decline', by: person('UINES'), hash },
      'reason-missing',
    ],
    ['anything on a closed incident', falseAlarm, click('approve', person('UINES')), 'closed'],
    ['identifying', unknown, click('identify', person('UMAYA')), undefined],
    ['identifying as nobody', unknown, click('identify', person('UDAN')), 'not-allowed'],
    ['leaving out a cluster', unasked, leaveOut('UINES'), undefined],
    ['leaving it out as responder', unasked, leaveOut('UMAYA'), 'not-allowed'],
    ['leaving it out without a reason', unasked, leaveOut('UINES', { reason: '' }), 'reason-missing'],
    ['leaving out another by now', unasked, leaveOut('UINES', { hash: 'other' }), 'plan-changed'],
    ['leaving out nothing', revoked(), leaveOut('UINES', { hash: '' }), 'nothing-to-do'],
  ])('%s', (_name, events, given, code) => {
    expect(refuse(anIncident(events), given, roster, NOW)?.code).toBe(code);
  });

  it('names who can instead', () => {
    const refusal = refuse(anIncident(waiting('UINES')), click('approve', person('UINES')), roster, NOW);
    expect(refusal?.message).toContainEqual({ person: 'UTOMAS' });
    expect(refusal?.message).not.toContainEqual({ person: 'UINES' });
  });
});

describe('offers', () => {
  it.each<[string, EventBody[], Verb[]]>([
    ['an alert nobody looked at yet', [reported()], []],
    ['a plan', waiting(), ['contain', 'approve', 'decline', 'break-glass', 'not-a-leak']],
    ['contained', contained(), ['approve', 'decline', 'break-glass', 'not-a-leak', 'undo']],
    ['running', running, []],
    ['done', revoked(), ['not-a-leak']],
    ['closed', falseAlarm, []],
    ['unidentified', unknown, ['identify', 'not-a-leak']],
  ])('%s', (_name, events, verbs) => {
    expect(offers(anIncident(events))).toEqual(verbs);
  });

  it('nothing that an approver who did not ask for it would be refused', () => {
    for (const events of [waiting(), contained(), running, revoked(), falseAlarm, unknown, identifiedBy]) {
      const incident = anIncident(events);
      for (const verb of offers(incident))
        expect(refuse(incident, click(verb, person('UTOMAS')), roster, NOW)).toBeUndefined();
    }
  });
});
