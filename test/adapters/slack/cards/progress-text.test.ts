// Progress on the card: a count, a bar that never leaves its frame, and an estimate only where there is a pace.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderCard } from '../../../../src/adapters/slack/cards/card.ts';
import { milestones } from '../../../../src/adapters/slack/cards/milestones.ts';
import { mrkdwn } from '../../../../src/adapters/slack/mrkdwn/mrkdwn.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { progressLine } from '../../../../src/words/standing/progress.ts';
import { anIncident, aPlan, aPolicy, eventsOf, remove, T0, waiting } from '../../../builders.ts';

const at = (ms: number) => new Date(T0 + ms).toISOString();
const seen = (done: number, total: number, from = 0, passed = 60_000) =>
  mrkdwn(progressLine({ done, total, line: 'Wave 2 of 3.', from, since: at(0), at: at(passed) }));

describe('a line of progress', () => {
  it.each([
    [seen(5, 20), /^`\[#####\.{15}\]` 5 of 20, about 3 min left\. Wave 2 of 3\.$/],
    [seen(5, 20, 5), /^`\[#####\.{15}\]` 5 of 20\. /],
    [seen(20, 20), /^`\[#{20}\]` 20 of 20\. /],
    [seen(0, 0), /0 of 0\. /],
  ])('%s', (line, expected) => expect(line).toMatch(expected));

  it('keeps its width, whatever is counted', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 500 }), fc.integer({ min: 0, max: 200 }), (done, total) => {
        expect(seen(done, total)).toMatch(/^`\[[#.]{20}\]` /);
      }),
    );
  });
});

const running = (...more: EventBody[]): EventBody[] => [
  ...waiting(),
  { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: aPlan().hash } },
  { type: 'step-started', run: 'plan-5', step: remove.id, attempt: 1 },
  ...more,
];
const progressed = (done: number): EventBody => ({
  type: 'step-progressed',
  run: 'plan-5',
  step: remove.id,
  done,
  total: 8,
  line: `Waiting for number ${done + 1}.`,
});

it('stands on the card while the step runs', () => {
  const given = { policy: aPolicy(), now: T0, head: '' };
  const card = JSON.stringify(renderCard(anIncident(running(progressed(1), progressed(2))), given).blocks);
  expect(card).toContain('2 of 8');
  expect(card).toContain('Waiting for number 3.');
});

it('is not buried in what was said for the decision, of which only the steps are left meanwhile', () => {
  const given = { policy: aPolicy(), now: T0, head: '' };
  const [before, during] = [waiting(), running(progressed(1))].map((events) =>
    JSON.stringify(renderCard(anIncident(events), given).blocks),
  );
  expect(before).toContain('Breaks: ');
  expect(during).not.toContain('Breaks: ');
  expect(during).toContain('under way\\n`[');
});

it('is told in the thread at each quarter, not at each step', () => {
  const events = eventsOf(...running(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(progressed)));
  const told = milestones('inc-0001', events, 6, aPolicy()).map(({ text }) => / (\d) of 8/.exec(text)?.[1]);
  expect(told).toEqual(['2', '4', '6']);
});
