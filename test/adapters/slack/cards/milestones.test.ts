// The thread tells what matters, once, and stays silent otherwise.
import { describe, expect, it } from 'vitest';
import { milestones } from '../../../../src/adapters/slack/cards/milestones.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { done, notDone, unknown } from '../../../../src/domain/outcome.ts';
import {
  anIdentity,
  aPlan,
  aPolicy,
  aRound,
  collected,
  contained,
  eventsOf,
  quarantine,
  remove,
  reported,
  revoked,
  waiting,
} from '../../../builders.ts';

const policy = aPolicy();
const all = (bodies: EventBody[], cursor = 0) => milestones('inc-0001', eventsOf(...bodies), cursor, policy);
const last = (bodies: EventBody[]) => all(bodies, bodies.length - 1).map(({ text }) => text)[0];
const trouble: EventBody = {
  type: 'trouble',
  work: 'investigate',
  message: 'The cluster prod does not answer.',
};
const undone: EventBody[] = [
  ...contained(),
  { type: 'decided', decision: { verb: 'undo', by: 'UINES00001', reason: 'production is down' } },
  { type: 'step-ended', run: 'undo-8', step: quarantine.id, outcome: done('The label is removed.') },
];

describe('milestones', () => {
  it.each<[string, EventBody[], RegExp | undefined]>([
    ['the alert itself', [reported()], undefined],
    [
      'a repeat',
      [reported(), reported('UDAN000001')],
      /^Reported again by <@UDAN000001>\. Where: a public gist/,
    ],
    [
      'news of the source',
      [
        reported(),
        {
          type: 'alert-updated',
          update: { source: 'gitguardian', externalId: '1', note: 'GitGuardian: marked <resolved>' },
        },
      ],
      /^GitGuardian: marked &lt;resolved&gt;$/,
    ],
    [
      'a new token that somebody took',
      [...contained(), collected],
      /^A new token of `payments\/api` was collected by maya@example\.test, until .*Secret `api-ci`\.$/,
    ],
    ['identified', [reported(), { type: 'identified', identity: anIdentity() }], undefined],
    [
      'not identified',
      [reported(), { type: 'unidentified', reason: 'No cluster signed it.', near: ['payments/api'] }],
      /A person is needed.*No cluster signed it.*\nNear: `payments\/api`/,
    ],
    [
      'a plan',
      waiting(),
      /^The plan is on the card: 2 steps, 1 of them cannot be undone\.\nTo be approved by <@UINES00001> or <@UTOMAS0001>/,
    ],
    [
      'a plan that the requester must not approve',
      waiting('UINES00001'),
      /To be approved by <@UTOMAS0001> \(not <@UINES00001>, who asked for it\)\./,
    ],
    [
      'an expired plan of a live token',
      [...waiting(), { type: 'plan-expired' }],
      /Nobody approved in time, and the token still works\.\* <@UINES00001>, <@UTOMAS0001>, <@UMAYA00001>: .*stays open/s,
    ],
    [
      'an expired plan of what is contained',
      [...contained(), { type: 'plan-expired' }],
      /^Nobody approved in time\.\nThe incident stays open/,
    ],
    [
      'a reminder',
      [...waiting(), { type: 'reminded', count: 1 }],
      /Waiting for approval until <!date.*: <@UINES00001> or <@UTOMAS0001>\./,
    ],
    [
      'contained by a person',
      contained(),
      /^\*Contained\* by <@UINES00001>, 12 s after the alert\.\nQuarantine Secret/,
    ],
    [
      'contained by policy',
      [
        reported(),
        { type: 'identified', identity: anIdentity() },
        { type: 'auto-contained', steps: [quarantine], rule: 'token-in-hand' },
        { type: 'step-ended', run: 'contain-3', step: quarantine.id, outcome: done('') },
      ],
      /^\*Contained\* by policy, 6 s after the alert/,
    ],
    ['approved', revoked().slice(0, 8), /^<@UTOMAS0001> approved the plan\. 1 step will run\.$/],
    [
      'declined',
      [
        ...waiting(),
        { type: 'decided', decision: { verb: 'decline', by: 'UINES00001', reason: 'a test cluster' } },
      ],
      /<@UINES00001> declined the plan\. Reason: a test cluster/,
    ],
    [
      'what a decision closed, again',
      [...waiting(), { type: 'closed', as: 'false-alarm', reason: 'a test cluster' }],
      undefined,
    ],
    ['a step started', revoked().slice(0, 9), undefined],
    [
      'a step done',
      revoked().slice(0, 10),
      /^Done: Delete Secret payments\/api-token\. The Secret is gone\.$/,
    ],
    [
      'a step failed',
      [
        ...revoked().slice(0, 9),
        { type: 'step-ended', run: 'plan-8', step: remove.id, outcome: notDone('A finalizer holds it.') },
      ],
      /^Failed: .*A finalizer holds it/,
    ],
    [
      'a step in doubt',
      [
        ...revoked().slice(0, 9),
        { type: 'step-ended', run: 'plan-8', step: remove.id, outcome: unknown('No answer.') },
      ],
      /^Not known whether done: /,
    ],
    [
      'stopped',
      [...revoked().slice(0, 9), { type: 'run-stopped', run: 'plan-8', reason: 'Three attempts failed.' }],
      /^\*Stopped:\* Three attempts failed\. A person is needed/,
    ],
    ['probed', revoked().slice(0, 11), undefined],
    ['undone', undone, /^Undone: Quarantine .*The leaked token works again/],
    [
      'reopened',
      [...revoked(), { type: 'reopened', reason: 'Argo CD brought it back.' }],
      /^\*LEAK LIVE AGAIN:\* Argo CD brought it back/,
    ],
    [
      'looked again',
      [...revoked(), { type: 'rechecked', index: 0, outcome: done('401 from all') }],
      /^Looked again \(1, 2 s after the proof\): still dead\. 401 from all/,
    ],
    [
      'closed',
      [...revoked(), { type: 'closed', as: 'resolved', reason: 'Refused everywhere.' }],
      /^Closed as resolved: Refused everywhere/,
    ],
    [
      'the first trouble',
      [reported(), trouble],
      /^\*Trouble:\* The cluster prod does not answer\. The investigation is tried again/,
    ],
    ['trouble again', [reported(), trouble, trouble], undefined],
    [
      'the end of trouble',
      [reported(), trouble, trouble, { type: 'identified', identity: anIdentity() }],
      /^The trouble is over\. The investigation goes on\.$/,
    ],
    [
      'trouble of reporting itself',
      [reported(), { type: 'trouble', work: 'report', message: 'Slack is away.' }],
      undefined,
    ],
  ])('%s', (_name, bodies, expected) => {
    const text = last(bodies);
    if (expected === undefined) expect(text).toBeUndefined();
    else expect(text).toMatch(expected);
  });

  it('tells a retried failure once', () => {
    const failed: EventBody = {
      type: 'step-ended',
      run: 'plan-8',
      step: remove.id,
      outcome: notDone('No answer.'),
    };
    const bodies = [...revoked().slice(0, 9), failed, failed, failed];
    expect(all(bodies, 9)).toHaveLength(1);
  });

  it('proves with every server, its control, level and both times', () => {
    const [proof] = all(revoked(), 11);
    expect(proof?.v).toBe(12);
    expect(proof?.text).toContain('*Proof: refused by 3 of 3 API servers.*');
    for (const n of [1, 2, 3])
      expect(proof?.text).toContain(
        `\`https://10.0.0.${n}:6443\`: refused (401) twice, 15 s apart; control accepted`,
      );
    expect(proof?.text).toContain('each API server was asked by its own address');
    expect(proof?.text).toMatch(
      /Killed 12 s after the alert .*Seen refused everywhere in this proof since <!date/,
    );
    expect(proof?.blocks).toHaveLength(1);
  });

  it('claims no more than the level allows', () => {
    const [weak] = all(revoked([aRound({ level: 'load-balancer' })]), 11);
    expect(weak?.text).toContain(
      '*Evidence: refused on 3 of 3 fresh connections through the load balancer.*',
    );
    expect(weak?.text).toContain('a server behind it may have been missed');
    expect(weak?.text).not.toMatch(/Proof:|Revoked/);
  });

  it('counts the time to proof from the alert, to the first refusal that lasted', () => {
    const second = (n: number) => `2026-11-24T03:00:${n}.000Z`;
    const accepted = aRound({ outcome: notDone('still accepted'), at: second(15) });
    const rounds = [
      aRound({ at: second(14) }),
      accepted,
      aRound({ at: second(21) }),
      aRound({ at: second(36) }),
    ];
    const [proof] = all(
      [...contained(), { type: 'probed', rounds }, { type: 'proved', outcome: done('Refused.') }],
      8,
    );
    expect(proof?.text).toMatch(
      /Killed 12 s after the alert .*First seen refused everywhere 21 s after it\./,
    );
  });

  it.each([
    ['object-state', /First seen dead by object state 21 s after it\./],
    ['load-balancer', /First seen refused 21 s after it\./],
  ] as const)('claims no more than the level %s shows', (level, expected) => {
    const rounds = [aRound({ level, at: '2026-11-24T03:00:21.000Z' })];
    const [proof] = all(
      [...contained(), { type: 'probed', rounds }, { type: 'proved', outcome: done('Dead.') }],
      8,
    );
    expect(proof?.text).toMatch(expected);
  });

  it('tells each event once, and only those after the cursor', () => {
    const versions = all(revoked()).map(({ v }) => v);
    expect(versions).toEqual([...new Set(versions)]);
    expect(versions).toEqual([4, 5, 7, 8, 10, 12]);
    expect(all(revoked(), 8).map(({ v }) => v)).toEqual([10, 12]);
  });

  it('calls a later plan a new one', () => {
    const bodies: EventBody[] = [...undone, { type: 'plan-proposed', plan: aPlan() }];
    expect(last(bodies)).toMatch(/^A new plan is on the card/);
    expect(last([reported(), { type: 'plan-proposed', plan: aPlan([], ['It belongs to nobody.']) }])).toMatch(
      /nothing to run/,
    );
  });
});

it('writes to each person alone from the second reminder on, but not to who approved or asked for it', () => {
  const alone = (count: number, reporter?: string) =>
    milestones('inc-0001', eventsOf(...waiting(reporter), { type: 'reminded', count }), 4, policy)[0]?.alone;
  expect(alone(1)).toBeUndefined();
  expect(alone(2)).toEqual(['UINES00001', 'UTOMAS0001']);
  expect(alone(2, 'UINES00001')).toEqual(['UTOMAS0001']);
});
