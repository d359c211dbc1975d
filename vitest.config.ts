import { defineConfig } from 'vitest/config';

/** Worlds that are killed, cut off and flooded, a compiler run, the image's files, and the emulator's own page: `npm run test:slow` and CI run them apart. */
export const slow = [
  'test/e2e/faults/{bot-killed,burst,clicks,cluster,redis,slack,stop}.test.ts',
  'test/e2e/attack-flood.test.ts',
  'test/e2e/rotation-story.test.ts',
  'test/bench/**/*.test.ts',
  'test/engine/crash-restart.test.ts',
  'test/image/**/*.test.ts',
  'test/structure/recipes.test.ts',
  'test/sandbox/page/**/*.test.ts',
];

/** No process, no socket and no module with a state of its own: these share a worker, since starting one takes longer than they do. */
const pure = ['test/domain/**/*.test.ts', 'test/sources/**/*.test.ts', 'test/commands/**/*.test.ts'];

const limits = { testTimeout: 20_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Two cores: more workers only make the tests that talk over sockets wait for each other.
    maxWorkers: 2,
    globalSetup: ['test/hint.ts'],
    projects: [
      { test: { name: 'pure', include: pure, isolate: false, ...limits } },
      { test: { name: 'parts', include: ['test/**/*.test.ts'], exclude: [...slow, ...pure], ...limits } },
    ],
  },
});
