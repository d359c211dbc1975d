// `tourniquet collect`: a token by the person's own rights, that dies with one Secret, and whose value goes into one file alone.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { type SimulatedCluster, startCluster } from 'kube-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { statusWith } from '../../../sandbox/ask.ts';
import { type SandboxRedis, startRedis } from '../../../sandbox/redis.ts';
import { dumpRedis, needles } from '../../../sandbox/traces.ts';
import type { World } from '../../../sandbox/world.ts';
import { actions } from '../../../src/actions/index.ts';
import { connectAsPerson } from '../../../src/adapters/kubernetes/person.ts';
import { collect } from '../../../src/cli/collect/collect.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { done } from '../../../src/domain/outcome.ts';
import { planFor } from '../../../src/domain/plan/planner.ts';
import { openWorld } from '../../adapters/redis/support.ts';
import { anIdentity, aSituation, reported, T0 } from '../../builders.ts';

const PERSON = { namespace: 'people', serviceAccount: 'maya' };
const NAME = 'system:serviceaccount:people:maya';

let redis: SandboxRedis;
let world: ReturnType<typeof openWorld>;
let cluster: SimulatedCluster;
let directory: string;
let env: Record<string, string>;
let file: string;
let count = 0;

beforeAll(async () => {
  [redis, cluster] = await Promise.all([startRedis(), startCluster({ name: 'prod', tokenCacheMs: 0 })]);
  world = openWorld(redis);
  for (const name of ['payments', PERSON.namespace]) cluster.seed.namespace(name);
  cluster.seed.serviceAccount('payments', 'api');
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-collect-'));
  const [kubeconfig, config] = [join(directory, 'kubeconfig'), join(directory, 'tourniquet.yaml')];
  writeFileSync(kubeconfig, cluster.kubeconfig(PERSON));
  writeFileSync(
    config,
    stringify({
      slack: { channel: 'C012ABCDEF' },
      people: { approvers: ['UINES00001'] },
      clusters: [{ name: 'prod', kubeconfig }],
      redis: { prefix: redis.prefix },
    }),
  );
  const [REDIS_URL, TOURNIQUET_KEY] = [redis.url, world.key.reveal()];
  env = { KUBECONFIG: kubeconfig, TOURNIQUET_CONFIG: config, REDIS_URL, TOURNIQUET_KEY };
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await Promise.all([world?.close(), cluster?.close()]);
  await redis?.close();
});

beforeEach(() => {
  file = join(directory, `token-${++count}`);
});

async function run(...argv: string[]) {
  let [out, said] = ['', ''];
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (said += text) };
  const code = await collect.run(argv, { stdin: (async function* () {})(), stdout, stderr, env });
  return { code, out, said };
}

/** An incident in which a rotation has made a new Secret for the ServiceAccount. */
async function rotated(): Promise<string> {
  const plan = planFor(
    { do: 'rotate', strategy: 'new-secret' },
    anIdentity(),
    [aSituation({ radius: { tier: 'low', lines: [], bindings: [] } })],
    actions,
    T0,
  );
  const [step] = plan.steps;
  expect(step?.action).toBe('replace-token-secret');
  const events: EventBody[] = [
    reported('UMAYA00001'),
    { type: 'identified', identity: anIdentity() },
    { type: 'plan-proposed', plan },
    { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: plan.hash } },
    { type: 'step-started', run: 'plan-4', step: step?.id ?? '', attempt: 1 },
    { type: 'step-ended', run: 'plan-4', step: step?.id ?? '', outcome: done('It has a token.') },
  ];
  const id = world.newId();
  expect(await world.log.append({ id, expected: 0, events, head: '' })).toMatchObject({ kind: 'appended' });
  return id;
}

const answerTo = (token: string) => statusWith(cluster.url, cluster.caPem, token);
const anchor = (name: string) => cluster.get(`/api/v1/namespaces/payments/secrets/${name}`);
async function remove(secret: string): Promise<void> {
  const person = connectAsPerson({
    name: 'prod',
    kubeconfig: env.KUBECONFIG,
    searchNamespaces: [],
    timeout: 5000,
  });
  await person.remove({ resource: resources.secrets, namespace: 'payments', name: secret }, {});
  await person.close();
}
const ofAccount = ['--service-account', 'prod/payments/api'];

