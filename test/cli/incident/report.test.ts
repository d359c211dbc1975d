// The report of an incident: every decision with its rule, the times, the commands, and what is still open.
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/cli/incident/report.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import { aPlan, collected, contained, eventsOf, quarantine, revoked, waiting } from '../../builders.ts';
import { legacyToken } from '../../domain/token/token-samples.ts';

const report = (bodies: EventBody[]): string => {
  const events = eventsOf(...bodies);
  return renderReport({ incident: fold('inc-0001', events), events, head: 'ab'.repeat(32) });
};

const glass: EventBody = {
  type: 'decided',
  decision: {
    verb: 'break-glass',
    by: 'UMAYA00001',
    hash: aPlan().hash,
    reason: 'nobody is awake',
    policy: 'abc123',
    rules: ['two'],
  },
};

describe('the report', () => {
  it('tells the times, who decided, and the commands', () => {
    const text = report(revoked());
    expect(text).toMatch(/Time to kill: \d+\.\d s/);
    expect(text).toMatch(/Time to proof: \d+\.\d s/);
    expect(text).toMatch(/\| UTOMAS0001 \| approve \|/);
    expect(text).toContain('kubectl --context prod -n payments delete secret api-token');
    expect(text).toMatch(
      /\| prod \| each-server \| https:\/\/10\.0\.0\.1:6443 \| refused \(401\) \| accepted \|/,
    );
  });

  it('marks a broken glass, under which rule of which policy, and that its review is open', () => {
    const open = report([...contained(), glass]);
    expect(open).toContain('Break-glass: UMAYA00001');
    expect(open).toContain('| abc123 "two" | nobody is awake |');
    expect(open).toContain('The break-glass of UMAYA00001 was not reviewed yet.');
    const review: EventBody = {
      type: 'decided',
      decision: { verb: 'review', by: 'UINES00001', reason: 'right' },
    };
    expect(report([...contained(), glass, review])).not.toContain('was not reviewed yet');
  });

  it('says what waits, and what time has not brought yet', () => {
    const text = report(waiting());
    expect(text).toContain('Time to kill: not yet');
    expect(text).toContain('Waits for approval: Delete Secret payments/api-token');
    expect(text).toContain('Argo CD owns this Secret');
  });

  it('says who took a new token, and with what it dies', () => {
    expect(report([...revoked(), collected])).toContain(
      'maya@example.test collected a token of prod/payments/api, bound to Secret api-ci, until 2026-11-25',
    );
  });

  it('holds the patches for Git as they stand, each once', () => {
    const patch = 'apiVersion: apps/v1\nkind: Deployment\nspec:\n  template: {}\n';
    const plan = aPlan([{ ...quarantine, forGit: [patch, patch] }]);
    const text = report([...waiting().slice(0, -1), { type: 'plan-proposed', plan }]);
    expect(text.split(`\`\`\`yaml\n${patch}\`\`\``)).toHaveLength(2);
  });

  it('lets no token and no broken table through', async () => {
    const token = legacyToken();
    const evil: EventBody = {
      type: 'alert-updated',
      update: { source: 'x', externalId: 'y', note: token },
    };
    const decline: EventBody = {
      type: 'decided',
      decision: { verb: 'decline', by: 'UINES00001', reason: `a | b\n# ${token}` },
    };
    const text = report([...waiting(), evil, decline]);
    expect(text).not.toContain(token);
    expect(text).toContain('a \\| b #');
  });
});
