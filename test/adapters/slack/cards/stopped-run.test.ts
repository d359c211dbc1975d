// A run in several stages that stopped: the card offers to go on or to go back, and each button says about which run.
import type { ActionsBlock, Button } from '@slack/types';
import { describe, expect, it } from 'vitest';
import { actionsBlock, readCarried } from '../../../../src/adapters/slack/cards/buttons.ts';
import { renderCard } from '../../../../src/adapters/slack/cards/card.ts';
import { headline } from '../../../../src/adapters/slack/cards/headline.ts';
import { reasonForm } from '../../../../src/adapters/slack/forms/reason-form.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { offers } from '../../../../src/domain/incident/offers.ts';
import { done, notDone } from '../../../../src/domain/outcome.ts';
import type { Step } from '../../../../src/domain/plan/plan.ts';
import {
  anIncident,
  aPlan,
  aPolicy,
  aRound,
  identified,
  observed,
  remove,
  reported,
  T0,
} from '../../../builders.ts';

const prepare: Step = { ...remove, id: 'prepare-1', action: 'prepare', phase: 'replace', reversible: true };
const restart: Step = { ...remove, id: 'restart-2', action: 'restart', phase: 'roll-out', title: 'Restart' };
const recover: Step = { ...restart, phase: 'recover' };
const last: Step = { ...remove, id: 'remove-3' };
const RUN = 'plan-5';

const stopped = (steps: Step[], ...events: EventBody[]): EventBody[] => [
  reported(),
  identified,
  observed,
  { type: 'plan-proposed', plan: aPlan(steps) },
  { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: aPlan(steps).hash } },
  ...events,
  { type: 'run-stopped', run: RUN, reason: 'Wave 2 of 3 did not become Ready.' },
];
const ended = (step: Step, ok: boolean): EventBody[] => [
  { type: 'step-started', run: RUN, step: step.id, attempt: 1 },
  { type: 'step-ended', run: RUN, step: step.id, outcome: ok ? done('Done.') : notDone('It is stuck.') },
];
const blocked = (step: Step): EventBody => ({
  type: 'step-noted',
  run: RUN,
  step: step.id,
  note: { blocked: ['Deployment/web'] },
});

const about = (verbs: readonly string[]) =>
  verbs.filter((verb) => ['retry', 'skip', 'roll-back'].includes(verb));

it('while Pods are replaced the headline says so, also where the token is proven dead', () => {
  const events = [
    ...stopped([last, recover], ...ended(last, true)).slice(0, -1),
    { type: 'probed', rounds: [aRound()] },
    { type: 'proved', outcome: done('The token is refused.') },
    { type: 'step-started', run: RUN, step: recover.id, attempt: 1 },
  ] as EventBody[];
  expect(headline(anIncident(events), T0)).toMatch(
    /^🟢 Revoked: .*, Pods are being replaced · payments\/api/u,
  );
  const over = [...events, ...ended(recover, true).slice(1)];
  expect(headline(anIncident(over), T0)).not.toContain('being replaced');
});

describe('a run that stopped', () => {
  it.each<[string, EventBody[], string[]]>([
    [
      'in a wave',
      stopped([prepare, restart], ...ended(prepare, true), ...ended(restart, false), blocked(restart)),
      ['retry', 'skip', 'roll-back'],
    ],
    ['with nothing to skip', stopped([prepare, restart], ...ended(prepare, false)), ['retry', 'roll-back']],
    ['before anything', stopped([restart], ...ended(restart, false)), ['retry']],
    [
      'after something that stays for good',
      stopped(
        [prepare, last, recover],
        ...ended(prepare, true),
        ...ended(last, true),
        ...ended(recover, false),
      ),
      ['retry'],
    ],
    ['of one kill, as ever', stopped([last], ...ended(last, false)), []],
  ])('%s', (_where, events, expected) => {
    expect(about(offers(anIncident(events)))).toEqual(expected);
  });

  it('has buttons that carry the run, so that they mean no later one', () => {
    const events = stopped(
      [prepare, restart],
      ...ended(prepare, true),
      ...ended(restart, false),
      blocked(restart),
    );
    const { elements } = actionsBlock(anIncident(events), aPolicy()) as ActionsBlock;
    const buttons = elements.filter((element): element is Button => element.type === 'button');
    const ours = buttons.filter(
      ({ action_id }) => about([action_id?.replace('decide:', '') ?? '']).length > 0,
    );
    expect(ours.map(({ value }) => readCarried(value)?.hash)).toEqual([RUN, RUN, RUN]);
    expect(JSON.stringify(ours[1]?.confirm)).toContain('Deployment/web');
    for (const verb of ['roll-back', 'retry', 'skip'] as const)
      expect(reasonForm(verb, { channel: 'C1' })).toBeDefined();
  });
});

it('what admission denied stands on the card to its end: who, in which words, and how to look at it', () => {
  const reason = `Re-create ServiceAccount payments/api on prod: Not begun, and nothing was done for good, as a dry run of what must follow is refused. Have it allowed and try again, or choose another way. Cannot create secrets payments/api-token on cluster prod: 403 Forbidden. ValidatingAdmissionPolicy no-token-secrets (binding no-token-secrets) refused it: "<!channel> ${'words '.repeat(38)}". Nothing was changed. To see it: kubectl --context prod get validatingadmissionpolicy/no-token-secrets validatingadmissionpolicybinding/no-token-secrets -o yaml`;
  const incident = anIncident([
    ...stopped([last, recover]).slice(0, -1),
    { type: 'run-stopped', run: RUN, reason },
  ]);
  const text = JSON.stringify(renderCard(incident, { now: T0, policy: aPolicy(), head: '' }));
  expect(text).toContain('validatingadmissionpolicybinding/no-token-secrets -o yaml');
  expect(text).toContain('&lt;!channel&gt;');
  expect(text).not.toContain('<!channel>');
});
