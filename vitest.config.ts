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

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: slow,
    globalSetup: ['test/hint.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    // Two cores: more workers only make the tests that talk over sockets wait for each other.
    maxWorkers: 2,
  },
});
