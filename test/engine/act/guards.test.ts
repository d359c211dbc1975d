// What keeps the automatic response from doing harm: possession, budgets, the circuit breaker, low trust, dry run, and the kill switch.
import { afterEach, describe, expect, it } from 'vitest';
import { mrkdwn } from '../../../src/adapters/slack/mrkdwn/mrkdwn.ts';
import type { Person } from '../../../src/domain/decision/click.ts';
import type { Cluster } from '../../../src/ports/cluster.ts';
import type { PolicyInput } from '../../builders.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, TEAM } from '../harness.ts';

let h: Harness;
afterEach(() => h?.close());

/** Leaks tokens of `count` ServiceAccounts, one after the other; answers the incidents. */
async function flood(count: number, options: HarnessOptions, namespaces = ['payments']): Promise<string[]> {
  h = await startHarness(options);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const namespace = namespaces[n % namespaces.length] ?? '';
    const { seed } = h.cluster();
    if (!h.cluster().get(`/api/v1/namespaces/${namespace}`)) seed.namespace(namespace);
    seed.serviceAccount(namespace, `app-${n}`);
    const token = await seed.tokenSecret(namespace, `app-${n}-token`, `app-${n}`);
    const { incidentId } = await h.leak(token);
    await h.run(incidentId);
    ids.push(incidentId);
  }
  return ids;
}

const contained = (ids: string[]): number =>
  ids.filter((id) => h.incident(id).runs.some(({ by }) => by === 'policy')).length;
const why = (id: string | undefined): string => h.incident(id ?? '').autoContainSkipped ?? '';

async function oneLeak(policy: PolicyInput, source = 'report'): Promise<string> {
  h = await startHarness({ policy });
  const { incidentId } = await h.leak(await seedLegacy(h.cluster()), { source });
  await h.run(incidentId);
  return incidentId;
}

describe('budgets', () => {
  const auto = (automatic: PolicyInput['automatic']): HarnessOptions => ({
    policy: { automatic },
    settings: { autoContainPerHour: 100 },
  });

  it('per namespace, and another namespace has its own', async () => {
    const ids = await flood(6, auto({ perNamespacePerHour: 2 }), ['payments', 'web']);
    expect(contained(ids)).toBe(4);
    expect(why(ids[4])).toMatch(/budget of 2 automatic containments an hour on prod\/payments is used up/);
  });

  it('per cluster', async () => {
    const ids = await flood(3, auto({ perClusterPerHour: 2 }), ['payments', 'web']);
    expect(contained(ids)).toBe(2);
    expect(why(ids[2])).toMatch(/budget of 2 automatic containments an hour on prod is used up/);
  });

  it('what a budget refuses is taken from no other budget', async () => {
    const ids = await flood(
      4,
      { policy: { automatic: { perNamespacePerHour: 1 } }, settings: { autoContainPerHour: 2 } },
      ['a', 'a', 'a', 'b'],
    );
    expect(ids.map((id) => contained([id]))).toEqual([1, 0, 0, 1]);
  });

  it('the breaker: too many different ServiceAccounts stop everything automatic, and the same one again does not count', async () => {
    const ids = await flood(5, auto({ distinctServiceAccounts: 3, within: '10m' }));
    expect(contained(ids)).toBe(3);
    expect(why(ids[4])).toMatch(/more than 3 different ServiceAccounts.*poisoned alert feed/);
    const again = await h.cluster().seed.tokenSecret('payments', 'second-token', 'app-0');
    const { incidentId } = await h.leak(again);
    await h.run(incidentId);
    expect(contained([incidentId])).toBe(1);
    h.advance(11 * 60_000);
    h.cluster().seed.serviceAccount('payments', 'late');
    const late = await h.leak(await h.cluster().seed.tokenSecret('payments', 'late-token', 'late'));
    await h.run(late.incidentId);
    expect(contained([late.incidentId])).toBe(1);
  });
});

