// What goes on after it stopped, from the log alone: who is asked anew, and that logs of older versions mean what they meant.
import { describe, expect, it } from 'vitest';
import { unauthorised } from '../../../src/domain/decision/authorise.ts';
import { termsToGoOn } from '../../../src/domain/decision/unmet.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { votesToGoOn } from '../../../src/domain/incident/going-on.ts';
import type { Incident, Run } from '../../../src/domain/incident/incident.ts';
import { offers } from '../../../src/domain/incident/offers.ts';
import { done, notDone } from '../../../src/domain/outcome.ts';
import type { Step } from '../../../src/domain/plan/plan.ts';
import { anIncident, aPlan, aPolicy, identified, observed, remove, reported, T0 } from '../../builders.ts';

const HOUR = 3_600_000;
const policy = aPolicy({ rules: [{ name: 'two', do: { any: { approvals: 2, expiry: '1h' } } }] });
const prepare: Step = { ...remove, id: 'prepare-1', action: 'prepare', phase: 'replace', reversible: true };
const move: Step = { ...remove, id: 'move-2', action: 'move', phase: 'roll-out', reversible: true };
const plan = aPlan([prepare, move]);
const RUN = 'plan-6';

const approved: EventBody[] = [
  reported(),
  identified,
  observed,
  { type: 'plan-proposed', plan },
  { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: plan.hash, awaiting: 1 } },
  { type: 'decided', decision: { verb: 'approve', by: 'UTOMAS0001', hash: plan.hash } },
];
const stopped: EventBody[] = [
  ...approved,
  { type: 'step-started', run: RUN, step: prepare.id, attempt: 1 },
  { type: 'step-ended', run: RUN, step: prepare.id, outcome: done('Made.') },
  { type: 'step-started', run: RUN, step: move.id, attempt: 1 },
  { type: 'step-ended', run: RUN, step: move.id, outcome: notDone('It hangs.') },
  { type: 'run-stopped', run: RUN, reason: 'It hangs.' },
];
const decided = (verb: 'retry' | 'skip' | 'roll-back', by: string, awaiting?: number): EventBody => ({
  type: 'decided',
  decision: { verb, by, hash: RUN, reason: 'x', ...(awaiting === undefined ? {} : { awaiting }) },
});
const last = ({ runs }: Incident): Run => runs.at(-1) as Run;
const asks = (verb: 'retry' | 'skip' | 'roll-back', at: number) =>
  termsToGoOn(anIncident(stopped), verb, policy, at).asks.map(
    ({ approvals, from }) => `${approvals} of ${from}`,
  );

describe('a run that stopped', () => {
  it('asks nobody anew while what was approved counts, and then as many as its steps need', () => {
    const [soon, late] = [T0 + HOUR / 2, T0 + 2 * HOUR];
    expect(asks('retry', soon)).toEqual([]);
    expect(asks('skip', soon)).toEqual([]);
    expect(asks('roll-back', soon)).toEqual(['1 of approvers']);
    for (const verb of ['retry', 'skip'] as const) expect(asks(verb, late)).toEqual(['2 of approvers']);
    expect(asks('roll-back', late)).toEqual(['1 of approvers', '2 of approvers']);
  });

  it('keeps what was said about it while plans come and go, until a run begins', () => {
    const waits = [...stopped, decided('retry', 'UINES00001', 1)];
    const replanned: EventBody[] = [...waits, { type: 'plan-expired' }, { type: 'plan-proposed', plan }];
    const incident = anIncident(replanned);
    expect(incident.runs).toHaveLength(1);
    expect(votesToGoOn(incident, 'retry').map(({ by }) => by)).toEqual(['UINES00001']);
    expect(votesToGoOn(incident, 'roll-back')).toEqual([]);
    expect(offers(incident)).toContain('withdraw');
    const after = anIncident([...replanned, decided('retry', 'UTOMAS0001')]);
    expect(after.runs).toHaveLength(2);
    expect(after.votes).toEqual([]);
  });
});

describe('a log of an older version', () => {
  it.each(['retry', 'skip'] as const)('%s begins at once, on the word of before', (verb) => {
    const run = last(anIncident([...stopped, decided(verb, 'UMAYA00001')]));
    expect(run).toMatchObject({ kind: 'plan', by: 'UMAYA00001', again: { verb, by: 'UMAYA00001' } });
    expect(run.votes.map(({ by }) => by)).toEqual(['UINES00001', 'UTOMAS0001', 'UMAYA00001']);
    expect(run.steps.map(({ step }) => step.action)).toEqual(['move']);
  });

  it('roll-back begins at once, on the word of one', () => {
    const incident = anIncident([...stopped, decided('roll-back', 'UINES00001')]);
    const run = last(incident);
    expect(run).toMatchObject({ kind: 'roll-back', by: 'UINES00001' });
    expect(run.votes.map(({ by }) => by)).toEqual(['UINES00001']);
    expect(unauthorised(policy, incident, run, prepare, T0 + HOUR / 2)).toBeUndefined();
    expect(unauthorised(policy, incident, run, prepare, T0 + 2 * HOUR)).toMatch(/needs/);
  });

  it('a deletion that was approved with the rest stands on that, however late it comes', () => {
    const soaking: Step = { ...remove, id: 'delete-3', soak: true };
    const whole = aPlan([prepare, soaking]);
    const events = approved.map((event): EventBody => {
      if (event.type === 'plan-proposed') return { ...event, plan: whole };
      return event.type === 'decided'
        ? { ...event, decision: { ...event.decision, hash: whole.hash } }
        : event;
    });
    const incident = anIncident([
      ...events,
      { type: 'step-started', run: RUN, step: prepare.id, attempt: 1 },
      { type: 'step-ended', run: RUN, step: prepare.id, outcome: done('Made.') },
      { type: 'soaked' },
    ]);
    expect(last(incident)).toMatchObject({ id: 'soaked-9', approvedAt: incident.runs[0]?.at });
    expect(unauthorised(policy, incident, last(incident), soaking, T0 + 100 * HOUR)).toBeUndefined();
  });
});
