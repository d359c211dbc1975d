// A run that stopped goes on, or is taken back, on the word of those who approved it for as long as that word counts; later they are asked again.
import { afterEach, describe, expect, it } from 'vitest';
import type { Verb } from '../../../src/domain/incident/decision.ts';
import type { PolicyInput } from '../../builders.ts';
import { type Harness, seedLegacy, startHarness, statusWith, TEAM } from '../harness.ts';

let h: Harness;
afterEach(() => h?.close());

const MINUTE = 60_000;
const DAY = 86_400_000;
const two: PolicyInput = {
  rules: [{ name: 'two', do: { any: { approvals: 2, from: ['approvers'], expiry: '30m' } } }],
  breakGlass: ['UMAYA'],
};
const SECRETS = '/api/v1/namespaces/payments/secrets';

/** A rotation that two people approved, five minutes one after the other, and that stopped where it was refused. */
async function stopped(
  decide: [Verb, string][] = APPROVED,
  reporter = 'UMAYA',
  refused = (method: string, path: string) => method === 'POST' && path === SECRETS,
): Promise<[string, string]> {
  h = await startHarness({ policy: two });
  const token = await seedLegacy(h.cluster());
  h.cluster().seed.deployment('payments', 'web', {
    serviceAccount: 'default',
    secretMounts: ['api-token'],
    replicas: 2,
  });
  const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
  const { incidentId: id } = await h.front.report({
    alert: {
      source: 'slash',
      reporter,
      subject: { kind: 'coordinates', at },
      goal: { do: 'rotate', strategy: 'new-secret' },
    },
  });
  await h.run(id);
  for (const [verb, by] of decide) {
    h.advance(5 * MINUTE);
    await h.click(id, verb, by, { reason: 'now' });
  }
  h.cluster().faults.failNext(50, 403, ({ method, path }) => refused(method, path));
  await h.run(id, MINUTE);
  h.cluster().faults.clear();
  expect(h.incident(id).runs.at(-1)?.stopped).toBeDefined();
  return [id, token];
}

const APPROVED: [Verb, string][] = [
  ['approve', 'UINES'],
  ['approve', 'UTOMAS'],
];

/** A press on a button about the run that stopped. */
async function press(id: string, verb: Verb, by: string): Promise<string> {
  const hash = h.incident(id).runs.at(-1)?.id ?? '';
  const answer = await h.click(id, verb, by, { hash, reason: 'it must go on' });
  if (!answer.decided) return answer.refusal.code;
  const { awaiting } = answer.incident.decisions.at(-1)?.decision ?? {};
  return awaiting === undefined ? 'runs' : `${awaiting} more`;
}

const runs = (id: string): number => h.incident(id).runs.length;
const written = (): unknown[] =>
  h.cluster().requests.filter(({ method, path }) => method === 'POST' && path === SECRETS);

