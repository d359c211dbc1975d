// N of M: distinct people over one plan, counted by the bot at the click and again by the worker, from its own policy, before every step.
import { afterEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/domain/incident/decision.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { planAnew } from '../../../src/engine/act/under-policy.ts';
import { aPolicy, type PolicyInput } from '../../builders.ts';
import { type Harness, type HarnessOptions, PEOPLE, seedLegacy, startHarness, TEAM } from '../harness.ts';

let h: Harness;
afterEach(() => h?.close());

const two: PolicyInput = { rules: [{ name: 'two', do: { revoke: { approvals: 2 }, contain: 'auto' } }] };

/** A leak that is contained, with a plan that deletes the Secret. */
async function waiting(options: HarnessOptions = {}, reporter?: string): Promise<string> {
  h = await startHarness({ policy: two, ...options });
  const token = await seedLegacy(h.cluster());
  const { incidentId } = await h.leak(token, reporter ? { reporter } : {});
  await h.run(incidentId);
  expect(h.incident(incidentId).plan?.steps.map(({ action }) => action)).toContain('delete-token-secret');
  return incidentId;
}

const code = async (decided: Promise<Awaited<ReturnType<Harness['click']>>>): Promise<string | undefined> => {
  const answer = await decided;
  return answer.decided ? undefined : answer.refusal.code;
};
const runs = (id: string): string[] => h.incident(id).runs.map(({ kind }) => kind);
const secret = (): unknown => h.cluster().get('/api/v1/namespaces/payments/secrets/api-token');

describe('votes', () => {
  it('the first of two starts nothing, the second starts the plan once', async () => {
    const id = await waiting();
    expect(await code(h.click(id, 'approve', 'UINES'))).toBeUndefined();
    await h.run(id);
    expect(runs(id)).toEqual(['contain']);
    expect(secret()).toBeDefined();
    expect(await code(h.click(id, 'approve', 'UTOMAS'))).toBeUndefined();
    await h.run(id);
    expect(runs(id)).toEqual(['contain', 'plan']);
    expect(secret()).toBeUndefined();
    expect(h.incident(id).runs[1]?.votes.map(({ by }) => by)).toEqual(['UINES', 'UTOMAS']);
  });

  it('nobody counts twice', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    expect(await code(h.click(id, 'approve', 'UINES'))).toBe('already-voted');
    expect(h.incident(id).votes).toHaveLength(1);
  });

  it('a person may take it back, and give it again', async () => {
    const id = await waiting();
    expect(await code(h.click(id, 'withdraw', 'UINES'))).toBe('nothing-to-do');
    await h.click(id, 'approve', 'UINES');
    expect(await code(h.click(id, 'withdraw', 'UTOMAS'))).toBe('nothing-to-do');
    expect(await code(h.click(id, 'withdraw', 'UINES'))).toBeUndefined();
    await h.click(id, 'approve', 'UTOMAS');
    expect(runs(id)).toEqual(['contain']);
    await h.click(id, 'approve', 'UINES');
    expect(runs(id)).toEqual(['contain', 'plan']);
  });

  it('a new plan voids them', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    h.advance(24 * 3_600_000);
    await h.run(id);
    expect(h.memory.events(id).some(({ type }) => type === 'plan-expired')).toBe(true);
    expect(h.incident(id).votes).toEqual([]);
    await h.click(id, 'approve', 'UTOMAS');
    expect(runs(id)).toEqual(['contain']);
  });

  it('the plan expires when its rule says, not when the configuration says', async () => {
    const rules = [{ name: 'hasty', do: { revoke: { expiry: '30m' } } }] as const;
    const id = await waiting({ policy: { rules: [...rules] } });
    const [due] = (await h.pending(id)).filter(({ kind }) => kind === 'expire');
    expect(due?.at).toBe(Date.parse(h.incident(id).planAt ?? '') + 30 * 60_000);
  });

  it('of fifty people at once exactly as many as needed decide, and one run starts', async () => {
    const crowd = Array.from({ length: 50 }, (_, n) => `UCROWD${n}`);
    const id = await waiting({
      policy: { rules: [{ name: 'crowd', do: { any: { approvals: 3, from: crowd }, contain: 'auto' } }] },
    });
    const answers = await Promise.all(crowd.map((by) => h.click(id, 'approve', by)));
    expect(answers.filter(({ decided }) => decided)).toHaveLength(3);
    expect(runs(id)).toEqual(['contain', 'plan']);
    const why = answers.map((answer) => (answer.decided ? undefined : answer.refusal.code));
    expect(new Set(why)).toEqual(new Set([undefined, 'already-decided']));
  });

  it('each group has its own say', async () => {
    const rules = [
      { name: 'both', do: { 'delete-token-secret': { approvals: 2, from: ['S0SEC', 'S0OPS'] } } },
    ];
    const id = await waiting({ policy: { rules } });
    expect(await code(h.click(id, 'approve', 'UA', { groups: ['S0OTHER'] }))).toBe('not-allowed');
    await h.click(id, 'approve', 'UA', { groups: ['S0SEC'] });
    await h.click(id, 'approve', 'UB', { groups: ['S0OPS'] });
    await h.run(id);
    expect(secret()).toBeUndefined();
  });

  it('a reason is asked for where the rule wants one', async () => {
    const id = await waiting({ policy: { rules: [{ name: 'why', do: { revoke: { reason: true } } }] } });
    expect(await code(h.click(id, 'approve', 'UINES'))).toBe('reason-missing');
    expect(await code(h.click(id, 'approve', 'UINES', { reason: 'seen in a gist' }))).toBeUndefined();
  });

  it('the log says under which rule of which policy each was given', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    const { version } = h.deps.settings.policy;
    expect(h.incident(id).decisions[0]?.decision).toMatchObject({
      policy: version,
      rules: ['two'],
      awaiting: 1,
    });
    expect(h.memory.events(id).find(({ type }) => type === 'plan-proposed')).toMatchObject({
      policy: version,
    });
    expect(h.memory.events(id).find(({ type }) => type === 'auto-contained')).toMatchObject({
      policy: version,
      rule: 'two',
    });
  });
});

