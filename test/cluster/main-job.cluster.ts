// The whole main job on real control planes, for each kind of token, by a worker that may do what is declared and no more.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WORKER } from '../../sandbox/world.ts';
import {
  amendConfig,
  cardOf,
  cardShows,
  opened,
  press,
  repliesOf,
  textOf,
  threadSays,
} from '../e2e/stage.ts';
import { ACCOUNT, deploy, type Kind, leak, openSpace, optIn } from './leaks.ts';
import { answersTo, openRealStage, type RealStage, refusedBy, tracesOf, writesOf } from './real-stage.ts';

const PATIENCE_MS = 60_000;

let stage: RealStage;
beforeAll(async () => {
  stage = await openRealStage({ prod: { servers: 2 }, staging: { servers: 1 } });
  // The bot gets a configuration that names no kubeconfig: it holds no credential at all.
  const kubeconfigs: (string | undefined)[] = [];
  await amendConfig(stage.slackSide, ({ clusters }) => {
    for (const cluster of clusters) {
      kubeconfigs.push(cluster.kubeconfig);
      delete cluster.kubeconfig;
    }
  });
  await stage.world.startRole('bot');
  await amendConfig(stage.slackSide, ({ clusters }) => {
    for (const [index, cluster] of clusters.entries())
      Object.assign(cluster, { kubeconfig: kubeconfigs[index] });
  });
  await stage.world.startRole('worker');
});
afterAll(() => stage?.close());
beforeEach(({ onTestFailed }) =>
  onTestFailed(() => {
    console.log(stage.world.slack.transcript('incidents'));
    console.log(stage.world.output().slice(-6000));
  }),
);

const report = async (data: Record<string, unknown>): Promise<string> =>
  opened(await stage.world.report({ severity: 'critical', ...data }));

/** Waits for the button by itself: a real cluster takes longer to look at than a simulated one. */
async function approve(id: string): Promise<void> {
  await cardShows(stage.slackSide, id, /Approve plan/, PATIENCE_MS);
  await press(stage.slackSide, id, 'ines', 'Approve plan');
}

const thread = (id: string): string[] => {
  const card = cardOf(stage.slackSide, id);
  return card ? repliesOf(stage.slackSide, card) : [];
};

describe('a leaked token', () => {
  const kinds: [Kind, containedFirst: boolean, writes: string[]][] = [
    ['legacy', true, ['patch secrets checkout-token 200', 'delete secrets checkout-token 200']],
    ['pod-bound', false, ['delete pods job 200']],
    ['secret-bound', false, ['delete secrets anchor 200']],
    [
      'unbound',
      false,
      [
        `delete serviceaccounts ${ACCOUNT} 200`,
        `create serviceaccounts ${ACCOUNT} 201`,
        // Its Pods hold tokens that nobody accepts any more.
        `patch deployments ${ACCOUNT} 200`,
      ],
    ],
  ];

  test.each(kinds)(
    '%s is killed on approval and proven dead at both servers',
    async (kind, first, writes) => {
      const cluster = stage.cluster();
      const space = await openSpace(cluster.plane);
      await deploy(cluster.plane, space);
      const token = await leak(space, kind);
      const id = await report({ token, where: { text: 'a public gist' } });
      if (first) {
        await threadSays(stage.slackSide, id, /Proof: refused by 2 of 2 API servers/, PATIENCE_MS);
        expect(await answersTo(cluster, token)).toEqual([401, 401]);
      }
      await approve(id);
      const card = await cardShows(stage.slackSide, id, /Revoked/, PATIENCE_MS);
      expect(await answersTo(cluster, token)).toEqual([401, 401]);
      await threadSays(stage.slackSide, id, /Closed as resolved/, PATIENCE_MS);
      const said = thread(id).join('\n');
      expect(said).toContain('Proof: refused by 2 of 2 API servers');
      for (const { url } of cluster.servers)
        expect(said).toContain(`${url}\`: refused (401 Unauthorized) twice`);
      expect(said.match(/control accepted/g)?.length).toBeGreaterThanOrEqual(2);
      expect(textOf(card)).toContain('Deployment/checkout');
      expect(new Set(thread(id)).size).toBe(thread(id).length);
      const carriedOut = await writesOf(cluster, space.namespace);
      expect([...new Set(carriedOut.filter((line) => / 20[01]$/.test(line)))]).toEqual(writes);
      expect(await tracesOf(stage, token)).toMatchObject({ found: [] });
      expect(await writesOf(stage.cluster('staging'), space.namespace)).toEqual([]);
    },
  );

  test('of a cluster with one server is proven by its address, and the other cluster never sees it', async () => {
    const cluster = stage.cluster('staging');
    const elsewhere = await probesAt('prod');
    const here = await probesAt('staging');
    const space = await openSpace(cluster.plane);
    const token = await leak(space, 'legacy');
    const id = await report({ token });
    await threadSays(stage.slackSide, id, /Proof: refused by 1 of 1 API server/, PATIENCE_MS);
    expect(await answersTo(cluster, token)).toEqual([401]);
    await approve(id);
    await cardShows(stage.slackSide, id, /Revoked/, PATIENCE_MS);
    expect(await writesOf(stage.cluster('prod'), space.namespace)).toEqual([]);
    expect(await probesAt('prod')).toBe(elsewhere);
    expect(await probesAt('staging')).toBeGreaterThan(here);
  });
});

