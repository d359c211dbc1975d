// `tourniquet plan` from a kubeconfig alone: whose token, whether it lives, what it can do, and lines that a person can paste.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulatedCluster, startCluster } from 'kube-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { seedHarbour } from '../../../sandbox/harbour.ts';
import { connectCluster } from '../../../src/adapters/kubernetes/cluster.ts';
import { plan } from '../../../src/cli/plan/plan.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { boundToken, legacyToken } from '../../domain/token/token-samples.ts';
import { documentedKeys, keyPaths } from '../documented.ts';
import { expectNoTrace, type Told, typed } from '../terminal.ts';

const USER = { namespace: 'kube-system', serviceAccount: 'on-call' };
let directory: string;
let clusters: { prod: SimulatedCluster; staging: SimulatedCluster };

interface Kubeconfig {
  clusters: object[];
  users: object[];
  contexts: { name: string }[];
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tourniquet-plan-'));
  const [prod, staging] = await Promise.all(['prod', 'staging'].map((name) => startCluster({ name })));
  if (!prod || !staging) throw new Error('unreachable');
  clusters = { prod, staging };
  await seedHarbour(prod, staging);
  const [first, second] = [prod, staging].map((each) => parse(each.kubeconfig(USER)) as Kubeconfig);
  if (!first || !second) throw new Error('unreachable');
  write('config', {
    ...first,
    clusters: [...first.clusters, ...second.clusters],
    users: [...first.users, ...second.users],
    contexts: [...first.contexts, ...second.contexts],
  });
});
afterAll(async () => {
  await Promise.all([clusters.prod.close(), clusters.staging.close()]);
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  for (const { requests } of Object.values(clusters)) requests.splice(0);
});

function write(name: string, content: object): string {
  const path = join(directory, name);
  writeFileSync(path, stringify(content));
  return path;
}

const env = () => ({
  KUBECONFIG: join(directory, 'config'),
  TOURNIQUET_CONFIG: join(directory, 'none.yaml'),
});
const run = (argv: string[], stdin = ''): Promise<Told> => typed(plan, argv, { stdin, env: env() });
const newToken = (name: string): Promise<string> =>
  clusters.prod.seed.tokenSecret('payments', name, 'checkout', { labels: { team: 'payments' } });

/** All that was asked of a cluster, but for questions about oneself, which store nothing. */
const writes = ({ requests }: SimulatedCluster): string[] =>
  requests
    .filter(({ method, path }) => method !== 'GET' && !/\/self[a-z]+reviews(\?|$)/.test(path))
    .map(({ method, path }) => `${method} ${path}`);