describe('a run that stopped', () => {
  it('is tried again by a responder while what was approved counts', async () => {
    const [id] = await stopped();
    expect(await press(id, 'retry', 'UMAYA')).toBe('runs');
    await h.run(id, 10 * MINUTE);
    expect(h.incident(id).runs[1]?.steps.map(({ outcome }) => outcome?.verdict)).not.toContain('not-done');
  });

  it('is tried again days later only on as many fresh approvals', async () => {
    const [id, token] = await stopped();
    h.advance(5 * DAY);
    await h.run(id);
    const before = written().length;
    expect(await press(id, 'retry', 'UMAYA')).toBe('not-allowed');
    expect(await press(id, 'retry', 'UINES')).toBe('1 more');
    expect(await press(id, 'retry', 'UINES')).toBe('already-voted');
    await h.run(id);
    expect(runs(id)).toBe(1);
    expect(written()).toHaveLength(before);
    expect(await h.click(id, 'withdraw', 'UINES')).toMatchObject({ decided: true });
    expect(await press(id, 'retry', 'UTOMAS')).toBe('1 more');
    expect(await press(id, 'retry', 'UINES')).toBe('runs');
    await h.run(id, 10 * MINUTE);
    const [, run] = h.incident(id).runs;
    expect(run?.stopped).toBeUndefined();
    expect(run?.votes.filter(({ verb }) => verb === 'retry').map(({ by }) => by)).toEqual([
      'UTOMAS',
      'UINES',
    ]);
    const [cluster] = h.connected;
    expect(cluster && (await statusWith(cluster, token))).toBe('refused');
  });

  it('needs only those anew whose approvals count no longer', async () => {
    const [id] = await stopped();
    h.advance(25 * MINUTE);
    expect(await press(id, 'retry', 'UMAYA')).toBe('not-allowed');
    expect(await press(id, 'retry', 'UINES')).toBe('runs');
  });

  it('is refused to whoever asked for it, in whatever way they would vote', async () => {
    const [id] = await stopped(APPROVED, 'USOMEBODY');
    h.advance(DAY);
    await h.front.report({
      alert: {
        source: 'slash',
        reporter: 'UTOMAS',
        subject: { kind: 'coordinates', at: { cluster: 'prod', namespace: 'payments', secret: 'api-token' } },
        goal: { do: 'rotate', strategy: 'new-secret' },
      },
    });
    expect(await press(id, 'retry', 'UTOMAS')).toBe('self-approval');
  });

  it('the worker counts by itself what still counts, whatever the bot says', async () => {
    const [id] = await stopped();
    h.advance(5 * DAY);
    const before = written().length;
    const hash = h.incident(id).runs[0]?.id ?? '';
    await h.forge(id, { type: 'decided', decision: { verb: 'retry', by: 'UMAYA', hash } });
    expect(written()).toHaveLength(before);
    expect(h.incident(id).runs.at(-1)?.stopped).toMatch(
      /needs 2 more approvals than were given and still count/,
    );
  });

  it('is an emergency no longer days after the glass was broken', async () => {
    const [id] = await stopped([['break-glass', 'UMAYA']], 'USOMEBODY');
    expect(runs(id)).toBe(1);
    h.advance(5 * DAY);
    expect(await press(id, 'retry', 'UMAYA')).toBe('not-allowed');
    const hash = h.incident(id).runs[0]?.id ?? '';
    await h.forge(id, { type: 'decided', decision: { verb: 'retry', by: 'UMAYA', hash } });
    expect(h.incident(id).runs.at(-1)?.stopped).toMatch(/still count/);
  });
});

describe('what a run that stopped did', () => {
  const patches = (method: string, path: string) => method === 'PATCH' && path.includes('/deployments/');
  const made = (id: string): unknown => {
    const name =
      h.incident(id).plan?.steps[0]?.gives?.secrets[0] ??
      h.incident(id).runs[0]?.steps[0]?.step.gives?.secrets[0];
    return h.cluster().get(`${SECRETS}/${name}`);
  };

  it('is taken back by one approver while what was approved counts', async () => {
    const [id] = await stopped(APPROVED, 'UMAYA', patches);
    expect(made(id)).toBeDefined();
    expect(await press(id, 'roll-back', 'UMAYA')).toBe('not-allowed');
    expect(await press(id, 'roll-back', 'UINES')).toBe('runs');
    await h.run(id, 10 * MINUTE);
    expect(made(id)).toBeUndefined();
  });

  it('is taken back days later only on as many fresh approvals', async () => {
    const [id] = await stopped(APPROVED, 'UMAYA', patches);
    h.advance(5 * DAY);
    expect(await press(id, 'roll-back', 'UINES')).toBe('1 more');
    await h.run(id);
    expect(made(id)).toBeDefined();
    expect(await press(id, 'roll-back', 'UTOMAS')).toBe('runs');
    await h.run(id, 10 * MINUTE);
    expect(made(id)).toBeUndefined();
  });

  it('the worker takes nothing back days later on the word of one', async () => {
    const [id] = await stopped(APPROVED, 'UMAYA', patches);
    h.advance(5 * DAY);
    const hash = h.incident(id).runs[0]?.id ?? '';
    await h.forge(id, { type: 'decided', decision: { verb: 'roll-back', by: 'UINES', hash, reason: 'x' } });
    expect(made(id)).toBeDefined();
    expect(h.incident(id).runs.at(-1)?.stopped).toMatch(
      /needs 1 more approval than were given and still count/,
    );
  });

  it('a roll-back that stopped is tried again days later by approvers, and by no responder alone', async () => {
    const [id] = await stopped(APPROVED, 'UMAYA', patches);
    h.cluster().faults.failNext(
      50,
      403,
      ({ method, path }) => method === 'DELETE' && path.startsWith(SECRETS),
    );
    expect(await press(id, 'roll-back', 'UINES')).toBe('runs');
    await h.run(id, MINUTE);
    h.cluster().faults.clear();
    h.advance(5 * DAY);
    expect(await press(id, 'retry', 'UMAYA')).toBe('not-allowed');
    expect(await press(id, 'retry', 'UTOMAS')).toBe('1 more');
    expect(await press(id, 'retry', 'UINES')).toBe('runs');
    await h.run(id, 10 * MINUTE);
    expect(made(id)).toBeUndefined();
  });
});

