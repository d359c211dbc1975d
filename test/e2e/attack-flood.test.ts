// A feed that anybody filled: a thousand alerts, each with the live token of another ServiceAccount.
import { describe, expect, it } from 'vitest';
import { startHarness } from '../engine/harness.ts';

describe('a poisoned feed', () => {
  it('of a thousand different ServiceAccounts gets as many contained as the breaker allows, and no more', async () => {
    const h = await startHarness({
      policy: {
        rules: [{ name: 'auto', do: { contain: 'auto' } }],
        automatic: { distinctServiceAccounts: 5 },
      },
      settings: { autoContainPerHour: 100_000 },
    });
    try {
      const { seed } = h.cluster();
      seed.namespace('payments');
      const ids: string[] = [];
      for (let n = 0; n < 1000; n++) {
        seed.serviceAccount('payments', `app-${n}`);
        const token = await seed.tokenSecret('payments', `app-${n}-token`, `app-${n}`);
        ids.push((await h.leak(token)).incidentId);
      }
      for (const id of ids) await h.run(id);
      const patched = h
        .cluster()
        .requests.filter(({ method, status }) => method === 'PATCH' && status === 200);
      expect(new Set(patched.map(({ path }) => path)).size).toBe(5);
      const why = ids.map((id) => h.incident(id).autoContainSkipped ?? 'contained');
      expect(why.filter((reason) => /poisoned alert feed/.test(reason))).toHaveLength(995);
      expect(why.filter((reason) => reason === 'contained')).toHaveLength(5);
    } finally {
      await h.close();
    }
  }, 300_000);
});
