// Copies of a token on a real control plane: found where the worker may list Secrets, said where it may not, and webhooks in the way.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { copiesToMove, owesOutside } from '../../src/domain/incident/outside.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { until } from './leak.ts';
import { ACCOUNT, deploy, leak, openSpace, optIn, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

let cluster: RealWorldCluster;
let room: EngineRoom;
beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 1, podStartMs: 200 })();
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    settings: { autoContain: 'off' },
  });
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
});

const kubeconfig = (token: string): string =>
  `apiVersion: v1\nkind: Config\nusers:\n- name: ci\n  user:\n    token: ${token}\n`;

const put = ({ send, at }: Space, name: string, stringData: Record<string, string>, labels = {}) =>
  send('POST', at('secrets'), { metadata: { name, labels }, stringData });

/** A namespace of somebody else's, in which a workload mounts the Secret `deploy`. */
async function neighbour(mayList: boolean): Promise<Space> {
  const space = await openSpace(cluster.plane, { optedIn: mayList });
  const volumes = [{ name: 'kube', secret: { secretName: 'deploy', optional: true } }];
  await deploy(cluster.plane, space, { volumes });
  return space;
}

async function planned(space: Space, goal: Goal, token?: string): Promise<string> {
  const at = { cluster: 'prod', namespace: space.namespace, serviceAccount: ACCOUNT };
  const { incidentId } = token
    ? await room.leak(token, { goal })
    : await room.front.report({
        alert: { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates', at }, goal },
      });
  await room.until(incidentId, ({ plan }) => plan !== undefined);
  return incidentId;
}

const seen = (id: string) => room.incident(id).situations[0]?.copies;
const places = (id: string): string[] =>
  (seen(id)?.found ?? []).map(({ namespace, name, key, shape, holds, usedBy }) =>
    [`${namespace}/${name}`, key, shape, holds, ...usedBy].join(' '),
  );
const stopped = ({ runs }: Incident): string | undefined => runs.at(-1)?.stopped;

test('copies of a leaked token are found in opted-in namespaces, outlive nothing, and wait for a person', async () => {
  const home = await openSpace(cluster.plane);
  const [ci, closed, elsewhere] = [await neighbour(true), await neighbour(false), await neighbour(true)];
  const token = await leak(home, 'legacy');
  await put(ci, 'deploy', { kubeconfig: kubeconfig(token) });
  await put(
    ci,
    'gitops',
    { config: JSON.stringify({ bearerToken: token }) },
    { 'argocd.argoproj.io/secret-type': 'cluster' },
  );
  await put(home, 'settings', { '.env': `TOKEN="${token}"\n` });
  for (const space of [closed, elsewhere]) await put(space, 'deploy', { kubeconfig: kubeconfig(token) });
  // What is in no Secret of ours to compare with says itself whose it is.
  await put(ci, 'requested', { token: await home.requestToken(ACCOUNT) });
  room.deps.settings.searchNamespaces = { prod: [home, ci, closed].map(({ namespace }) => namespace) };

  const id = await planned(home, { do: 'revoke' }, token);
  expect(places(id)).toEqual(
    [
      `${ci.namespace}/deploy kubeconfig kubeconfig leaked Deployment/${ACCOUNT}`,
      `${ci.namespace}/gitops config argo-cd leaked`,
      `${ci.namespace}/requested token plain account`,
      `${home.namespace}/settings .env text leaked`,
    ].toSorted(),
  );
  expect(seen(id)?.searched).toEqual([home.namespace, ci.namespace]);
  expect(seen(id)?.gaps.join('\n')).toMatch(
    new RegExp(`Secrets of ${closed.namespace} were not looked into for copies: .*list secrets`, 'i'),
  );
  expect(room.incident(id).plan?.notes.join('\n')).toContain(`Secret ${ci.namespace}/deploy key kubeconfig`);

  await room.click(id, 'approve', 'UINES');
  const proven = await room.until(id, (incident) => owesOutside(incident) || stopped(incident) !== undefined);
  expect(stopped(proven)).toBeUndefined();
  expect(
    copiesToMove(proven)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['deploy', 'gitops', 'settings']);
  expect(await answersTo(cluster, token)).toEqual([401]);
  // Not one of them was changed, and nothing that was written down gives the token away.
  expect(
    Buffer.from(
      (await ci.send('GET', ci.at('secrets', 'deploy'))).data?.kubeconfig ?? '',
      'base64',
    ).toString(),
  ).toBe(kubeconfig(token));
  const written = JSON.stringify(room.memory.events(id));
  for (const piece of token.split('.').slice(1)) expect(written).not.toContain(piece);
  await room.click(id, 'outside', 'UMAYA', { reason: 'all have the new one' });
  await room.until(id, (incident) => incident.closed?.as === 'resolved');
});

test('a planned rotation compares what is in the token Secrets, and a later grant is enough', async () => {
  const home = await openSpace(cluster.plane);
  const ci = await neighbour(false);
  await put(ci, 'deploy', { value: kubeconfig(await leak(home, 'legacy')) });
  room.deps.settings.searchNamespaces = { prod: [ci.namespace] };
  const goal: Goal = { do: 'rotate', strategy: 'recreate', dryRun: true };
  const before = await planned(home, goal);
  expect([places(before), seen(before)?.searched]).toEqual([[], []]);
  await optIn(cluster.plane, ci.namespace);
  const after = await until(async () => {
    const again = await planned(home, { ...goal, consent: true });
    return seen(again)?.searched.length ? again : undefined;
  });
  expect(places(after)).toEqual([`${ci.namespace}/deploy value flux secret Deployment/${ACCOUNT}`]);
  expect(seen(after)?.found[0]).toMatchObject({ of: 'checkout-token' });
});

test('an admission webhook whose Pods are to be replaced is named, and not where its Service selects others', async () => {
  const space = await openSpace(cluster.plane);
  const { namespace, send, at } = space;
  await deploy(cluster.plane, space);
  const selector = { app: ACCOUNT };
  const ports = [{ port: 443 }];
  await send('POST', at('services'), { metadata: { name: 'gate' }, spec: { selector, ports } });
  await send('POST', at('services'), {
    metadata: { name: 'other' },
    spec: { selector: { app: 'x' }, ports },
  });
  const webhook = (name: string, service: string) => ({
    name: `${name}.${namespace}.test`,
    clientConfig: { service: { namespace, name: service } },
    // Asked about nothing that there is, so that this test stands in nobody's way.
    rules: [{ operations: ['CREATE'], apiGroups: ['none.test'], apiVersions: ['v1'], resources: ['things'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  });
  await cluster.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [webhook('gate', 'gate')],
  });
  await cluster.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: `other-${namespace}` },
    webhooks: [webhook('other', 'other')],
  });
  const id = await planned(space, { do: 'restart', dryRun: true });
  const [situation] = room.incident(id).situations;
  expect(situation?.unread).toEqual([]);
  expect(situation?.workloads[0]).toMatchObject({
    services: ['gate'],
    callbacks: [{ kind: 'ValidatingWebhookConfiguration', name: namespace, effect: 'refuses' }],
  });
  expect(room.incident(id).plan?.notes.join('\n')).toContain(
    `Deployment/${ACCOUNT} answers for ValidatingWebhookConfiguration ${namespace}, which fails closed`,
  );
});