describe('a token on standard input', () => {
  it('is identified by its signature, judged, and answered with lines to paste', async () => {
    const token = await newToken('leaked');
    const told = await run([], `found in a gist: ${token}\n`);
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(told.out).toMatch(/ServiceAccount: +payments\/checkout \(UID /);
    expect(told.out).toMatch(/Cluster: +prod\n/);
    expect(told.out).toMatch(/How sure: +signature verified/);
    expect(told.out).toMatch(/Does it still work\?\n +Yes, by object state/);
    expect(told.out).toMatch(/What a thief can do\n +severe/);
    expect(told.out).toMatch(/- Deployment\/checkout: 3 of 3 Pods ready/);
    const script = told.out.slice(told.out.indexOf('To paste'));
    expect(script).toMatch(
      /# 1\. Quarantine .*\nkubectl --context prod -n payments label secret leaked [^\n]+\n# 2\. /,
    );
    expectNoTrace(told, token);
  });

  it('is answered with the JSON that is documented', async () => {
    clusters.prod.seed.deployment('payments', 'mounts', {
      serviceAccount: 'checkout',
      secretMounts: ['as-json'],
    });
    const told = await run(['--json'], await newToken('as-json'));
    expect(keyPaths(JSON.parse(told.out))).toEqual(expect.arrayContaining(documentedKeys('plan')));
  });

  it('changes nothing, and is sent to nobody', async () => {
    const token = await newToken('unsent');
    await run(['--all-contexts'], token);
    for (const cluster of Object.values(clusters)) {
      expect(cluster.requests.length).toBeGreaterThan(0);
      expect(writes(cluster)).toEqual([]);
    }
    expect(clusters.prod.get('/api/v1/namespaces/payments/secrets/unsent')?.metadata.labels).toEqual({
      team: 'payments',
    });
  });

  it('that is dead already is said to be, and nothing is to be typed', async () => {
    const token = await newToken('gone');
    const kubeconfig = join(directory, 'config');
    const cluster = connectCluster({ name: 'prod', kubeconfig, searchNamespaces: [], timeout: 2000 });
    await cluster.remove({ resource: resources.secrets, namespace: 'payments', name: 'gone' }, {});
    await cluster.close();
    const told = await run([], token);
    expect(told.code).toBe(0);
    expect(told.out).toMatch(/Does it still work\?\n +No, it is dead/);
    expect(told.out).toContain('There is nothing to do.');
    expect(told.out).not.toContain('kubectl');
  });

  it('is found again in other Secrets, of the namespaces that are named alone', async () => {
    const token = await newToken('copied');
    clusters.prod.seed.secret('ci', 'deploy', { '.env': `TOKEN=${token}` });
    const searched = await run(['--search', 'ci'], token);
    expect(searched.out).toContain(
      '- Secret ci/deploy key .env (within a text): put the new token in its place.',
    );
    expectNoTrace(searched, token);
    expect((await run([], token)).out).toContain('Not looked for. Name where with --search.');
    const told = await run(['--json'], token);
    expect(JSON.parse(told.out).clusters[0].copies).toMatchObject({ searched: [], found: [] });
  });

  it('of a stranger is placed nowhere: exit code 1', async () => {
    const token = boundToken();
    const told = await run(['--all-contexts'], token);
    expect(told.code).toBe(1);
    expect(told.out).toContain('no configured cluster (prod, staging) signed it');
    expectNoTrace(told, token);
  });

  it.each<[string, () => string, RegExp]>([
    ['nothing', () => '', /no ServiceAccount token in the input/],
    ['two tokens', () => `${legacyToken()}\n${boundToken()}`, /holds 2 tokens.*tourniquet report/],
    ['half a token', () => legacyToken().slice(0, -40), /cut off or altered/],
    ['too much', () => 'x'.repeat(1024 * 1024 + 1), /longer than 1 MiB/],
  ])('%s is refused with the reason', async (_name, text, expected) => {
    const stdin = text();
    const told = await run([], stdin);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toMatch(expected);
    expect(clusters.prod.requests).toEqual([]);
  });
});

describe('a ServiceAccount by name', () => {
  it('is planned for as the worker would, with a goal and a strategy', async () => {
    const told = await run(['payments/checkout', '--goal', 'rotate', '--strategy', 'recreate', '--json']);
    expect(told.code).toBe(0);
    const answer = JSON.parse(told.out);
    expect(answer).toMatchObject({
      version: 1,
      identified: true,
      changed: false,
      goal: { do: 'rotate', strategy: 'recreate' },
      identity: { kind: 'every-token', clusters: ['prod'], namespace: 'payments' },
      clusters: [{ cluster: 'prod', radius: { tier: 'severe' } }],
    });
    const actions = answer.steps.map(({ action }: { action: string }) => action);
    expect(actions).toContain('recreate-service-account');
    expect(actions.indexOf('restart-workloads')).toBeGreaterThan(actions.indexOf('recreate-service-account'));
    const lines = answer.steps.flatMap(({ kubectl }: { kubectl: string[] }) => kubectl);
    expect(answer.script.split('\n').filter((line: string) => !line.startsWith('# '))).toEqual(lines);
  });

  it('is looked for in the context that is named before it', async () => {
    const told = await run(['staging/payments/checkout']);
    expect(told.out).toMatch(/Cluster: +staging\n/);
    expect(clusters.prod.requests).toEqual([]);
  });

  it('that does not exist is answered with what is near: exit code 1', async () => {
    const told = await run(['payments/chekout']);
    expect(told.code).toBe(1);
    expect(told.out).toContain('Near: prod/payments/checkout');
  });

  it('by its Secret', async () => {
    const told = await run(['payments/checkout-token', '--secret']);
    expect(told.out).toMatch(/Kind: +Long-lived token, in Secret checkout-token/);
  });

  it.each([
    [['checkout']],
    [['payments/checkout', 'payments/refunds']],
    [['payments/Check_Out']],
    [['payments/checkout', '--strategy', 'recreate']],
    [['payments/checkout', '--goal', 'destroy']],
    [['payments/checkout', '--frobnicate']],
  ])('is refused with the usage where the call is wrong: %j', async (argv) => {
    const told = await run(argv);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain('tourniquet plan');
    expect(clusters.prod.requests).toEqual([]);
  });
});

describe('the clusters', () => {
  it('that cannot be reached are said, and do not hide the others', async () => {
    const config = parse(clusters.prod.kubeconfig(USER)) as Kubeconfig;
    const dead = { name: 'dead', cluster: { server: 'https://127.0.0.1:1' } };
    const open = { name: 'open', cluster: { server: 'http://127.0.0.1:1' } };
    const path = write('mixed', {
      ...config,
      clusters: [...config.clusters, dead, open],
      contexts: [
        ...config.contexts,
        { name: 'dead', context: { cluster: 'dead', user: 'prod' } },
        { name: 'open', context: { cluster: 'open', user: 'prod' } },
      ],
    });
    const token = await newToken('mixed');
    const told = await run(['--kubeconfig', path, '--all-contexts'], token);
    expect(told.code).toBe(0);
    expect(told.out).toContain('dead may accept it too');
    expect(told.out).toMatch(/Cluster open: .* is not https.*It was not looked at/);
    expect(told.out).toContain(`kubectl --kubeconfig ${path} --context prod -n payments label secret mixed`);
  });

  it('whose context has a hard name get it quoted', async () => {
    const config = parse(clusters.prod.kubeconfig(USER)) as Kubeconfig;
    const name = "on call's/prod";
    const path = write('hard', {
      ...config,
      'current-context': name,
      contexts: [{ name, context: { cluster: 'prod', user: 'prod' } }],
    });
    const told = await run(['--kubeconfig', path, `${name}/payments/checkout`, '--json']);
    const line: string = JSON.parse(told.out).steps[0].kubectl[0];
    const words = execFileSync(
      'sh',
      ['-c', `kubectl() { printf '%s\\n' "$@"; }; ${line.split(' | ').at(-1)}`],
      {
        encoding: 'utf8',
      },
    );
    expect(words.split('\n').slice(0, 4)).toEqual(['--kubeconfig', path, '--context', name]);
  });

  it('of tourniquet.yaml are used where there is one, with their own contexts', async () => {
    const config = write('tourniquet.yaml', {
      slack: { channel: 'C012ABCDEF' },
      people: { approvers: ['U012ABCDEF'] },
      clusters: [{ name: 'live', kubeconfig: join(directory, 'config'), context: 'prod' }],
    });
    const token = await newToken('configured');
    const told = await typed(plan, [], { stdin: token, env: { ...env(), TOURNIQUET_CONFIG: config } });
    expect(told.out).toMatch(/Cluster: +live\n/);
    expect(told.out).toContain('kubectl --context prod -n payments label secret configured');
  });

  it('are missed with a remedy where there is no kubeconfig', async () => {
    const told = await typed(plan, ['payments/checkout'], { env: { ...env(), KUBECONFIG: '/nowhere' } });
    expect(told.code).toBe(2);
    expect(told.err).toContain('There is no kubeconfig at /nowhere. Name one');
    expect((await run(['payments/checkout', '--context', 'qa'])).err).toMatch(
      /no context qa .*prod, staging/,
    );
  });
});
