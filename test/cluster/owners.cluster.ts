// Secrets that controllers make again, on a real control plane, by stand-ins that write, own and restore as the real ones were recorded.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { INVALID_SINCE } from '../../src/domain/kubernetes/legacy-token-labels.ts';
import {
  externalSecrets,
  type Maker,
  type Operator,
  sealedSecrets,
  startOperator,
} from '../secret-operator.ts';
import { type EngineRoom, openEngineRoom, TIMING } from './engine-room.ts';
import { until } from './leak.ts';
import { ACCOUNT, deploy, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';

const MINUTE = 60_000;
const SECRET = 'checkout-token';

interface Kind {
  group: string;
  version: string;
  kind: string;
  plural: string;
}
const EXTERNAL: Kind = {
  group: 'external-secrets.io',
  version: 'v1',
  kind: 'ExternalSecret',
  plural: 'externalsecrets',
};
const SEALED: Kind = {
  group: 'bitnami.com',
  version: 'v1alpha1',
  kind: 'SealedSecret',
  plural: 'sealedsecrets',
};

let cluster: RealWorldCluster;
let room: EngineRoom;
let operator: Operator | undefined;

const definition = ({ group, version, kind, plural }: Kind): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 2, podStartMs: 200, servers: 2 })();
  await cluster.create(definition(EXTERNAL), definition(SEALED));
});
beforeEach(async () => {
  const { apiServers } = cluster;
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    config: { ...(apiServers && { apiServers }) },
    settings: { autoContain: 'token-in-hand', timing: { ...TIMING, recheckAfter: [5 * MINUTE] } },
  });
});
afterEach(async () => {
  await operator?.stop();
  operator = undefined;
  await room?.close();
});
afterAll(() => cluster?.close());

const path = ({ namespace }: Space, { group, version, plural }: Kind, name = ''): string =>
  `/apis/${group}/${version}/namespaces/${namespace}/${plural}${name && `/${name}`}`;

/** The controller's own object in the cluster, and the Secret that it makes. */
async function owned(
  kind: Kind,
  maker: (name: string, uid: string) => Maker,
): Promise<[Space, Operator, string]> {
  const space = await openSpace(cluster.plane);
  const body = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: SECRET } };
  const { metadata } = await until(async () => {
    const { status, body: made } = await cluster.plane.call<{ metadata: { uid: string } }>(
      'POST',
      path(space, kind),
      {
        body,
      },
    );
    return status === 201 && made;
  });
  const watched = { namespace: space.namespace, name: SECRET, serviceAccount: ACCOUNT };
  operator = await startOperator(cluster.plane.adminKubeconfig, watched, maker(SECRET, metadata.uid));
  return [space, operator, await operator.token()];
}

const proven = ({ proof, stale }: Incident): boolean => !stale && proof?.outcome?.verdict === 'done';
const planned = ({ plan }: Incident): boolean => plan !== undefined;
const actionsOf = (id: string) => room.incident(id).plan?.steps.map(({ action }) => action);
const labelsIn = async ({ send, at }: Space): Promise<Record<string, string>> =>
  (await send('GET', at('secrets', SECRET))).metadata.labels ?? {};

