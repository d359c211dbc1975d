// Power moves, goes and comes back on a real control plane, whose RBAC says who may hand it out: what a plan names is needed and enough.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type RealWorldCluster, realCluster, USERNAME } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import { owesOutside } from '../../src/domain/incident/outside.ts';
import { stoppedRun } from '../../src/domain/incident/runs.ts';
import type { Strategy } from '../../src/domain/plan/goal.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { ACCOUNT, deploy, openSpace, type Space } from './leaks.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NAMED = `/apis/${RBAC}/v1`;

let cluster: RealWorldCluster;
let room: EngineRoom;
beforeAll(async () => {
  cluster = await realCluster('prod', { nodes: 1, podStartMs: 300 })();
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    settings: { autoContain: 'off' },
  });
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
});

interface Scene {
  space: Space;
  /** Another namespace with a binding to the same ServiceAccount. */
  other: Space;
  /** ClusterRole that is bound in the whole cluster; of this test alone. */
  wide: string;
  token: string;
}

/** A ServiceAccount with power in its namespace, in another one and in the whole cluster; a token Secret of it is mounted. */
async function place({ finalizers = [] as string[] } = {}): Promise<Scene> {
  const [space, other] = [await openSpace(cluster.plane), await openSpace(cluster.plane)];
  const { namespace, send, at } = space;
  const secrets = [{ name: 'git-credentials' }, { name: 'checkout-token' }];
  await send('PATCH', at('serviceaccounts', ACCOUNT), { secrets });
  if (finalizers.length > 0)
    await send('PATCH', at('serviceaccounts', ACCOUNT), { metadata: { finalizers } });
  const wide = `wide-${randomBytes(3).toString('hex')}`;
  const rule = (resource: string) => [{ apiGroups: [''], resources: [resource], verbs: ['list'] }];
  const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }];
  const roleRef = (kind: string, name: string) => ({ apiGroup: RBAC, kind, name });
  const own = { kind: 'Role', apiVersion: `${RBAC}/v1`, metadata: { name: 'own' } };
  await cluster.create(
    { ...own, kind: 'ClusterRole', metadata: { name: wide }, rules: rule('nodes') },
    {
      ...own,
      kind: 'ClusterRoleBinding',
      metadata: { name: wide },
      subjects,
      roleRef: roleRef('ClusterRole', wide),
    },
    ...[space, other].flatMap((where) => {
      const metadata = { name: 'own', namespace: where.namespace };
      return [
        { ...own, metadata, rules: rule('configmaps') },
        { ...own, kind: 'RoleBinding', metadata, subjects, roleRef: roleRef('Role', 'own') },
      ];
    }),
  );
  const token = await space.legacyToken(ACCOUNT, 'checkout-token');
  await deploy(cluster.plane, space);
  await podsRunAs(space, ACCOUNT);
  return { space, other, wide, token };
}