describe('what the policy never allows', () => {
  const never: PolicyInput = {
    rules: [{ name: 'no', do: { 'delete-token-secret': 'never', contain: 'auto' } }],
  };

  it('is not in the plan; the card says what to type', async () => {
    h = await startHarness({ policy: never });
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(incidentId);
    const { plan } = h.incident(incidentId);
    expect(plan?.steps.map(({ action }) => action)).not.toContain('delete-token-secret');
    expect(plan?.notes.join()).toMatch(/never allows it \(rule "no"\).*kubectl/);
  });

  it('cannot be approved where the worker’s plan holds it and the bot’s policy does not allow it', async () => {
    const id = await waiting({ botPolicy: never });
    const answer = await h.click(id, 'approve', 'UINES');
    expect(answer).toMatchObject({ decided: false, refusal: { code: 'policy-forbids' } });
    expect(await code(h.click(id, 'break-glass', 'UINES', { reason: 'now' }))).toBe('policy-forbids');
  });
});

describe('the worker counts again', () => {
  const forged = (id: string, decision: Partial<Decision>): EventBody => ({
    type: 'decided',
    decision: { verb: 'approve', by: 'UINES', hash: h.incident(id).plan?.hash ?? '', ...decision },
  });
  const stopped = (id: string) => h.incident(id).runs.at(-1)?.stopped;

  it.each<[string, (id: string) => EventBody[], RegExp]>([
    ['one approval where two are needed', (id) => [forged(id, {})], /rule "two".*needs 1 more approval than/],
    ['the same person twice', (id) => [forged(id, { awaiting: 1 }), forged(id, {})], /needs 1 more approval/],
    [
      'people who are not on the list',
      (id) => [forged(id, { by: 'UDAN', awaiting: 1 }), forged(id, { by: 'UROLF' })],
      /needs 2 more approvals/,
    ],
    [
      'an approval of another plan',
      (id) => [forged(id, { awaiting: 1, hash: 'other' }), forged(id, { by: 'UTOMAS' })],
      /needs 1 more approval/,
    ],
    [
      'a containment by policy that deletes',
      (id) => [{ type: 'auto-contained', steps: h.incident(id).plan?.steps ?? [], rule: 'two' }],
      /rule "two".*asks a person first/,
    ],
    [
      'a broken glass of somebody who may not',
      (id) => [forged(id, { verb: 'break-glass', by: 'UDAN', reason: 'x' })],
      /does not let UDAN break the glass/,
    ],
  ])('a forged log runs nothing: %s', async (_name, events, expected) => {
    const id = await waiting();
    await h.forge(id, ...events(id));
    expect(stopped(id)).toMatch(expected);
    expect(secret()).toBeDefined();
  });

  it('the requester’s approval does not count, even if the bot let it pass', async () => {
    const lax: PolicyInput = { rules: [{ name: 'lax', do: { any: { excludeRequester: false } } }] };
    const id = await waiting(
      { policy: { rules: [{ name: 'strict', do: { contain: 'auto', any: {} } }] }, botPolicy: lax },
      'UINES',
    );
    expect(await code(h.click(id, 'approve', 'UINES'))).toBeUndefined();
    await h.run(id);
    expect(stopped(id)).toMatch(/rule "strict".*needs 1 more approval/);
    expect(secret()).toBeDefined();
  });

  it('an undo by somebody who is no approver of the worker’s is not run', async () => {
    const id = await waiting();
    await h.forge(id, forged(id, { verb: 'undo', by: 'UMAYA', reason: 'x' }));
    expect(stopped(id)).toMatch(/UMAYA is no approver/);
    expect(h.incident(id).liveAgain).toBe(false);
  });

  it('an approval of many at once counts only where the rule of the worker says so', async () => {
    const rule = (group: boolean): PolicyInput => ({
      rules: [{ name: 'g', do: { revoke: { group }, contain: 'auto' } }],
    });
    const alone = await waiting({ policy: rule(false) });
    expect(await code(h.click(alone, 'approve', 'UINES', { together: true }))).toBe('policy-forbids');
    await h.close();
    const lax = await waiting({ policy: rule(false), botPolicy: rule(true) });
    expect(await code(h.click(lax, 'approve', 'UINES', { together: true }))).toBeUndefined();
    await h.run(lax);
    expect(stopped(lax)).toMatch(/rule "g".*needs 1 more approval/);
    expect(secret()).toBeDefined();
    await h.close();
    const both = await waiting({ policy: rule(true) });
    expect(await code(h.click(both, 'approve', 'UINES', { together: true }))).toBeUndefined();
    await h.run(both);
    expect(secret()).toBeUndefined();
  });

  it.each(['decline', 'not-a-leak'] as const)(
    'a forged %s by somebody who may not destroys no token and is taken back',
    async (verb) => {
      const id = await waiting();
      const as = verb === 'decline' ? 'declined' : 'false-alarm';
      await h.forge(id, forged(id, { verb, by: 'UMAYA', reason: 'x' }), { type: 'closed', as, reason: 'x' });
      expect(h.memory.events(id)).toContainEqual(
        expect.objectContaining({ type: 'decision-refused', verb, by: 'UMAYA' }),
      );
      expect(h.memory.holds(id)).toBe(true);
      expect(h.incident(id)).toMatchObject({ status: 'awaiting-approval' });
      expect(h.incident(id).closed).toBeUndefined();
      // An honest one counts.
      await h.click(id, verb, 'UINES', { reason: 'a drill' });
      await h.run(id);
      expect(h.incident(id).closed?.as).toBe(as);
      expect(h.memory.holds(id)).toBe(false);
    },
  );

  it('a forged review of a broken glass stays open', async () => {
    const id = await waiting();
    await h.click(id, 'break-glass', 'UMAYA', { reason: 'nobody is awake' });
    await h.forge(id, forged(id, { verb: 'review', by: 'UDAN', reason: 'fine' }));
    expect(h.incident(id).reviews).toMatchObject([{ by: 'UMAYA' }]);
    expect(h.incident(id).reviews[0]?.closed).toBeUndefined();
  });

  it('a forged review is taken back once, also where somebody who may says the same after it', async () => {
    const id = await waiting();
    await h.click(id, 'break-glass', 'UMAYA', { reason: 'nobody is awake' });
    const [forgery, honest] = ['UDAN', 'UINES'].map((by) =>
      forged(id, { verb: 'review', by, reason: 'fine' }),
    );
    if (!forgery || !honest) expect.unreachable();
    await h.forge(id, forgery, honest);
    expect(h.incident(id).reviews[0]?.closed).toBeUndefined();
    // One that closed nothing is nothing to take back.
    await h.click(id, 'review', 'UINES', { reason: 'right call' });
    await h.forge(id, forgery);
    await h.forge(id, forgery);
    expect(h.incident(id).reviews[0]?.closed?.by).toBe('UINES');
    const refused = h.memory.events(id).filter(({ type }) => type === 'decision-refused');
    expect(refused).toMatchObject([{ verb: 'review', by: 'UDAN' }]);
  });

  it('a person who left the worker’s list between the click and the step does not count any more', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    await h.click(id, 'approve', 'UTOMAS');
    const { policy } = h.deps.settings;
    h.deps.settings.policy = { ...policy, people: { ...policy.people, approvers: ['UINES'] } };
    await h.run(id);
    expect(stopped(id)).toMatch(/needs 1 more approval/);
    expect(secret()).toBeDefined();
  });

  it('what its policy never allows is not run, whoever approved it', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    await h.click(id, 'approve', 'UTOMAS');
    const rules = [{ name: 'no', do: { 'delete-token-secret': 'never' as const } }];
    h.deps.settings.policy = aPolicy({ rules }, { people: PEOPLE });
    await h.run(id);
    expect(stopped(id)).toMatch(/rule "no".*never/);
    expect(secret()).toBeDefined();
  });

  it('members of a group that the worker knows count only if they are in it', async () => {
    const rules = [{ name: 'g', do: { contain: 'auto' as const, any: { from: ['S0SEC'] } } }];
    const id = await waiting({ policy: { rules, groupMembers: { S0SEC: ['UINES'] } }, botPolicy: { rules } });
    expect(await code(h.click(id, 'approve', 'UDAN', { groups: ['S0SEC'] }))).toBeUndefined();
    await h.run(id);
    expect(stopped(id)).toMatch(/needs 1 more approval/);
    expect(await code(h.click(id, 'approve', 'UINES', { groups: ['S0SEC'] }))).toBeUndefined();
    await h.run(id);
    expect(secret()).toBeUndefined();
  });
});