describe('what an alert must bring', () => {
  const auto: PolicyInput = { rules: [{ name: 'r', do: { contain: 'auto' } }], lowTrustSources: ['falco'] };

  it('a source of low trust opens an incident and starts nothing', async () => {
    const id = await oneLeak(auto, 'falco');
    expect(contained([id])).toBe(0);
    expect(why(id)).toMatch(/source falco is of low trust/);
    expect(h.incident(id).plan?.steps.length).toBeGreaterThan(0);
  });

  it('unless a rule names it', async () => {
    const id = await oneLeak(
      { ...auto, rules: [{ name: 'r', match: { source: ['falco'] }, do: { contain: 'auto' } }] },
      'falco',
    );
    expect(contained([id])).toBe(1);
  });

  it('coordinates alone always ask', async () => {
    h = await startHarness({ policy: auto });
    await seedLegacy(h.cluster());
    const at = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' };
    const { incidentId } = await h.front.report({
      alert: { source: 'report', subject: { kind: 'coordinates', at } },
    });
    await h.run(incidentId);
    expect(contained([incidentId])).toBe(0);
    expect(why(incidentId)).toMatch(/did not carry the token itself/);
  });

  it('a feed that alerts on kube-system reaches people, and two of them must agree', async () => {
    h = await startHarness({ policy: auto });
    const { seed } = h.cluster();
    seed.serviceAccount('kube-system', 'proxy');
    const { incidentId } = await h.leak(await seed.tokenSecret('kube-system', 'proxy-token', 'proxy'));
    await h.run(incidentId);
    expect(why(incidentId)).toMatch(/kube-system is protected/);
    await h.click(incidentId, 'contain', 'UMAYA');
    await h.run(incidentId);
    expect(contained([incidentId]) + h.incident(incidentId).runs.length).toBe(0);
    await h.click(incidentId, 'contain', 'UINES');
    await h.run(incidentId);
    expect(h.incident(incidentId).runs.map(({ kind }) => kind)).toEqual(['contain']);
    expect(h.incident(incidentId).runs[0]?.steps.every(({ outcome }) => outcome?.verdict === 'done')).toBe(
      true,
    );
  });

  it('a rule that looks at the blast radius is decided once somebody has looked', async () => {
    const rules: PolicyInput['rules'] = [
      { name: 'mild', match: { tier: ['low'] }, do: { contain: 'auto' } },
      { name: 'ask', do: { contain: {} } },
    ];
    const id = await oneLeak({ rules });
    expect(contained([id])).toBe(1);
    const { runs, plan } = h.incident(id);
    expect(runs).toHaveLength(1);
    expect(plan?.steps.filter(({ phase }) => phase === 'contain')).toHaveLength(1);
    const events = h.memory.events(id).map(({ type }) => type);
    expect(events.indexOf('auto-contained')).toBeGreaterThan(events.indexOf('situation-observed'));
  });

  it('a dry run says what would have been done, and does nothing', async () => {
    const id = await oneLeak({ ...auto, automatic: { mode: 'dry-run' } });
    expect(contained([id])).toBe(0);
    expect(why(id)).toMatch(/dry run; it would have been quarantined now \(rule "r"\)/);
    expect(h.cluster().requests.filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

describe('the kill switch', () => {
  const by = (id: string): Person => ({ id, teamId: TEAM, guest: false, bot: false, deactivated: false });
  const steps = (id: string) => h.memory.events(id).filter(({ type }) => type === 'step-started').length;

  it('lets nothing begin, shows on the incident, and what waited goes on when it is released', async () => {
    h = await startHarness();
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(incidentId);
    await h.click(incidentId, 'approve', 'UINES');
    const before = steps(incidentId);
    expect(await h.front.pause(by('UMAYA'), 'flooded')).toMatchObject({ switched: true, told: 1 });
    expect(h.incident(incidentId).paused).toMatchObject({ by: 'UMAYA', reason: 'flooded' });
    await h.run(incidentId);
    expect(steps(incidentId)).toBe(before);
    expect((await h.pending(incidentId)).map(({ kind }) => kind)).not.toContain('run');
    expect(await h.front.pause(by('UINES'))).toMatchObject({ switched: true, told: 1 });
    await h.run(incidentId);
    expect(steps(incidentId)).toBe(before + 1);
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
  });

  it('stops a run between two steps', async () => {
    let pause = async (): Promise<unknown> => undefined;
    const wrap = (cluster: Cluster): Cluster => ({
      ...cluster,
      async patch(ref, patch) {
        const patched = await cluster.patch(ref, patch);
        await pause();
        return patched;
      },
    });
    h = await startHarness({ settings: { autoContain: 'off' }, wrap });
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(incidentId);
    pause = () => h.front.pause(by('UMAYA'), 'wait');
    await h.click(incidentId, 'approve', 'UINES');
    await h.run(incidentId);
    const [run] = h.incident(incidentId).runs;
    expect(run?.steps.map(({ outcome }) => outcome?.verdict)).toEqual(['done', undefined]);
    pause = async () => undefined;
    await h.front.pause(by('UINES'));
    await h.run(incidentId);
    expect(h.incident(incidentId).runs[0]?.steps.map(({ outcome }) => outcome?.verdict)).toEqual([
      'done',
      'done',
    ]);
  });

  it('keeps the automatic response from acting on new alerts, and their cards say so', async () => {
    h = await startHarness();
    await h.front.pause(by('UMAYA'), 'flooded');
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(incidentId);
    expect(contained([incidentId])).toBe(0);
    expect(why(incidentId)).toMatch(/paused: flooded/);
    expect(h.incident(incidentId).paused).toBeDefined();
  });

  it.each([
    ['UDAN', 'flooded', /pause Tourniquet\. These can: .*<@UMAYA>/],
    ['UDAN', undefined, /let Tourniquet go on/],
    ['UMAYA', undefined, /These can: <@UINES>, <@UTOMAS>/],
  ])('refuses %s with the reason %s', async (user, reason, message) => {
    h = await startHarness();
    const answer = await h.front.pause(by(user), reason);
    expect(answer).toMatchObject({ switched: false });
    expect(answer.switched ? '' : mrkdwn(answer.refusal.message)).toMatch(message);
    expect(await h.front.paused()).toBeUndefined();
  });

  it('released while a worker was about to note it, it holds nothing back for ever', async () => {
    h = await startHarness();
    const { incidentId } = await h.leak(await seedLegacy(h.cluster()));
    await h.run(incidentId);
    await h.click(incidentId, 'approve', 'UINES');
    // The worker reads the switch just before it is released, and the release finds nothing to tell yet.
    const pause = { by: 'UMAYA', reason: 'x', at: new Date(h.now()).toISOString() };
    let reads = 0;
    h.deps.pause.read = async () => (reads++ < 2 ? pause : undefined);
    await h.run(incidentId);
    expect(h.incident(incidentId).paused).toBeUndefined();
    expect(h.cluster().get('/api/v1/namespaces/payments/secrets/api-token')).toBeUndefined();
  });
});
