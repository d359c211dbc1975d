// How long does a rotation of many workloads take, and what does it cost? Tourniquet beside a playbook typed with kubectl, at the same time.
import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type AuditEvent, controlPlaneExecutable } from 'kube-sandbox/controlplane';
import type { Message } from 'slack-sandbox';
import { parse, stringify } from 'yaml';
import { type Reader, readerOf } from '../sandbox/incident-reader.ts';
import { type RealWorld, type RealWorldCluster, realCluster } from '../sandbox/real-world.ts';
import { INCIDENTS, startWorld } from '../sandbox/world.ts';
import type { FileConfigInput } from '../src/config/file-schema.ts';
import { DEFAULT_CAP } from '../src/domain/plan/waves.ts';
import { typePlaybook } from './playbook.ts';
import { type PodWatch, REPLICAS, SERVICE_ACCOUNT, seedSet, watchPods } from './rotation-set.ts';
import { kubectlWith } from './target.ts';

const { values } = parseArgs({
  options: {
    workloads: { type: 'string', default: '50' },
    /** `most` of the second rotation. */
    most: { type: 'string', default: '13' },
  },
});
const workloads = Number.parseInt(values.workloads, 10);
const most = Number.parseInt(values.most, 10);
if (!(workloads > 0 && most > 0)) throw new Error('--workloads and --most have to be numbers above 0.');

const POD_START_MS = 3000;
/** Far more than anything here takes. */
const PATIENCE_MS = 1_800_000;
const SETS = { playbook: 'playbook', normal: 'rotation-normal', wide: 'rotation-wide' } as const;
const PLAYBOOK_USER = { namespace: 'tourniquet', serviceAccount: 'playbook' };

interface Result {
  name: string;
  rolledMs: number;
  endedMs: number;
  /** By verb, those that were only tried apart. */
  calls: Record<string, number>;
  gap: { ms: number; workload: string };
}

async function main(): Promise<void> {
  const prod = realCluster('prod', { podStartMs: POD_START_MS, actIn: Object.values(SETS) });
  const world = await startWorld<RealWorldCluster>({
    clusters: { prod },
    slack: { rates: 'off' },
    // Another load of the API server than that which is measured.
    config: { proof: { recheckAfter: ['24h'] } },
  });
  const reader = readerOf(world);
  const pods = await watchPods(world.cluster('prod'));
  try {
    for (const namespace of Object.values(SETS)) {
      await seedSet(world.cluster('prod'), namespace, workloads);
      await pods.untilAllReady(namespace, workloads);
    }
    await Promise.all([world.startRole('bot'), world.startRole('worker')]);
    console.log(
      `${workloads} Deployments of ${REPLICAS} Pods each, which take ${POD_START_MS / 1000} s to become Ready. Load average: ${load()}.`,
    );
    const stage = { world, reader, pods };
    const [playbook, rotations] = await Promise.all([typed(stage), rotated(stage)]);
    print(playbook, rotations);
  } finally {
    await pods.close();
    await reader.close();
    await world.close();
  }
}

interface Stage {
  world: RealWorld;
  reader: Reader;
  pods: PodWatch;
}

const load = (): string => (loadavg()[0] ?? 0).toFixed(1);

async function typed({ world, pods }: Stage): Promise<Result> {
  const cluster = world.cluster('prod');
  const kubeconfig = await cluster.kubeconfig(PLAYBOOK_USER);
  const { stderr, code } = await cluster.plane.kubectl([
    ...['create', 'clusterrolebinding', 'playbook', '--clusterrole=cluster-admin'],
    `--serviceaccount=${PLAYBOOK_USER.namespace}:${PLAYBOOK_USER.serviceAccount}`,
  ]);
  if (code !== 0) throw new Error(stderr);
  const kubectl = await kubectlWith([await controlPlaneExecutable(), 'kubectl'], kubeconfig);
  try {
    const { startedAt, rolledAt, endedAt } = await typePlaybook(kubectl.command, SETS.playbook, workloads);
    console.log(`The playbook is through after ${seconds(endedAt - startedAt)}; load average ${load()}.`);
    return {
      name: 'playbook with kubectl',
      rolledMs: rolledAt - startedAt,
      endedMs: endedAt - startedAt,
      calls: await callsOf(cluster, 'kubectl/', startedAt, endedAt),
      gap: pods.longestGap(SETS.playbook, Date.now()),
    };
  } finally {
    await kubectl.close();
  }
}

/** Once as it is by default, and once with a larger cap. */
async function rotated(stage: Stage): Promise<Result[]> {
  const { percent } = DEFAULT_CAP;
  const normal = await rotateOne(
    stage,
    SETS.normal,
    `Tourniquet, ${percent} %, at most ${DEFAULT_CAP.most} (default)`,
  );
  await stage.world.worker().stop();
  await amend(stage.world, (config) => {
    config.rollOut = { most };
  });
  await stage.world.startRole('worker');
  const wide = await rotateOne(stage, SETS.wide, `Tourniquet, ${percent} %, at most ${most}`);
  return [normal, wide];
}

