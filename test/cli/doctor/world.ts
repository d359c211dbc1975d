// A sound installation for the tests of doctor: real Redis, emulated Slack and a simulated cluster, in which each test spoils one thing.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulatedCluster, startCluster } from 'kube-sandbox';
import { startWorkspace, type Workspace, type WorkspaceOptions } from 'slack-sandbox';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { type OwnRedis, startOwnRedis } from '../../../sandbox/redis.ts';
import { actions } from '../../../src/actions/index.ts';
import type { Check } from '../../../src/cli/doctor/check.ts';
import { runDoctor } from '../../../src/cli/doctor/doctor.ts';
import type { Report } from '../../../src/cli/doctor/render.ts';
import { workerRules } from '../../../src/domain/kubernetes/rbac.ts';

export const SLACK: WorkspaceOptions = { rates: 'off' };
const READ = 'tourniquet-worker-read';
const ACT = 'tourniquet-worker-namespace';

export interface Look {
  /** Merged into the sound file by top-level key; null takes one away. */
  config?: Record<string, unknown>;
  env?: Record<string, string | undefined>;
  argv?: string[];
  now?: () => number;
  list?: readonly Check[];
}

export interface Seen {
  code: number;
  out: string;
  report: Report;
}

export type DoctorWorld = Awaited<ReturnType<typeof openDoctorWorld>>;

export async function openDoctorWorld() {
  const [redis, slack, cluster] = await Promise.all([startOwnRedis(), startWorkspace(SLACK), startCluster()]);
  const directory = mkdtempSync(join(tmpdir(), 'tourniquet-doctor-'));
  for (const name of ['payments', 'tourniquet']) cluster.seed.namespace(name);
  const { cluster: read, namespace: act } = workerRules(actions);
  cluster.seed.clusterRole(READ, read);
  cluster.seed.clusterRole(ACT, act);
  const file = (text: string): string => {
    const path = join(directory, randomUUID());
    writeFileSync(path, text);
    return path;
  };
  const kubeconfig = (account: string): string =>
    file(cluster.kubeconfig({ namespace: 'tourniquet', serviceAccount: account }));
  const bind = (account: string, role: string, namespace?: string): void => {
    const subjects = [{ kind: 'ServiceAccount' as const, name: account, namespace: 'tourniquet' }];
    const binding = { role: { kind: 'ClusterRole' as const, name: role }, subjects };
    const name = `${role}-${account}`;
    if (namespace === undefined) cluster.seed.clusterRoleBinding(name, binding);
    else cluster.seed.roleBinding(namespace, name, binding);
  };
  const sound = soundFile({ slack, cluster, kubeconfig: kubeconfig('worker') });
  bind('worker', READ);
  bind('worker', ACT, 'payments');
  const secrets = soundSecrets(slack, redis);
  const environment = ({ config = {}, env = {} }: Look) => ({
    TOURNIQUET_CONFIG: file(stringify(JSON.parse(JSON.stringify({ ...sound, ...config })))),
    ...secrets,
    ...env,
  });
  const run = async (look: Look, form: string[]) => {
    const { argv = ['--role', 'all'], now, list } = look;
    let out = '';
    const code = await runDoctor([...argv, ...form], {
      env: environment(look),
      stdout: { write: (text) => (out += text) },
      ...(now && { now }),
      ...(list && { list }),
    });
    return { code, out };
  };
  return {
    redis,
    slack,
    cluster,
    sound,
    secrets,
    file,
    kubeconfig,
    bind,
    environment,
    async doctor(look: Look = {}): Promise<Seen> {
      const { code, out } = await run(look, ['--json']);
      return { code, out, report: JSON.parse(out) as Report };
    },
    /** As people read it. */
    people: async (look: Look): Promise<string> => (await run(look, [])).out,
    async close(): Promise<void> {
      rmSync(directory, { recursive: true });
      await Promise.all([redis.close(), slack.close(), cluster.close()]);
    },
  };
}

const soundFile = (given: { slack: Workspace; cluster: SimulatedCluster; kubeconfig: string }) => ({
  slack: { channel: 'CINCIDENTS', apiUrl: given.slack.apiUrl },
  people: { approvers: ['UINES00001', 'UTOMAS0001'], responders: ['UMAYA00001'] },
  clusters: [{ name: 'prod', kubeconfig: given.kubeconfig, timeout: '2s' }],
  policy: {
    rules: [
      { name: 'payments', match: { namespace: ['payments'] }, do: { any: { from: ['SSECONCALL'] } } },
    ] as object[],
  },
});

const soundSecrets = (slack: Workspace, redis: OwnRedis) => ({
  REDIS_URL: redis.url,
  TOURNIQUET_KEY: randomBytes(32).toString('base64'),
  SLACK_BOT_TOKEN: slack.botToken,
  SLACK_APP_TOKEN: slack.appToken,
  TOURNIQUET_SOURCE_REPORT: `whsec_${randomBytes(32).toString('base64')}`,
});

/** The findings that are not fine, as `group / name: seen → remedy`. */
export const troubles = ({ groups }: Report): string[] =>
  groups.flatMap(({ group, checks }) =>
    checks
      .filter(({ status }) => status === 'warning' || status === 'broken')
      .map(({ name, status, seen, remedy }) => `${status} ${group} / ${name}: ${seen} → ${remedy ?? ''}`),
  );

/** One thing that is spoiled: what must be said of it, and that nothing else is. */
export interface Planted {
  title: string;
  look: (world: DoctorWorld) => Look | Promise<Look>;
  /** `broken Slack / scopes`. */
  says: string;
  cause: RegExp;
  remedy: RegExp;
  /** More that follows from it. */
  also?: string[];
}

export async function expectFound(world: DoctorWorld, planted: Planted): Promise<void> {
  const { says, cause, remedy, also = [] } = planted;
  const seen = await world.doctor(await planted.look(world));
  const found = troubles(seen.report);
  const isMeant = (line: string) =>
    line.startsWith(`${says}: `) &&
    cause.test(line.split(' → ')[0] ?? '') &&
    remedy.test(line.split(' → ').slice(1).join(' → '));
  const others = found.filter((line) => !isMeant(line) && !also.some((start) => line.startsWith(start)));
  expect({ meant: found.filter(isMeant).length, others }).toEqual({ meant: 1, others: [] });
  expect(seen.code).toBe(found.some((line) => line.startsWith('broken ')) ? 1 : 0);
}
