import { defineConfig } from 'vitest/config';

/** Worlds that are killed, cut off, flooded, clicked through and spoiled, long models, a compiler run and the image's files: `npm run test:slow` and CI run them apart. */
export const slow = [
  'test/e2e/faults/**/*.test.ts',
  'test/e2e/attack-flood.test.ts',
  'test/e2e/bad-input-{clicks,content,slack}.test.ts',
  'test/e2e/burst.test.ts',
  'test/e2e/cli.test.ts',
  'test/e2e/documents.test.ts',
  'test/e2e/page.test.ts',
  'test/e2e/rotation-story.test.ts',
  'test/adapters/slack/delivery/bursts.test.ts',
  'test/bench/**/*.test.ts',
  'test/adapters/redis/fail-over.test.ts',
  'test/cli/{audit/all,doctor/clusters,doctor/redis}.test.ts',
  'test/engine/{decide/votes-model,door/escalate,keep/books}.test.ts',
  'test/engine/act/{crash-restart,long-step,rehearsal,replace-service-account,roll-back-killed,take-power-away}.test.ts',
  'test/engine/truth/{broken-builds,truth-long}.test.ts',
  'test/image/**/*.test.ts',
  'test/structure/recipes.test.ts',
  'packages/slack-sandbox/test/page/**/*.test.ts',
];

/** No process, no socket and no module with a state of its own: these share a worker, since starting one takes longer than they do. */
const pure = ['test/{commands,domain,sources,structure,words}/**/*.test.ts'];

const limits = { testTimeout: 20_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Two cores: more workers only make the tests that talk over sockets wait for each other.
    maxWorkers: 2,
    globalSetup: ['test/hint.ts'],
    projects: [
      { test: { name: 'pure', include: pure, exclude: slow, isolate: false, ...limits } },
      {
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: [...slow, ...pure],
          ...limits,
        },
      },
    ],
  },
});