describe('a ServiceAccount of which only the name is known', () => {
  test('loses every token, and the thread claims no more than the objects show', async () => {
    const cluster = stage.cluster();
    const space = await openSpace(cluster.plane);
    const tokens = [
      await leak(space, 'legacy'),
      await leak(space, 'unbound'),
      await leak(space, 'pod-bound'),
    ];
    const at = { cluster: 'prod', namespace: space.namespace, serviceAccount: ACCOUNT };
    const id = await report({ ...at, reason: 'seen in a build log' });
    await approve(id);
    await threadSays(stage.slackSide, id, /dead by object state, not probed/, PATIENCE_MS);
    for (const token of tokens)
      await expect.poll(() => answersTo(cluster, token), { timeout: 20_000 }).toEqual([401, 401]);
    const said = thread(id).join('\n');
    expect(said).not.toMatch(/refused by \d/);
    expect(said).toContain('the token itself could not be sent');
  });
});

describe("Tourniquet's own token", () => {
  // It could act there: what keeps it from doing so is not a lack of power.
  beforeAll(() => optIn(stage.cluster().plane, WORKER.namespace));

  test.each(['legacy', 'unbound'] as const)('%s, leaked: nothing is done unattended', async (kind) => {
    const { plane } = stage.cluster();
    const accounts = `/api/v1/namespaces/${WORKER.namespace}`;
    const name = WORKER.serviceAccount;
    let token: string | undefined;
    if (kind === 'unbound') {
      const path = `${accounts}/serviceaccounts/${name}/token`;
      token = (await plane.call<{ status: { token: string } }>('POST', path, { body: { spec: {} } })).body
        .status.token;
    } else {
      const annotations = { 'kubernetes.io/service-account.name': name };
      const type = 'kubernetes.io/service-account-token';
      await plane.call('POST', `${accounts}/secrets`, {
        body: { type, metadata: { name: 'own-token', annotations } },
      });
      await expect
        .poll(async () => {
          const { body } = await plane.call<{ data?: { token?: string } }>(
            'GET',
            `${accounts}/secrets/own-token`,
          );
          token = Buffer.from(body.data?.token ?? '', 'base64').toString();
          return token;
        })
        .not.toBe('');
    }
    const before = await writesOf(stage.cluster(), WORKER.namespace);
    const id = await report({ token });
    const card = await cardShows(
      stage.slackSide,
      id,
      /identity that Tourniquet itself uses[\s\S]*(Approve plan|Decline)|(Approve plan|Decline)[\s\S]*identity that Tourniquet itself uses/,
      PATIENCE_MS,
    );
    expect(textOf(card)).not.toMatch(/Contained/);
    expect(await answersTo(stage.cluster(), token ?? '')).toEqual([201, 201]);
    expect(await writesOf(stage.cluster(), WORKER.namespace)).toEqual(before);
  });
});

describe('the parts', () => {
  test('the worker was refused nothing that it asked for in the namespaces it may act in', async () => {
    const refused = (await refusedBy(stage.cluster())).filter(
      (line) => !line.includes(`/${WORKER.namespace}/`),
    );
    expect(refused).toEqual([]);
  });

  test('the bot, which holds no credential, talks to no cluster', async () => {
    const { slackSide, world } = stage;
    const events = (await stage.cluster().plane.auditLog()).map(({ userAgent = '' }) => userAgent);
    expect(events.some((agent) => agent.startsWith('tourniquet/'))).toBe(true);
    // With the worker gone nobody talks to a cluster, whatever the bot is asked to do.
    await world.worker().stop();
    const before = (await stage.cluster().plane.auditLog()).filter(isOurs).length;
    const space = await openSpace(stage.cluster().plane);
    const id = await report({ token: await leak(space, 'legacy') });
    await cardShows(slackSide, id, /Somebody|report|Looking|Investigat/i, PATIENCE_MS);
    expect((await stage.cluster().plane.auditLog()).filter(isOurs).length).toBe(before);
    await world.startRole('worker');
    await threadSays(slackSide, id, /Proof: refused by 2 of 2 API servers/, PATIENCE_MS);
  });
});

/** Requests with a leaked token or with a control token; refused ones are in the audit log too. */
const probesAt = async (name: string): Promise<number> =>
  (await stage.cluster(name).plane.auditLog()).filter(({ userAgent }) => userAgent === 'tourniquet-probe')
    .length;

const isOurs = ({ userAgent = '' }: { userAgent?: string }): boolean => userAgent.startsWith('tourniquet');