describe('a plan that waited for too long', () => {
  it('is approved by nobody, also before the worker has noticed', async () => {
    h = await startHarness({ policy: two });
    const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(id);
    await h.click(id, 'approve', 'UINES');
    h.advance(31 * MINUTE);
    const late = await h.click(id, 'approve', 'UTOMAS');
    expect(late).toMatchObject({ decided: false, refusal: { code: 'plan-expired' } });
    expect(runs(id)).toBe(0);
  });

  it('what was approved with the rest to happen later happens later, however soon approvals expire', async () => {
    h = await startHarness({ policy: two });
    await seedLegacy(h.cluster());
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const goal = { do: 'rotate' as const, strategy: 'new-secret' as const };
    const alert = { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates' as const, at }, goal };
    const { incidentId: id } = await h.front.report({ alert });
    await h.run(id);
    for (const [verb, by] of APPROVED) await h.click(id, verb, by);
    await h.run(id, 2 * DAY);
    expect(h.incident(id).runs.map(({ stopped: why }) => why)).toEqual([undefined, undefined]);
    expect(h.cluster().get(`${SECRETS}/api-token`)).toBeUndefined();
  });

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['while no worker was there', async () => h.advance(5 * DAY)],
    [
      'while everything was paused',
      async (id) => {
        const by = { id: 'UINES', teamId: TEAM, guest: false, bot: false, deactivated: false };
        await h.front.pause(by, 'a storm of alerts');
        await h.run(id);
        h.advance(5 * DAY);
        await h.front.pause(by, undefined);
      },
    ],
  ])('runs no more after it was approved %s', async (_when, wait) => {
    h = await startHarness({ policy: two });
    const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(id);
    for (const [verb, by] of APPROVED) await h.click(id, verb, by);
    await wait(id);
    await h.run(id);
    expect(h.cluster().get(`${SECRETS}/api-token`)).toBeDefined();
    expect(h.incident(id).runs.at(-1)?.stopped).toMatch(/still count/);
    expect(h.incident(id).status).toBe('awaiting-approval');
    for (const [verb, by] of APPROVED) await h.click(id, verb, by);
    await h.run(id);
    expect(h.cluster().get(`${SECRETS}/api-token`)).toBeUndefined();
  });

  it('a quarantine that somebody pressed is done however late the worker comes', async () => {
    h = await startHarness({ policy: { rules: [{ name: 'hasty', do: { contain: { expiry: '30m' } } }] } });
    const { incidentId: id } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(id);
    expect(await h.click(id, 'contain', 'UINES')).toMatchObject({ decided: true });
    h.advance(5 * DAY);
    await h.run(id);
    expect(h.incident(id).runs[0]?.steps[0]?.outcome?.verdict).toBe('done');
  });

  it('a long run that began in time goes on to its end', async () => {
    const rules = [{ name: 'hasty', do: { any: { approvals: 2, expiry: '5m' } } }];
    h = await startHarness({ policy: { rules }, clusters: { prod: { podStartMs: 5 * MINUTE } } });
    await seedLegacy(h.cluster());
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9])
      h.cluster().seed.deployment('payments', `web-${n}`, { secretMounts: ['api-token'] });
    h.advance(5 * MINUTE);
    const at = { cluster: 'prod', namespace: 'payments', secret: 'api-token' };
    const goal = { do: 'rotate' as const, strategy: 'new-secret' as const };
    const alert = { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates' as const, at }, goal };
    const { incidentId: id } = await h.front.report({ alert });
    await h.run(id);
    for (const [verb, by] of APPROVED) await h.click(id, verb, by);
    const from = h.now();
    await h.run(id);
    expect(h.now() - from).toBeGreaterThan(10 * MINUTE);
    expect(h.incident(id).runs[0]?.stopped).toBeUndefined();
    expect(h.incident(id).runs[0]?.steps.map(({ outcome }) => outcome?.verdict)).not.toContain(undefined);
  });
});