describe('break-glass', () => {
  it('runs the plan on one person’s word, and the review waits for somebody else', async () => {
    const id = await waiting();
    expect(await code(h.click(id, 'break-glass', 'UDAN', { reason: 'now' }))).toBe('not-allowed');
    expect(await code(h.click(id, 'break-glass', 'UMAYA'))).toBe('reason-missing');
    expect(await code(h.click(id, 'break-glass', 'UMAYA', { reason: 'nobody is awake' }))).toBeUndefined();
    await h.run(id, 60_000);
    expect(secret()).toBeUndefined();
    expect(h.incident(id).reviews).toMatchObject([{ by: 'UMAYA', reason: 'nobody is awake' }]);
    expect(h.incident(id).closed?.as).toBe('resolved');
    expect(await code(h.click(id, 'review', 'UMAYA', { reason: 'fine' }))).toBe('not-allowed');
    expect(await code(h.click(id, 'review', 'UINES', { reason: 'right call' }))).toBeUndefined();
    expect(h.incident(id).reviews[0]?.closed).toMatchObject({ by: 'UINES', note: 'right call' });
    expect(await code(h.click(id, 'review', 'UTOMAS', { reason: 'again' }))).toBe('nothing-to-do');
  });

  it('an approver does not review their own', async () => {
    const id = await waiting();
    await h.click(id, 'break-glass', 'UINES', { reason: 'nobody is awake' });
    expect(await code(h.click(id, 'review', 'UINES', { reason: 'fine' }))).toBe('self-approval');
  });

  it('refuses those of other workspaces like everything else', async () => {
    const id = await waiting();
    const by = { id: 'UMAYA', teamId: `${TEAM}X`, guest: false, bot: false, deactivated: false };
    const hash = h.incident(id).plan?.hash ?? '';
    const answer = await h.front.decide(id, { verb: 'break-glass', by, hash, reason: 'x' });
    expect(answer).toMatchObject({ decided: false, refusal: { code: 'foreign-user' } });
  });
});