describe('of an incident', () => {
  test('writes the token into a file of the owner, the collection into the log, and the value nowhere else', async () => {
    const id = await rotated();
    const { code, out, said } = await run(id, '--for', 'github', '--out', file);
    expect(code).toBe(0);
    const token = readFileSync(file, 'utf8').trim();
    expect(await answerTo(token)).toBe(201);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(said).toContain('ServiceAccount payments/api for github');
    expect(said).toContain('kubectl --context prod -n payments delete secret api-github');

    const loaded = await world.log.load(id);
    const { collected } = fold(id, loaded?.events ?? []);
    expect(collected).toMatchObject([{ by: NAME, cluster: 'prod', anchor: 'api-github' }]);
    const stored = await dumpRedis({ redis } as Pick<World, 'redis'>);
    expect(stored).toContain('api-github');
    for (const needle of needles(token))
      for (const place of [out, said, stored]) expect(place).not.toContain(needle);
  });

  test('says where nothing has taken the place of what leaked, and leaves no file', async () => {
    const id = world.newId();
    await world.open(id);
    await expect(run(id, '--for', 'ci', '--out', file)).rejects.toThrow(
      /nothing to collect.*--service-account/s,
    );
    await expect(run('no-such', '--for', 'ci', '--out', file)).rejects.toThrow(
      /No incident begins with that/,
    );
    await expect(run(await rotated(), '--for', 'ci', '--out', file, '--cluster', 'staging')).rejects.toThrow(
      /by --cluster: there are prod\/payments\/api/,
    );
    expect(readdirSync(directory)).not.toContain(`token-${count}`);
  });
});

describe('of a ServiceAccount', () => {
  test('gives a token that dies with its Secret, and for as long as was asked', async () => {
    const { out, said } = await run(...ofAccount, '--for', 'laptop', '--stdout', '--duration', '2h');
    expect(said).not.toContain(out.trim());
    const { exp = 0, iat = 0 } = decodeJwt(out);
    expect(exp - iat).toBe(7200);
    expect(anchor('api-laptop')).toMatchObject({ type: 'Opaque' });
    expect(anchor('api-laptop')).not.toHaveProperty('data');
    expect(await answerTo(out.trim())).toBe(201);

    const again = await run(...ofAccount, '--for', 'laptop', '--stdout');
    await remove('api-laptop');
    expect(await answerTo(out.trim())).toBe(401);
    expect(await answerTo(again.out.trim())).toBe(401);
  });

  test('gives a kubeconfig that works, and the audience that was asked for', async () => {
    await run(...ofAccount, '--for', 'ci', '--out', file, '--as-kubeconfig');
    const config = parse(readFileSync(file, 'utf8'));
    expect(config.contexts[0].context.namespace).toBe('payments');
    const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString();
    expect(await statusWith(config.clusters[0].cluster.server, ca, config.users[0].user.token)).toBe(201);
    const { out } = await run(...ofAccount, '--for', 'ci', '--stdout', '--audience', 'vault');
    expect(decodeJwt(out).aud).toEqual(['vault']);
  });

  test.each([
    [
      'a Secret of the same name that is somebody’s',
      'config',
      /api-config is not one that was made for this.*another --for/,
    ],
    ['a name that cannot be', 'Git Hub', /cannot be named so/],
  ])('touches nothing: %s', async (_, user, message) => {
    if (!anchor('api-config')) cluster.seed.secret('payments', 'api-config', {});
    await expect(run(...ofAccount, '--for', user, '--out', file)).rejects.toThrow(message);
  });

  test('takes back the Secret where no token can be had', async () => {
    const absent = ['--service-account', 'prod/payments/gone'];
    await expect(run(...absent, '--for', 'ci', '--out', file)).rejects.toThrow(
      /404.*No token was given away\.$/,
    );
    expect(anchor('gone-ci')).toBeUndefined();
    expect(readdirSync(directory)).not.toContain(`token-${count}`);
  });

  test('says which contexts there are, and overwrites no file', async () => {
    await expect(run('--service-account', 'eu/payments/api', '--for', 'ci', '--stdout')).rejects.toThrow(
      /no context eu in .*There are: prod\./,
    );
    writeFileSync(file, 'mine');
    await expect(run(...ofAccount, '--for', 'ci', '--out', file)).rejects.toThrow(
      /exists already.*Nothing was made/,
    );
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});

test.each<[string, string[], RegExp]>([
  ['neither incident nor ServiceAccount', ['--for', 'ci', '--stdout'], /Name one incident/],
  ['both', ['id', ...ofAccount, '--for', 'ci', '--stdout'], /Name one incident/],
  ['no user', [...ofAccount, '--stdout'], /--for who gets the token/],
  ['nowhere to put it', [...ofAccount, '--for', 'ci'], /--out, or say --stdout/],
  ['two places to put it', [...ofAccount, '--for', 'ci', '--stdout', '--out', 'x'], /--out, or say --stdout/],
  ['too long', [...ofAccount, '--for', 'ci', '--stdout', '--duration', '91d'], /from 10 min to 90 d/],
  ['too short', [...ofAccount, '--for', 'ci', '--stdout', '--duration', '5m'], /from 10 min to 90 d/],
  [
    'no context',
    ['--service-account', 'payments/api', '--for', 'ci', '--stdout'],
    /<context>\/<namespace>\/<name>/,
  ],
])('a call that makes no sense: %s', async (_, argv, message) => {
  await expect(run(...argv)).rejects.toThrow(message);
});
