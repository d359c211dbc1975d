// What the plan shows the on-call to type has the effect of the step that it stands for, typed as shown.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealWorldCluster, realCluster } from '../../sandbox/real-world.ts';
import { WORKER } from '../../sandbox/world.ts';
import type { Incident } from '../../src/domain/incident/incident.ts';
import type { PodObject } from '../../src/domain/kubernetes/objects.ts';
import { secretsOf } from '../../src/domain/kubernetes/pod-references.ts';
import type { Goal } from '../../src/domain/plan/goal.ts';
import { rolls, type Step } from '../../src/domain/plan/plan.ts';
import type { Coordinates } from '../../src/domain/token/identity.ts';
import { Secret } from '../../src/secret.ts';
import { stepTools } from '../step-tools.ts';
import { type EngineRoom, openEngineRoom } from './engine-room.ts';
import { type KubeObject, until } from './leak.ts';
import { ACCOUNT, deploy, KINDS, type Kind, leak, openSpace, type Space } from './leaks.ts';
import { answersTo } from './real-stage.ts';
import { openShell, type Shell } from './shell.ts';

let cluster: RealWorldCluster;
let room: EngineRoom;
let shell: Shell;

beforeAll(async () => {
  cluster = await realCluster('prod')();
  // The administrator's, in which the context is named as the cluster is in Tourniquet.
  shell = await openShell(cluster.plane.adminKubeconfig);
  room = await openEngineRoom({
    kubeconfig: await cluster.kubeconfig(WORKER),
    settings: { autoContain: 'off' },
  });
});
afterAll(async () => {
  await room?.close();
  await cluster?.close();
  await shell?.close();
});

/** For a shell, and for its echo. */
const HARD_TO_QUOTE = `it's "100 %" $HOME \\n \n \`date\``;

async function planned(
  finding: { token: string } | { at: Coordinates },
  goal: Goal = { do: 'revoke' },
): Promise<Incident> {
  const alert = { source: 'report' as const, subject: { kind: 'token' as const }, goal };
  const { incidentId } =
    'token' in finding
      ? await room.leak(finding.token, alert)
      : await room.front.report({ alert: { ...alert, subject: { kind: 'coordinates', at: finding.at } } });
  return await room.until(incidentId, ({ plan }) => plan !== undefined);
}

/** Types the lines of each step, and lets the action itself judge what the cluster shows before and after. */
async function typeSteps({ plan, identity }: Incident, token: string | undefined): Promise<string[]> {
  const typed: string[] = [];
  // Whether Pods were replaced is asked of the Pods: the action itself knows only those that it has noted.
  for (const step of (plan?.steps ?? []).filter((each) => !rolls(each))) {
    const action = room.deps.actions.find(({ name }) => name === step.action);
    if (!action || !identity) throw new Error(`There is no action ${step.action}.`);
    const tools = stepTools(room.prod, identity, token === undefined ? undefined : new Secret(token));
    expect(await action.verify(tools, step.params)).toMatchObject({ verdict: 'not-done' });
    expect(step.kubectl.length).toBeGreaterThan(0);
    for (const line of step.kubectl) await shell.type(line);
    // A controller fills the new Secret a moment later, and only then do servers accept what is in it.
    await expect
      .poll(() => action.verify(tools, step.params), { timeout: 20_000 })
      .toMatchObject({ verdict: 'done' });
    typed.push(step.action);
  }
  return typed;
}

async function typeRollOut({ plan }: Incident): Promise<void> {
  const [step, ...others] = (plan?.steps ?? []).filter(rolls);
  expect(others).toEqual([]);
  expect(step?.kubectl.length).toBeGreaterThan(0);
  for (const line of step?.kubectl ?? []) await shell.type(line);
}

const uidOf = async (space: Space, kind: string, name: string): Promise<string> =>
  (await space.send<KubeObject>('GET', space.at(kind, name))).metadata.uid;

describe('the commands of a plan', () => {
  const steps: Record<Kind, string[]> = {
    legacy: ['quarantine-token', 'delete-token-secret'],
    'pod-bound': ['delete-bound-pod'],
    'secret-bound': ['delete-token-secret'],
    unbound: ['recreate-service-account'],
  };

  test.each(KINDS)('kill a token that is %s', async (kind) => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, kind);
    expect(await typeSteps(await planned({ token }), token)).toEqual(steps[kind]);
    await expect.poll(() => answersTo(cluster, token), { timeout: 90_000 }).toEqual([401]);
  });

  test('the quarantine alone stops a legacy token', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const { plan } = await planned({ token });
    for (const line of plan?.steps[0]?.kubectl ?? []) await shell.type(line);
    await expect.poll(() => answersTo(cluster, token), { timeout: 20_000 }).toEqual([401]);
    expect(await space.exists(space.at('secrets', 'checkout-token'))).toBe(true);
  });

  test('re-create a ServiceAccount as it was, and replace its Pods', async () => {
    const space = await openSpace(cluster.plane);
    await space.send('PATCH', space.at('serviceaccounts', ACCOUNT), {
      metadata: { labels: { team: 'payments' }, annotations: { 'example.test/role': HARD_TO_QUOTE } },
      automountServiceAccountToken: false,
    });
    // Pods without a token have nothing to be replaced for.
    await deploy(cluster.plane, space, { automountServiceAccountToken: true });
    const before = await uidOf(space, 'serviceaccounts', ACCOUNT);
    const at = { cluster: 'prod', namespace: space.namespace, serviceAccount: ACCOUNT };
    const incident = await planned({ at });
    expect(await typeSteps(incident, undefined)).toEqual(['recreate-service-account']);
    const account = await space.send('GET', space.at('serviceaccounts', ACCOUNT));
    expect(account).toMatchObject({
      metadata: { labels: { team: 'payments' }, annotations: { 'example.test/role': HARD_TO_QUOTE } },
      automountServiceAccountToken: false,
    });
    expect(account.metadata.uid).not.toBe(before);

    const pods = async () =>
      (await space.send<{ items: KubeObject[] }>('GET', space.at('pods'))).items.map(
        ({ metadata }) => metadata.uid,
      );
    const old = await pods();
    await typeRollOut(incident);
    await until(async () => {
      const now = await pods();
      return now.length > 0 && now.every((uid) => !old.includes(uid));
    });
  });

  test('rotate to a new token Secret', async () => {
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    await deploy(cluster.plane, space, {
      volumes: [{ name: 'token', secret: { secretName: 'checkout-token' } }],
    });
    const at = { cluster: 'prod', namespace: space.namespace, secret: 'checkout-token' };
    const incident = await planned({ at }, { do: 'rotate', strategy: 'new-secret' });
    const [create, , ...retire] = incident.plan?.steps ?? [];
    const part = (...steps: (Step | undefined)[]): Incident =>
      ({ ...incident, plan: { ...incident.plan, steps: steps.flatMap((step) => step ?? []) } }) as Incident;
    expect(await typeSteps(part(create), undefined)).toEqual(['replace-token-secret']);
    await typeRollOut(incident);
    await until(async () => {
      const { items } = await space.send<{ items: PodObject[] }>('GET', space.at('pods'));
      const used = items.flatMap(({ spec = {} }) => [...secretsOf(spec)]);
      return used.length > 0 && used.every((name) => name.startsWith('checkout-token-r'));
    });
    expect(await typeSteps(part(...retire), undefined)).toEqual(['quarantine-token', 'delete-token-secret']);
    await expect.poll(() => answersTo(cluster, token), { timeout: 20_000 }).toEqual([401]);
  });
});
