// A second chat is one adapter: an incident's whole course in plain text, with the facts in it and nothing of Slack.
import { describe, expect, it } from 'vitest';
import { refuse } from '../../src/domain/decision/approval.ts';
import type { EventBody } from '../../src/domain/incident/events.ts';
import { fold } from '../../src/domain/incident/fold.ts';
import { aPlan, aPolicy, contained, eventsOf, revoked, T0, waiting } from '../builders.ts';
import { plainReporter, plainText } from './plain-chat.ts';

const names = {
  UINES00001: 'Ines',
  UTOMAS0001: 'Tomas',
  UMAYA00001: 'Maya',
  S0SEC: 'the security team',
};
const policy = aPolicy({
  rules: [
    { name: 'deletions', do: { 'delete-token-secret': { approvals: 2, from: ['approvers', 'S0SEC'] } } },
  ],
});

/** What the chat shows of each of these states of one incident, one after the other. */
async function shown(...states: EventBody[][]): Promise<string[]> {
  const told: string[][] = [];
  const reporter = plainReporter({
    policy,
    names,
    clock: { now: () => T0 + 30_000 },
    say: (line) => told.at(-1)?.push(line),
  });
  let cursor = 0;
  for (const bodies of states) {
    told.push([]);
    const events = eventsOf(...bodies);
    cursor = await reporter.report(fold('inc-0001', events), events, cursor, 'head');
  }
  return told.map((lines) => lines.join('\n'));
}

const reminded: EventBody = { type: 'reminded', count: 2 };
const course = () =>
  shown(waiting().slice(0, 1), contained(), [...contained(), reminded], revoked().slice(0, -1), revoked());

describe('the whole course of an incident', () => {
  it('has its facts: what leaked, that it is contained, who must approve, and which servers refused it', async () => {
    const [alert = '', stopped = '', waits = '', , proof = ''] = await course();
    expect(alert).toContain('[open] Leak reported');
    expect(stopped).toMatch(/Contained by Ines, .* after the alert/);
    expect(stopped).toMatch(/approved by 2 of the security team, Ines or Tomas .*"deletions"/);
    expect(waits).toMatch(/Waiting for approval until \d{4}-.* UTC: 2 of the security team/);
    expect(waits).toContain('(to Tomas)');
    expect(proof).toContain('[good] Revoked: refused by 3 of 3 API servers · payments/api on prod');
    for (const server of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      expect(proof).toMatch(new RegExp(`https://${server}:6443: refused .*control accepted`));
    expect(proof).toMatch(/Killed .* after the alert/);
  });

  it('has nothing in it that only Slack can read', async () => {
    const all = (await course()).join('\n');
    expect(all.length).toBeGreaterThan(1000);
    expect(all).not.toMatch(/<@|<!|<http|`|\*|:[a-z_]+:(?!\d)|mrkdwn|Slack|\p{Extended_Pictographic}/u);
    expect(all).not.toMatch(/\[object|undefined|UINES|S0SEC/);
  });

  it('is shown from the beginning to a reader who comes late', async () => {
    const [all = ''] = await shown(revoked());
    expect(all).toContain('Leaked: ');
    expect(all).toContain('Token: ');
    expect(all).toContain('Proof');
  });
});

it('a refusal names those who may, in the names of this chat', () => {
  const by = { id: 'UDAN000001', teamId: 'T1', guest: false, bot: false, deactivated: false };
  const incident = fold('inc-0001', eventsOf(...waiting()));
  const refusal = refuse(incident, { verb: 'approve', by, hash: aPlan().hash }, { policy, teamId: 'T1' }, T0);
  expect(refusal?.code).toBe('not-allowed');
  expect(plainText(refusal?.message ?? '', names)).toMatch(
    /These can: the security team, Maya, Ines, Tomas\./,
  );
});
