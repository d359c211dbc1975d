// A feed that anybody filled: a thousand alerts, each with the live token of another ServiceAccount.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SandboxRedis, startRedis } from '../../sandbox/redis.ts';
import { openWorld } from '../adapters/redis/support.ts';
import { startBursting } from '../adapters/slack/delivery/bursting.ts';
import { CHANNEL, type World } from '../adapters/slack/world.ts';
import { type Harness, startHarness } from '../engine/harness.ts';

const SIZE = 1000;

describe('a poisoned feed of a thousand different ServiceAccounts', () => {
  let h: Harness;
  const ids: string[] = [];
  beforeAll(async () => {
    h = await startHarness({
      policy: {
        rules: [{ name: 'auto', do: { contain: 'auto' } }],
        automatic: { distinctServiceAccounts: 5 },
      },
      settings: { autoContainPerHour: 100_000 },
    });
    const { seed } = h.cluster();
    seed.namespace('payments');
    for (let n = 0; n < SIZE; n++) {
      seed.serviceAccount('payments', `app-${n}`);
      const token = await seed.tokenSecret('payments', `app-${n}-token`, `app-${n}`);
      ids.push((await h.leak(token)).incidentId);
    }
    for (const id of ids) await h.run(id);
  }, 300_000);
  afterAll(() => h?.close());

  it('gets as many contained as the breaker allows, and no more', () => {
    const patched = h.cluster().requests.filter(({ method, status }) => method === 'PATCH' && status === 200);
    expect(new Set(patched.map(({ path }) => path)).size).toBe(5);
    const why = ids.map((id) => h.incident(id).autoContainSkipped ?? 'contained');
    expect(why.filter((reason) => /poisoned alert feed/.test(reason))).toHaveLength(995);
    expect(why.filter((reason) => reason === 'contained')).toHaveLength(5);
  });

  describe('in Slack', () => {
    let redis: SandboxRedis;
    let memory: ReturnType<typeof openWorld>;
    let world: World;
    beforeAll(async () => {
      redis = await startRedis();
      memory = openWorld(redis);
    });
    afterAll(async () => {
      await world?.close();
      await memory?.close();
      await redis?.close();
    });

    it('leaves the channel readable: five cards, and a summary for each hundred', async () => {
      const incident = async (id: string) => h.incident(id);
      const given = { bolt: false, incident };
      const bursting = await startBursting(memory, redis.prefix, h.deps.settings.policy, given);
      world = bursting.world;
      const { summaries, reporter } = bursting.bot();
      for (const id of ids) {
        const events = h.memory.events(id);
        expect(await reporter.report(h.incident(id), events, 0, 'head')).toBe(events.length);
      }
      await summaries.redraw();
      const roots = world.workspace.messages(CHANNEL).filter(({ threadTs }) => !threadTs);
      expect(roots).toHaveLength(15);
      const text = roots.map((message) => JSON.stringify([message.text, message.blocks])).join();
      expect(text).toMatch(/100 leaks reported/);
      expect(text.match(/100 plans wait for approval, each by itself/g)?.length).toBeGreaterThan(5);
    }, 120_000);
  });
});
