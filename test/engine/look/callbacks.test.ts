// A workload that the API server itself asks is named before its Pods are replaced; where that cannot be read, it is said.
import { afterEach, expect, it } from 'vitest';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { type Harness, seedLegacy, startHarness } from '../harness.ts';

let harness: Harness | undefined;
afterEach(() => harness?.close());

async function restarting(refused: RegExp | undefined, selector: object): Promise<[Harness, string]> {
  const h = await startHarness();
  harness = h;
  await seedLegacy(h.cluster());
  h.cluster().seed.deployment('payments', 'gate', { serviceAccount: 'api' });
  const [cluster] = h.connected;
  await cluster?.create(
    { resource: resources.services, namespace: 'payments' },
    { metadata: { name: 'gate' }, spec: { selector } },
  );
  const webhook = {
    name: 'pods.gate.test',
    clientConfig: { service: { namespace: 'payments', name: 'gate' } },
    rules: [{ operations: ['CREATE'], apiGroups: [''], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'payments' } },
  };
  await cluster?.create(
    { resource: resources.validatingWebhooks },
    { metadata: { name: 'gate' }, webhooks: [webhook] },
  );
  if (refused)
    h.cluster().faults.failNext(99, 403, ({ method, path }) => method === 'GET' && refused.test(path));
  const subject = {
    kind: 'coordinates' as const,
    at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
  };
  const { incidentId: id } = await h.front.report({
    alert: { source: 'slash', reporter: 'UMAYA', subject, goal: { do: 'restart' } },
  });
  await h.run(id);
  return [h, id];
}
const notesOf = (h: Harness, id: string): string => (h.incident(id).plan?.notes ?? []).join('\n');
const asked = (h: Harness): string[] =>
  h
    .cluster()
    .requests.flatMap(({ method, path }) =>
      method === 'GET' && /webhook|apiservice|customres/.test(path) ? [path] : [],
    );

it('an admission webhook that would hold up its own roll-out', async () => {
  const [h, id] = await restarting(undefined, { app: 'gate' });
  expect(notesOf(h, id)).toContain(
    'Deployment/gate answers for ValidatingWebhookConfiguration gate, which fails closed',
  );
  expect(h.incident(id).situations[0]?.unread).toEqual([]);
  expect(asked(h)).toHaveLength(4);
});

it('webhooks that may not be read are said not to have been, and the plan is made all the same', async () => {
  const [h, id] = await restarting(/webhookconfigurations/, { app: 'gate' });
  expect(h.incident(id).situations[0]?.unread.join('\n')).toMatch(/ValidatingWebhookConfigurations: .*list/);
  expect(h.incident(id).plan?.steps).toHaveLength(1);
});

it('nobody is asked about where no Service selects the Pods', async () => {
  const [h, id] = await restarting(undefined, { app: 'else' });
  expect(h.incident(id).plan?.steps).toHaveLength(1);
  expect(asked(h)).toEqual([]);
});