async function amend({ env }: RealWorld, change: (config: FileConfigInput) => void): Promise<void> {
  const path = env.TOURNIQUET_CONFIG ?? '';
  const config = parse(await readFile(path, 'utf8')) as FileConfigInput;
  change(config);
  await writeFile(path, stringify(config));
}

async function rotateOne({ world, reader, pods }: Stage, namespace: string, name: string): Promise<Result> {
  const cluster = world.cluster('prod');
  const askedAt = Date.now();
  await world.slack.slash(
    'maya',
    INCIDENTS,
    `/rotate-sa prod/${namespace}/${SERVICE_ACCOUNT} new-secret bench`,
  );
  const card = await world.slack.waitFor(() => cardOf(world, namespace), 120_000, 'the plan');
  const { action_id: actionId, value } = buttonOf(card) ?? { action_id: '', value: '' };
  const approvedAt = Date.now();
  await world.slack.click('ines', { channel: INCIDENTS, ts: card.ts, actionId, value });
  const id = /"incident_id":"([0-9a-f]+)"/.exec(JSON.stringify(card.metadata))?.[1] ?? '';
  const { proof, runs } = await reader.until(
    id,
    (incident) => incident.proof?.outcome?.verdict === 'done' || incident.runs.at(-1)?.stopped !== undefined,
    PATIENCE_MS,
  );
  const steps = runs.flatMap((run) => run.steps);
  const rolled = steps.find(({ step }) => step.action === 'repoint-workloads')?.endedAt;
  const off = steps.find(({ step }) => step.action === 'quarantine-token')?.endedAt;
  if (!proof || !rolled || !off) throw new Error(`The rotation stopped: ${runs.at(-1)?.stopped}`);
  const endedAt = Date.parse(off);
  console.log(`${name}: through after ${seconds(endedAt - approvedAt)}; load average ${load()}.`);
  return {
    name,
    rolledMs: Date.parse(rolled) - approvedAt,
    endedMs: endedAt - approvedAt,
    // With the investigation before and the proof after, which the playbook does not have.
    calls: await callsOf(cluster, 'tourniquet', askedAt, Date.parse(proof.provedAt ?? off)),
    gap: pods.longestGap(namespace, Date.now()),
  };
}

const cardOf = ({ slack }: RealWorld, namespace: string): Message | undefined =>
  slack
    .messages(INCIDENTS)
    .find((message) => JSON.stringify(message.blocks ?? '').includes(`${namespace}/`) && buttonOf(message));

interface Button {
  text?: { text?: string };
  action_id: string;
  value: string;
}

const buttonOf = ({ blocks = [] }: Message): Button | undefined =>
  blocks
    .flatMap((block) => (block.elements ?? []) as Button[])
    .find(({ text }) => text?.text === 'Approve plan');

/** Requests of one user agent; a watch counts once. */
async function callsOf(
  { plane }: RealWorldCluster,
  agent: string,
  from: number,
  to: number,
): Promise<Record<string, number>> {
  const mine = (event: AuditEvent): boolean => {
    const at = Date.parse(event.requestReceivedTimestamp);
    return (
      (event.userAgent ?? '').startsWith(agent) && event.user.username !== 'admin' && at >= from && at <= to
    );
  };
  const kind = ({ verb, requestURI }: AuditEvent) =>
    requestURI.includes('dryRun=All') ? `${verb} by dry run` : verb;
  const events = new Map((await plane.auditLog()).filter(mine).map((event) => [event.auditID, kind(event)]));
  const calls: Record<string, number> = {};
  for (const verb of events.values()) calls[verb] = (calls[verb] ?? 0) + 1;
  return calls;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const total = (calls: Record<string, number>): number => Object.values(calls).reduce((a, b) => a + b, 0);

function print(playbook: Result, rotations: Result[]): void {
  const row = ({ name, rolledMs, endedMs, calls, gap }: Result): string =>
    [
      name.padEnd(44),
      seconds(rolledMs).padStart(9),
      seconds(endedMs).padStart(9),
      `${(playbook.endedMs / endedMs).toFixed(1)}x`.padStart(7),
      String(total(calls)).padStart(6),
      seconds(gap.ms).padStart(9),
    ].join('  ');
  console.log(`\n${''.padEnd(44)}  all Pods    old off   faster   calls  no Pod`);
  for (const result of [playbook, ...rotations]) console.log(row(result));
  console.log();
  for (const { name, calls } of [playbook, ...rotations]) console.log(`${name}: ${JSON.stringify(calls)}`);
}

await main();
