// The form of an undo says what it will do, in the order in which that is done, and the card shows how far it is.
import { describe, expect, it } from 'vitest';
import { actionsBlock } from '../../../../src/adapters/slack/cards/buttons.ts';
import { reasonForm } from '../../../../src/adapters/slack/forms/reason-form.ts';
import { mrkdwn } from '../../../../src/adapters/slack/mrkdwn/mrkdwn.ts';
import type { Verb } from '../../../../src/domain/incident/decision.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import type { Incident } from '../../../../src/domain/incident/incident.ts';
import { done, notDone } from '../../../../src/domain/outcome.ts';
import type { Step } from '../../../../src/domain/plan/plan.ts';
import { backLines } from '../../../../src/words/standing/back.ts';
import { planGroups } from '../../../../src/words/standing/plan.ts';
import {
  anIncident,
  aPlan,
  aPolicy,
  contained,
  identified,
  observed,
  remove,
  reported,
} from '../../../builders.ts';

const make: Step = {
  ...remove,
  id: 'make-1',
  action: 'replace-token-secret',
  phase: 'replace',
  reversible: true,
  title: 'Create token Secret payments/next',
  back: 'Delete token Secret payments/next',
};
const move: Step = {
  ...make,
  id: 'move-2',
  action: 'repoint-workloads',
  phase: 'roll-out',
  title: 'Point 2 workloads at Secret next',
  back: 'Point 2 workloads back at Secret api-token',
};
const off: Step = {
  ...make,
  id: 'off-3',
  action: 'quarantine-token',
  phase: 'revoke',
  title: 'Quarantine Secret payments/api-token',
  back: 'Lift the quarantine of Secret payments/api-token',
};
const RUN = 'plan-5';

const ran = (steps: Step[], ...ends: boolean[]): EventBody[] => [
  reported(),
  identified,
  observed,
  { type: 'plan-proposed', plan: aPlan(steps) },
  { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: aPlan(steps).hash } },
  ...ends.flatMap((ok, index): EventBody[] => {
    const step = steps[index]?.id ?? '';
    return [
      { type: 'step-started', run: RUN, step, attempt: 1 },
      { type: 'step-ended', run: RUN, step, outcome: ok ? done('Done.') : notDone('It is stuck.') },
      ...(ok ? [] : [{ type: 'run-stopped' as const, run: RUN, reason: 'It is stuck.' }]),
    ];
  }),
];

const form = (incident: Incident, verb: Verb): string[] => {
  const view = reasonForm(verb, { channel: 'C1' }, backLines(incident, verb).map(mrkdwn));
  const [first] = (view?.blocks ?? []) as { text?: { text: string } }[];
  return [view?.title.text ?? '', ...(first?.text?.text ?? '').split('\n')];
};
const labels = (incident: Incident): string[] =>
  actionsBlock(incident, aPolicy()).elements.flatMap((each) =>
    each.type === 'button' ? [each.text.text] : [],
  );

describe('the form of an undo', () => {
  it('of a finished rotation lists what is taken back in the order of doing so', () => {
    const incident = anIncident(ran([make, move, off], true, true, true));
    expect(labels(incident)).toContain('Roll back');
    const [title, , ...lines] = form(incident, 'undo');
    expect(title).toBe('Roll back');
    expect(lines).toEqual([
      `1. ${off.back}`,
      `2. ${move.back}`,
      `3. ${make.back}`,
      expect.stringMatching(/^Each begins when the one before it is done/),
      expect.stringContaining('works again once the first is done'),
    ]);
  });

  it('of a quarantine says that the token works again at once', () => {
    const [title, intro, ...more] = form(anIncident(contained()), 'undo');
    expect(title).toBe('Undo the quarantine');
    expect(intro).toContain('at once');
    expect(more).toEqual([]);
  });

  it('names what an older version planned, which has no words of its own for it', () => {
    const { back: _, ...older } = move;
    const incident = anIncident(ran([make, older, off], true, true, true));
    expect(form(incident, 'undo')).toContain(`2. Take back: ${move.title}`);
  });

  it('of a run that stopped says that the token goes on working, and has one button', () => {
    const incident = anIncident(ran([make, move, off], true, false));
    expect(labels(incident).filter((label) => /Roll back|Undo/.test(label))).toEqual(['Roll back']);
    const lines = form(incident, 'roll-back');
    expect(lines.slice(2, 4)).toEqual([`1. ${move.back}`, `2. ${make.back}`]);
    expect(lines.at(-1)).toContain('goes on working');
  });
});

it('a quarantine that came before is lifted by the button that undoes everything, beside the one that leaves it', () => {
  const quarantined = contained();
  const run = `plan-${quarantined.length + 2}`;
  const step = { run, step: make.id };
  const incident = anIncident([
    ...quarantined,
    { type: 'plan-proposed', plan: aPlan([make, move]) },
    { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: aPlan([make, move]).hash } },
    { type: 'step-started', ...step, attempt: 1 },
    { type: 'step-ended', ...step, outcome: done('Done.') },
    { type: 'run-stopped', run, reason: 'It is stuck.' },
  ]);
  expect(labels(incident).filter((label) => /Roll back|Undo/.test(label))).toEqual([
    'Roll back',
    'Undo everything',
  ]);
  expect(form(incident, 'undo').slice(2, 4)).toEqual([
    `1. Take back: ${incident.runs[0]?.steps[0]?.step.title}`,
    `2. ${make.back}`,
  ]);
});

it('the card says of an undo that is under way what it does, and how far it is', () => {
  const incident = anIncident([
    ...ran([make, move, off], true, true, true),
    { type: 'decided', decision: { verb: 'undo', by: 'UINES00001', reason: 'no', half: true } },
    { type: 'step-started', run: 'undo-12', step: off.id, attempt: 1 },
    { type: 'step-ended', run: 'undo-12', step: off.id, outcome: done('Lifted.') },
    { type: 'step-started', run: 'undo-12', step: move.id, attempt: 1 },
  ]);
  const groups = planGroups(incident, { policy: aPolicy() });
  expect(groups.map((lines) => lines.map(mrkdwn))).toEqual([
    ['*Being taken back*'],
    [`1. *${off.back}*: done`],
    [`2. *${move.back}*: under way`],
    [`3. *${make.back}*`],
  ]);
});