interface Pod extends KubeObject {
  spec: { serviceAccountName: string };
  status: { conditions?: { type: string; status: string }[] };
}
const podsOf = async ({ send, at }: Space) => (await send<{ items: Pod[] }>('GET', at('pods'))).items;
const podsRunAs = (space: Space, name: string) =>
  until(async () => {
    const pods = await podsOf(space);
    return (
      pods.length > 0 &&
      pods.every(
        ({ spec, status }) =>
          spec.serviceAccountName === name &&
          (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      )
    );
  });

async function may(name: string, namespace: string, resourceAttributes: object): Promise<boolean> {
  const { body } = await cluster.plane.call<{ status: { allowed: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    { body: { spec: { user: `system:serviceaccount:${namespace}:${name}`, resourceAttributes } } },
  );
  return body.status.allowed;
}
/** What its three bindings allow: here, there, everywhere. */
const powersOf = (name: string, { space, other }: Scene) =>
  Promise.all([
    may(name, space.namespace, { verb: 'list', resource: 'configmaps', namespace: space.namespace }),
    may(name, space.namespace, { verb: 'list', resource: 'configmaps', namespace: other.namespace }),
    may(name, space.namespace, { verb: 'list', resource: 'nodes' }),
  ]);

const planned = async (token: string, strategy: Strategy): Promise<Incident> => {
  const { incidentId: id } = await room.leak(token, { goal: { do: 'rotate', strategy } });
  return await room.until(id, ({ plan, stale }) => plan !== undefined && !stale);
};
const actionsOf = ({ plan }: Incident) => plan?.steps.map(({ action }) => action);
const approve = ({ id }: Incident) => room.click(id, 'approve', 'UINES');
async function over({ id }: Incident): Promise<Incident> {
  const isOver = (one: Incident): boolean => one.closed !== undefined || stoppedRun(one) !== undefined;
  await room.until(id, (one) => isOver(one) || owesOutside(one));
  await room.click(id, 'outside', 'UMAYA', { reason: 'nobody outside uses it' });
  return await room.until(id, isOver);
}

const takenBack = ({ id }: Incident, as: 'undo' | 'roll-back') =>
  room.until(id, ({ runs }) => {
    const last = runs.at(-1);
    return last?.kind === as && last.steps.every(({ outcome }) => outcome !== undefined);
  });

/** Does what the notes of a plan tell an administrator, to the letter. */
async function grantAsTold({ plan }: Incident): Promise<object[]> {
  const notes = (plan?.notes ?? []).filter((note) => note.includes(USERNAME));
  const told = notes.map((note) => ({
    namespace: /in namespace (\S+),/.exec(note)?.[1],
    rules: parse(note.slice(note.indexOf(': [') + 2)) as object[],
  }));
  const name = `told-${randomBytes(3).toString('hex')}`;
  const subjects = [{ kind: 'ServiceAccount', name: WORKER.serviceAccount, namespace: WORKER.namespace }];
  for (const { namespace, rules } of told) {
    const [role, binding] =
      namespace === undefined ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const apiVersion = `${RBAC}/v1`;
    await cluster.create(
      { apiVersion, kind: role, metadata, rules },
      { apiVersion, kind: binding, metadata, subjects, roleRef: { apiGroup: RBAC, kind: role, name } },
    );
  }
  return told;
}

/** Looks again as the next request for the same does, now that the worker may. */
async function askedAgain(incident: Incident, strategy: Strategy): Promise<Incident> {
  const { id } = incident;
  await room.click(id, 'decline', 'UINES', { reason: 'first the rights' });
  await room.leak(tokens.get(id) ?? '', { goal: { do: 'rotate', strategy } });
  return await room.until(id, ({ plan, stale }) => (plan?.steps.length ?? 0) > 0 && !stale);
}
const tokens = new Map<string, string>();

const writesIn = async (namespaces: string[]): Promise<string[]> => {
  const events = await cluster.plane.auditLog();
  return events.flatMap(({ user, verb, objectRef: ref, responseStatus }) =>
    user.username === USERNAME &&
    ['create', 'patch', 'delete'].includes(verb) &&
    (namespaces.includes(ref?.namespace ?? '') || ref?.resource === 'clusterrolebindings')
      ? [`${verb} ${ref?.resource} ${responseStatus?.code}`]
      : [],
  );
};
const successor = (incident: Incident): string =>
  String(incident.plan?.steps.find(({ action }) => action === 'replace-service-account')?.params.name);

describe('a new ServiceAccount', () => {
  test('is not begun without the rights, takes over with exactly those that the plan names, and the old token dies', async () => {
    const here = await place();
    const { space, other, token } = here;
    const before = await planned(token, 'new-service-account');
    tokens.set(before.id, token);
    expect(actionsOf(before)).toEqual([]);
    expect(await writesIn([space.namespace, other.namespace])).toEqual([]);
    const told = await grantAsTold(before);
    expect(told).toHaveLength(3);

    const ready = await askedAgain(before, 'new-service-account');
    expect(actionsOf(ready)).toEqual([
      'replace-service-account',
      'repoint-workloads',
      'delete-service-account',
    ]);
    const name = successor(ready);
    expect(await powersOf(ACCOUNT, here)).toEqual([true, true, true]);
    await approve(ready);
    const ended = await over(ready);
    expect(ended.closed?.as, JSON.stringify(ended.runs.at(-1)?.stopped)).toBe('resolved');
    expect(await space.probe(token)).toBe(401);
    const made = await space.send<{ secrets: object[] }>('GET', space.at('serviceaccounts', name));
    const fresh = ready.plan?.steps[0]?.gives?.secrets[0];
    expect(fresh).toMatch(/^checkout-token-r/);
    expect(made.secrets).toEqual([{ name: 'git-credentials' }, { name: fresh }]);
    expect(await space.exists(space.at('secrets', String(fresh)))).toBe(true);
    expect(await space.exists(space.at('serviceaccounts', ACCOUNT))).toBe(false);
    await podsRunAs(space, name);
    expect(await powersOf(name, here)).toEqual([true, true, true]);
    const writes = await writesIn([space.namespace, other.namespace]);
    expect(writes.filter((write) => / 40[0-9]$/.test(write))).toEqual([]);
  });

  test('that is one right short is not begun, whichever it is', async () => {
    const here = await place();
    const before = await planned(here.token, 'new-service-account');
    tokens.set(before.id, here.token);
    await grantAsTold(before);
    const name = (before.plan?.notes ?? []).join().match(/own-[a-z0-9-]+/)?.[0] ?? '';
    expect(name).not.toBe('');
    const roles = `${NAMED}/namespaces/${here.space.namespace}/roles`;
    const { items } = await here.space.send<{ items: (KubeObject & { rules: object[] })[] }>('GET', roles);
    const granted = items.find(({ metadata }) => metadata.name.startsWith('told-'));
    if (granted === undefined) throw new Error('nothing was granted');
    expect(granted.rules).toHaveLength(3);
    for (const missing of granted.rules) {
      const rules = granted.rules.filter((rule) => rule !== missing);
      await here.space.send('PATCH', `${roles}/${granted.metadata.name}`, { rules });
      const short = await lookedAgain(
        before,
        'new-service-account',
        (incident) => incident.plan?.notes.some((note) => note.includes('is not offered')) === true,
      );
      expect(actionsOf(short)).toEqual([]);
    }
  });

  test('is taken back before the old one is deleted, and nothing of it is left', async () => {
    const here = await place();
    const { space, token } = here;
    // Nobody starts it again, so it stays where it is without consent, and so does what it uses.
    await space.pod('bare', ACCOUNT, 'node-0');
    const before = await planned(token, 'new-service-account');
    tokens.set(before.id, token);
    await grantAsTold(before);
    const ready = await askedAgain(before, 'new-service-account');
    const name = successor(ready);
    await approve(ready);
    const stopped = await over(ready);
    expect(stopped.closed).toBeUndefined();
    expect(await space.exists(space.at('serviceaccounts', name))).toBe(true);
    const hash = stoppedRun(stopped)?.id ?? '';
    const decided = await room.click(stopped.id, 'roll-back', 'UINES', { reason: 'the bare Pod', hash });
    expect(decided).toMatchObject({ decided: true });
    await takenBack(stopped, 'roll-back');
    expect(await space.exists(space.at('serviceaccounts', name))).toBe(false);
    expect(await powersOf(name, here)).toEqual([false, false, false]);
    expect(await powersOf(ACCOUNT, here)).toEqual([true, true, true]);
    expect(await space.probe(token)).toBe(201);
    const pods = (await podsOf(space)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(new Set(pods.map(({ spec }) => spec.serviceAccountName))).toEqual(new Set([ACCOUNT]));
  });

  test('takes the place of one that a finalizer holds, whose tokens die all the same', async () => {
    const here = await place({ finalizers: ['example.test/hold'] });
    const { space, token } = here;
    const unbound = await space.requestToken(ACCOUNT);
    const before = await planned(unbound, 'new-service-account');
    tokens.set(before.id, unbound);
    await grantAsTold(before);
    const ready = await askedAgain(before, 'new-service-account');
    expect(ready.plan?.notes.join()).toContain('example.test/hold');
    await approve(ready);
    const ended = await over(ready);
    expect(ended.closed?.as, JSON.stringify(ended.runs.at(-1)?.stopped)).toBe('resolved');
    expect([await space.probe(token), await space.probe(unbound)]).toEqual([401, 401]);
    const held = await space.send('GET', space.at('serviceaccounts', ACCOUNT));
    expect(held.metadata.deletionTimestamp).toBeDefined();
  });
});

/** Asks until the answer is as wanted: RBAC is read from caches that follow a moment later. */
async function lookedAgain(
  { id }: Incident,
  strategy: Strategy,
  wanted: (incident: Incident) => boolean,
): Promise<Incident> {
  return await until(async () => {
    await room.click(id, 'decline', 'UINES', { reason: 'look again' });
    await room.leak(tokens.get(id) ?? '', { goal: { do: 'rotate', strategy } });
    const incident = await room.until(id, ({ plan, stale }) => plan !== undefined && !stale);
    return wanted(incident) ? incident : undefined;
  });
}

describe('power', () => {
  test('goes and comes back with exactly the rights that the plan names, and the token lives on', async () => {
    const here = await place();
    const { space, token } = here;
    const before = await planned(token, 'unbind');
    tokens.set(before.id, token);
    expect(actionsOf(before)).toEqual([]);
    await grantAsTold(before);
    const ready = await askedAgain(before, 'unbind');
    expect(actionsOf(ready)).toEqual(['unbind-rbac']);
    await approve(ready);
    const gone = await room.until(ready.id, ({ status }) => status === 'needs-human');
    expect(gone.runs.at(-1)?.stopped).toBeUndefined();
    await until(async () => !(await powersOf(ACCOUNT, here)).includes(true));
    expect(await space.probe(token)).toBe(201);
    await room.click(ready.id, 'undo', 'UINES', { reason: 'the batch needs it' });
    await takenBack(ready, 'undo');
    await until(async () => (await powersOf(ACCOUNT, here)).every(Boolean));
  });
});

describe('a ServiceAccount that is re-created', () => {
  test('has the token Secret that a workload mounts under its old name, with another token', async () => {
    const { space, token } = await place();
    const { send, namespace } = space;
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    await send('PATCH', `${deployments}/${ACCOUNT}`, {
      spec: { template: { spec: { volumes: [{ name: 't', secret: { secretName: 'checkout-token' } }] } } },
    });
    const ready = await planned(token, 'recreate');
    expect(actionsOf(ready)).toEqual([
      'quarantine-token',
      'recreate-service-account',
      'recreate-token-secrets',
      'restart-workloads',
    ]);
    await approve(ready);
    const ended = await over(ready);
    expect(ended.closed?.as, JSON.stringify(ended.runs.at(-1)?.stopped)).toBe('resolved');
    const fresh = await space.secretToken('checkout-token');
    expect(fresh).not.toBe(token);
    await space.use(fresh);
    expect(await space.probe(token)).toBe(401);
  });

  test('named default has what the old one carried, though its controller is faster', async () => {
    const { space } = await place();
    const { send, at } = space;
    await send('PATCH', at('serviceaccounts', 'default'), {
      metadata: { annotations: { team: 'a' } },
      imagePullSecrets: [{ name: 'registry' }],
    });
    const ready = await planned(await space.requestToken('default'), 'recreate');
    await approve(ready);
    const ended = await over(ready);
    expect(ended.closed?.as, JSON.stringify(ended.runs.at(-1)?.stopped)).toBe('resolved');
    expect(await send('GET', at('serviceaccounts', 'default'))).toMatchObject({
      metadata: { annotations: { team: 'a' } },
      imagePullSecrets: [{ name: 'registry' }],
    });
  });
});
