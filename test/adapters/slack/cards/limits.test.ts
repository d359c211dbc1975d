// Whatever happened in an incident, Slack takes what is rendered of it.
import fc from 'fast-check';
import { checkBlocks, checkView, VIEW_MAX_BYTES } from 'slack-sandbox/limits';
import { describe, expect, it } from 'vitest';
import { renderBurst } from '../../../../src/adapters/slack/cards/burst-card.ts';
import { plainCard, renderCard } from '../../../../src/adapters/slack/cards/card.ts';
import { detailsView } from '../../../../src/adapters/slack/cards/details.ts';
import { milestones } from '../../../../src/adapters/slack/cards/milestones.ts';
import { AT_ONCE, plansIn } from '../../../../src/adapters/slack/conversation/together.ts';
import { togetherForm } from '../../../../src/adapters/slack/forms/forms.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { fold } from '../../../../src/domain/incident/fold.ts';
import {
  anIdentity,
  anIncident,
  aPolicy,
  aSituation,
  eventsOf,
  quarantine,
  remove,
  reported,
  T0,
} from '../../../builders.ts';
import { anyEvents } from '../arbitrary.ts';

const context = {
  now: T0,
  policy: aPolicy(),
  head: 'f'.repeat(64),
};

describe("Slack's limits", () => {
  it('hold for any incident', () => {
    fc.assert(
      fc.property(anyEvents, (bodies) => {
        const events = eventsOf(...bodies);
        const incident = fold('inc-0001', events);
        const { blocks, text } = renderCard(incident, context);
        expect(checkBlocks(blocks, 'message')).toEqual([]);
        expect(text.length).toBeLessThanOrEqual(800);
        expect(plainCard(incident, T0).length).toBeLessThanOrEqual(3000);
        const view = detailsView(incident, T0);
        expect(checkView(view, 'modal')).toEqual([]);
        expect(Buffer.byteLength(JSON.stringify(view))).toBeLessThan(VIEW_MAX_BYTES);
        for (const milestone of milestones('inc-0001', events, 0, context.policy)) {
          expect(milestone.text.length).toBeGreaterThan(0);
          expect(milestone.text.length).toBeLessThanOrEqual(3000);
          expect(checkBlocks(milestone.blocks ?? [], 'message')).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('hold for the summary of any incidents, and for the form that approves the most of them', () => {
    const policy = aPolicy({ rules: [{ name: 'group', do: { any: { group: true } } }] });
    fc.assert(
      fc.property(fc.array(anyEvents, { minLength: 2, maxLength: 30 }), (all) => {
        const members = all.map((bodies, n) => fold(`inc-${n}`, eventsOf(...bodies)));
        const card = renderBurst({ id: 'inc-1', members, cards: new Map(), policy, now: T0 });
        expect(checkBlocks(card.blocks, 'message')).toEqual([]);
      }),
      { numRuns: 15 },
    );
    const long = 'x'.repeat(250);
    const same = {
      key: 'k',
      verb: 'approve' as const,
      hash: 'f'.repeat(32),
      steps: [1, 2, 3].map(() => ({ ...remove, title: long })),
    };
    const identity = anIdentity({ namespace: long, clusters: [long], serviceAccount: { name: long } });
    const member = { incident: anIncident([reported(), { type: 'identified', identity }]), same };
    const plans = plansIn(Array.from({ length: AT_ONCE }, () => member));
    const together = {
      verb: same.verb,
      plans: Array.from({ length: AT_ONCE }, (): [string, string] => ['f'.repeat(10), same.hash]),
    };
    const view = togetherForm(AT_ONCE, plans, { channel: 'C0123456789', together }, true);
    expect(checkView(view, 'modal')).toEqual([]);
    // What is not seen is not approved.
    expect(JSON.stringify(view).split('• ')).toHaveLength(AT_ONCE + 1);
  });

  it('hold for the largest plan, whose every step is still named', () => {
    const steps = Array.from({ length: 20 }, (_, i) => ({
      ...remove,
      id: `s${i}`,
      title: `Delete Secret payments/token-${i}`,
      params: { i },
    }));
    const bodies: EventBody[] = [
      reported(),
      { type: 'identified', identity: anIdentity({ clusters: ['prod', 'copy'] }) },
      { type: 'situation-observed', situations: [aSituation(), aSituation({ cluster: 'copy' })] },
      {
        type: 'plan-proposed',
        plan: { steps: [quarantine, ...steps], notes: [], hash: 'h', containHash: 'c' },
      },
    ];
    const shown = JSON.stringify(renderCard(anIncident(bodies), context).blocks);
    for (const { title } of steps) expect(shown).toContain(title);
  });
});