describe('a second incident about the same ServiceAccount', () => {
  const one: PolicyInput = { rules: [{ name: 'one', do: { revoke: { approvals: 1 }, contain: 'auto' } }] };
  const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' };
  const coordinates = (reporter: string) =>
    h.front.report({ alert: { source: 'slash', subject: { kind: 'coordinates', at }, reporter } });

  it('lets neither of two people approve the plan of the other', async () => {
    const first = await waiting({ policy: one }, 'UINES');
    const { incidentId: second, created } = await coordinates('UTOMAS');
    expect(created).toBe(true);
    await h.run(second);
    expect(await code(h.click(first, 'approve', 'UTOMAS'))).toBe('self-approval');
    expect(await code(h.click(second, 'approve', 'UINES'))).toBe('self-approval');
    await h.run(first);
    await h.run(second);
    expect(secret()).toBeDefined();
    expect(h.incident(first).alsoAsked).toEqual([{ by: 'UTOMAS', incident: second }]);
  });

  it('of another token counts the same, and is refused by the worker where a bot let it pass', async () => {
    const first = await waiting({ policy: one }, 'UINES');
    const token = await h.cluster().seed.tokenSecret('payments', 'api-token-2', 'api');
    const second = await h.leak(token, { reporter: 'UTOMAS' });
    await h.run(second.incidentId);
    const hash = h.incident(first).plan?.hash ?? '';
    await h.forge(first, { type: 'decided', decision: { verb: 'approve', by: 'UTOMAS', hash } });
    expect(h.incident(first).runs.at(-1)?.stopped).toMatch(/needs 1 more approval/);
    expect(secret()).toBeDefined();
  });

  it('that was closed while a plan still waits counts, however long its rule lets it wait', async () => {
    const patient: PolicyInput = {
      rules: [{ name: 'patient', do: { revoke: { approvals: 1, expiry: '3d' }, contain: 'auto' } }],
    };
    const first = await waiting({ policy: patient });
    const { incidentId: second } = await coordinates('UTOMAS');
    await h.run(second);
    await h.click(second, 'not-a-leak', 'UINES', { reason: 'a drill' });
    h.advance(50 * 3_600_000);
    expect(await code(h.click(first, 'approve', 'UTOMAS'))).toBe('self-approval');
  });

  it('that was closed longer ago than a plan waits counts no more', async () => {
    const first = await waiting({ policy: one });
    const { incidentId: second } = await coordinates('UTOMAS');
    await h.run(second);
    await h.click(second, 'not-a-leak', 'UINES', { reason: 'a drill' });
    await h.run(second);
    h.advance(23 * 3_600_000);
    expect(await code(h.click(first, 'approve', 'UTOMAS'))).toBe('self-approval');
    await h.close();
    const later = await waiting({ policy: one });
    const { incidentId: past } = await coordinates('UTOMAS');
    await h.run(past);
    await h.click(past, 'not-a-leak', 'UINES', { reason: 'a drill' });
    h.advance(25 * 3_600_000);
    await h.run(later);
    expect(await code(h.click(later, 'approve', 'UTOMAS'))).toBeUndefined();
  });
});

