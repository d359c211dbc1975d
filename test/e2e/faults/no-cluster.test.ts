// A worker that reaches no cluster says so and is not ready, so that a roll-out of it stops; it is not started again for that.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../../sandbox/world.ts';
import { openStage, START_MS } from '../stage.ts';

let world: World;
beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.cluster('prod').close(), world.cluster('staging').close()]);
  await world.startRole('worker');
}, START_MS);
afterAll(() => world?.close());

const ask = (path: string) => fetch(`http://127.0.0.1:${world.worker().ports.health}${path}`);

it('is not ready, is alive, and names each cluster and why', async () => {
  const ready = await ask('/readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({
    status: 'not ready',
    problems: [expect.stringMatching(/No cluster answers.*cluster prod.*refused.*cluster staging.*refused/)],
  });
  const health = await ask('/healthz');
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({
    status: 'alive',
    clusters: { prod: expect.stringContaining('refused'), staging: expect.stringContaining('refused') },
  });
  const numbers = await (await ask('/metrics')).text();
  expect(numbers).toMatch(/^tourniquet_cluster_up\{cluster="prod"\} 0$/m);
  expect(numbers).toMatch(
    /^tourniquet_kubernetes_requests_total\{cluster="prod",verb="get",resource="[^"]+",code="unreachable"\} [1-9]/m,
  );
});
