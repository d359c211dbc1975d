// What the tests of the main job share: a whole world around real control planes, and questions to their servers.
import { statusWith } from '../../sandbox/ask.ts';
import {
  type RealWorld,
  type RealWorldCluster,
  realCluster,
  slackSideOf,
  USERNAME,
} from '../../sandbox/real-world.ts';
import { inspectTraces } from '../../sandbox/traces.ts';
import { startWorld, type World, type WorldOptions } from '../../sandbox/world.ts';

export interface RealStage {
  world: RealWorld;
  /** The Slack side of it, for the words that the simulated stage has too; there is no simulated cluster in it. */
  slackSide: World;
  cluster(name?: string): RealWorldCluster;
  close(): Promise<void>;
}

export async function openRealStage(
  clusters: Record<string, { servers: 1 | 2 }>,
  config: WorldOptions['config'] = {},
): Promise<RealStage> {
  const world = await startWorld<RealWorldCluster>({
    clusters: Object.fromEntries(
      Object.entries(clusters).map(([name, options]) => [name, realCluster(name, options)]),
    ),
    slack: { rates: 'off' },
    config: {
      autoContain: 'token-in-hand',
      autoContainPerHour: 1000,
      proof: { stability: '300ms', retryEvery: '100ms', recheckAfter: ['1h'] },
      sweepEvery: '500ms',
      ...config,
      slack: { updateEvery: '1ms', burst: { cards: 1000 } },
    },
  });
  return {
    world,
    slackSide: slackSideOf(world),
    cluster: (name = 'prod') => world.cluster(name),
    close: world.close,
  };
}

/** What each API server answers, asked at its own address over a fresh connection. */
export const answersTo = ({ servers, caPem }: RealWorldCluster, token: string): Promise<number[]> =>
  Promise.all(servers.map(({ url }) => statusWith(url, caPem, token)));

export const tracesOf = ({ slackSide }: RealStage, token: string) => inspectTraces(slackSide, token);

/** `verb resource name status`, of everything that the worker asked to change there in earnest; without a namespace, of the cluster's own. */
export async function writesOf({ plane }: RealWorldCluster, namespace?: string): Promise<string[]> {
  const events = await plane.auditLog();
  return events.flatMap(({ user, verb, objectRef: ref, requestURI, responseStatus }) =>
    user.username === USERNAME &&
    !requestURI.includes('dryRun') &&
    ref !== undefined &&
    ref.namespace === namespace &&
    !['get', 'list'].includes(verb)
      ? [`${verb} ${ref.resource} ${ref.name ?? ''} ${responseStatus?.code}`]
      : [],
  );
}

/** Requests that the API servers answered with 403, as `verb group/resource`. */
export async function refusedBy({ plane }: RealWorldCluster, username = USERNAME): Promise<string[]> {
  const events = await plane.auditLog();
  return events
    .filter(({ user, responseStatus }) => user.username === username && responseStatus?.code === 403)
    .map(({ verb, requestURI }) => `${verb} ${requestURI.split('?')[0]}`);
}