describe.each<[string, Kind, (name: string, uid: string) => Maker, manager: string]>([
  ['External Secrets', EXTERNAL, externalSecrets, 'externalsecrets.external-secrets.io/checkout-token'],
  ['Sealed Secrets', SEALED, sealedSecrets, 'controller'],
])('a Secret of %s', (tool, kind, maker, manager) => {
  test('is as recorded: deleted by hand it is back at once, without the label, with the same token', async () => {
    const [space, made, token] = await owned(kind, maker);
    const { metadata } = await space.send<{
      metadata: { managedFields: { manager: string }[]; ownerReferences: { kind: string }[] };
    }>('GET', space.at('secrets', SECRET));
    expect(metadata.managedFields.map((entry) => entry.manager)).toContain(manager);
    expect(metadata.ownerReferences).toMatchObject([{ kind: kind.kind }]);
    await space.quarantine(SECRET);
    expect(await labelsIn(space)).toHaveProperty([INVALID_SINCE]);
    await space.remove('secrets', SECRET);
    await until(async () => made.made() === 2);
    expect(await made.token()).toBe(token);
    expect(await labelsIn(space)).not.toHaveProperty([INVALID_SINCE]);
  });

  test('is switched off and not deleted; it goes with its owner, whom the plan names', async () => {
    const [space, made, token] = await owned(kind, maker);
    const { incidentId: id } = await room.leak(token);
    await room.until(id, (incident) => proven(incident) && planned(incident));
    expect(actionsOf(id)).toEqual([]);
    const notes = room.incident(id).plan?.notes.join('\n') ?? '';
    expect(notes).toContain(`${tool} (${kind.kind} ${SECRET}) would bring it and its token back`);
    const warnings = room.incident(id).situations.flatMap((situation) => situation.warnings);
    expect(warnings.join()).toMatch(/makes it again .*seen by its owner reference\)/);
    const command = `-n ${space.namespace} delete ${kind.kind.toLowerCase()}.${kind.group} ${SECRET}`;
    expect(notes).toContain(command);
    expect(made.made()).toBe(1);
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
    await made.stop();
    operator = undefined;
    const { code } = await cluster.plane.kubectl(command.split(' '));
    expect(code).toBe(0);
    // The garbage collector of Kubernetes takes it with its owner.
    await until(async () => !(await space.exists(space.at('secrets', SECRET))));
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
  });

  test('is not deleted by an approval from before its owner was there', async () => {
    const space = await openSpace(cluster.plane);
    const token = await space.legacyToken(ACCOUNT, SECRET);
    const { incidentId: id } = await room.leak(token);
    await room.until(id, (incident) => proven(incident) && planned(incident));
    expect(actionsOf(id)).toEqual(['delete-token-secret']);
    const { metadata } = await space.send('POST', path(space, kind), {
      apiVersion: `${kind.group}/${kind.version}`,
      kind: kind.kind,
      metadata: { name: SECRET },
    });
    await space.send('PATCH', space.at('secrets', SECRET), {
      metadata: { ownerReferences: [maker(SECRET, metadata.uid).owner] },
    });
    await room.click(id, 'approve', 'UINES');
    await room.until(id, (incident) => incident.runs.at(-1)?.stopped !== undefined && proven(incident));
    expect(room.incident(id).runs.at(-1)?.stopped).toContain(`${tool} (${kind.kind} ${SECRET})`);
    expect(await labelsIn(space)).toHaveProperty([INVALID_SINCE]);
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
  });

  test('that its owner left behind is deleted like any other', async () => {
    const [space, made, token] = await owned(kind, maker);
    await made.stop();
    operator = undefined;
    // As kubectl delete --cascade=orphan does it.
    await space.send('DELETE', path(space, kind, SECRET), { propagationPolicy: 'Orphan' });
    await until(async () => {
      const { metadata } = await space.send<{ metadata: { ownerReferences?: object[] } }>(
        'GET',
        space.at('secrets', SECRET),
      );
      return metadata.ownerReferences === undefined && !(await space.exists(path(space, kind, SECRET)));
    });
    const { incidentId: id } = await room.leak(token);
    await room.until(id, (incident) => proven(incident) && planned(incident));
    expect(actionsOf(id)).toEqual(['delete-token-secret']);
    await room.click(id, 'approve', 'UINES');
    await room.until(id, ({ closed }) => closed !== undefined);
    expect(await space.exists(space.at('secrets', SECRET))).toBe(false);
    expect(await answersTo(cluster, token)).toEqual([401, 401]);
  });
});

test('a quarantine that a controller takes off again is seen by the later look, and put back on', async () => {
  const [space, , token] = await owned(SEALED, sealedSecrets);
  const { incidentId: id } = await room.leak(token);
  await room.until(id, (incident) => proven(incident) && planned(incident));
  // As Sealed Secrets does it when it restarts: the labels of its template, and no others.
  await space.send('PATCH', space.at('secrets', SECRET), { metadata: { labels: null } });
  await room.until(id, ({ reopened, stale }) => reopened !== undefined && !stale);
  expect(actionsOf(id)).toEqual(['quarantine-token']);
  expect(await room.click(id, 'contain', 'UINES')).toMatchObject({ decided: true });
  await room.until(id, proven);
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
});

test('an old Secret stays where GitOps has taken the rotation back during its soak', async () => {
  const space = await openSpace(cluster.plane);
  const token = await space.legacyToken(ACCOUNT, SECRET);
  const volumes = [{ name: 'token', secret: { secretName: SECRET } }];
  const containers = [
    { name: 'main', image: 'example.test/none', volumeMounts: [{ name: 'token', mountPath: '/token' }] },
  ];
  await deploy(cluster.plane, space, { serviceAccountName: 'default', volumes, containers });
  const at = { cluster: 'prod', namespace: space.namespace, secret: SECRET };
  const { incidentId: id } = await room.front.report({
    alert: {
      source: 'slash',
      reporter: 'UMAYA',
      subject: { kind: 'coordinates', at },
      goal: { do: 'rotate', strategy: 'new-secret' },
    },
  });
  await room.until(id, planned);
  await room.click(id, 'approve', 'UINES');
  await room.until(id, proven);
  // As Flux does it.
  const applied = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: ACCOUNT, namespace: space.namespace },
    spec: {
      selector: { matchLabels: { app: ACCOUNT } },
      template: {
        metadata: { labels: { app: ACCOUNT } },
        spec: { serviceAccountName: 'default', volumes, containers },
      },
    },
  };
  const { code, stderr } = await cluster.plane.kubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager=kustomize-controller', '--filename=-'],
    JSON.stringify(applied),
  );
  expect(stderr + code).toMatch(/0$/);
  await room.until(id, ({ runs, stale }) => runs.at(-1)?.stopped !== undefined && !stale);
  expect(room.incident(id).runs.at(-1)?.stopped).toMatch(
    /is used by Deployment\/checkout now\. It was not deleted/,
  );
  expect(await space.exists(space.at('secrets', SECRET))).toBe(true);
  expect(await answersTo(cluster, token)).toEqual([401, 401]);
  expect(actionsOf(id)).toEqual(['repoint-workloads', 'delete-token-secret']);
});