const quick = (approvals: number, expiry: string): PolicyInput => ({
  rules: [{ name: 'quick', do: { any: { approvals, from: ['approvers'], expiry }, contain: 'auto' } }],
});

describe('a plan that waits', () => {
  it('is reminded of twice, then expires; the incident stays open with a fresh plan', async () => {
    const id = await waiting();
    const planAt = Date.parse(h.incident(id).planAt ?? '');
    await h.run(id, 23 * 3_600_000);
    const at = (type: string) =>
      h.memory.events(id).flatMap((e) => (e.type === type ? [Date.parse(e.at) - planAt] : []));
    expect(at('reminded')).toEqual([12 * 3_600_000, 21.6 * 3_600_000]);
    await h.run(id, 2 * 3_600_000);
    expect(at('plan-expired')).toEqual([24 * 3_600_000]);
    expect(h.incident(id).closed).toBeUndefined();
    expect(h.incident(id)).toMatchObject({ status: 'awaiting-approval', reminders: 0 });
  });

  it.each([
    // Four looks a day at a token that works are among them.
    ['half an hour', '30m', 110],
    ['a minute', '1m', 130],
  ])(
    '%s, for a week, while nobody comes: the log stays short, and people are called less and less often',
    async (_, expiry, most) => {
      const id = await waiting({ policy: quick(1, expiry) });
      await h.run(id, 24 * 3_600_000);
      expect(h.memory.events(id).length).toBeLessThan(most / 2);
      await h.run(id, 6 * 24 * 3_600_000);
      expect(h.memory.events(id).length).toBeLessThan(most + 60);
      expect(h.incident(id).status).toBe('awaiting-approval');
    },
  );

  it('longer than an approval counts is not approved, but made anew at once for who comes', async () => {
    const id = await waiting({ policy: quick(1, '30m') });
    await h.run(id, 3 * 24 * 3_600_000);
    h.advance(40 * 60_000);
    const before = h.incident(id);
    const refused = await h.click(id, 'approve', 'UINES');
    expect(refused).toMatchObject({
      refusal: { code: 'plan-expired', message: expect.stringMatching(/fresh plan/) },
    });
    await h.run(id);
    expect(h.incident(id).runs).toHaveLength(before.runs.length);
    expect(Date.parse(h.incident(id).planAt ?? '')).toBe(h.now());
    expect(await code(h.click(id, 'approve', 'UINES'))).toBeUndefined();
  });

  it('waits as long as the policy says again once somebody was there', async () => {
    const id = await waiting({ policy: quick(2, '30m') });
    await h.run(id, 3 * 24 * 3_600_000);
    h.advance(31 * 60_000);
    await h.click(id, 'approve', 'UINES');
    await h.run(id);
    const planAt = h.now();
    await h.run(id, 30 * 60_000);
    const last = h.memory.events(id).findLast(({ type }) => type === 'plan-expired');
    expect(Date.parse(last?.at ?? '') - planAt).toBe(30 * 60_000);
  });

  it('too long is not told to who may not approve at all', async () => {
    const id = await waiting();
    h.advance(25 * 3_600_000);
    expect(await code(h.click(id, 'approve', 'UNOBODY'))).toBe('not-allowed');
    expect(h.memory.events(id).some(({ type }) => type === 'plan-expired')).toBe(false);
  });

  it('nobody is reminded of what was decided', async () => {
    const id = await waiting();
    await h.click(id, 'decline', 'UINES', { reason: 'later' });
    await h.run(id, 48 * 3_600_000);
    expect(h.memory.events(id).filter(({ type }) => type === 'reminded')).toEqual([]);
  });
});

describe('another policy', () => {
  it('makes what waits under the old one be planned anew: votes are void, and what is forbidden now is gone', async () => {
    const id = await waiting();
    await h.click(id, 'approve', 'UINES');
    expect(await planAnew(h.deps)).toBe(0);
    const { policy } = h.deps.settings;
    const never = aPolicy({ rules: [{ name: 'no', do: { 'delete-token-secret': 'never' } }] }, policy);
    h.deps.settings.policy = never;
    expect(await planAnew(h.deps)).toBe(1);
    await h.run(id);
    expect(h.incident(id).votes).toEqual([]);
    expect(h.incident(id).planPolicy).toBe(never.version);
    expect(h.incident(id).plan?.steps.map(({ action }) => action)).not.toContain('delete-token-secret');
    expect(await planAnew(h.deps)).toBe(0);
  });
});
