import { defineConfig } from 'vitest/config';

// The tier that needs a real control plane, which takes minutes to build once: not part of `npm test`.
export default defineConfig({
  test: {
    globalSetup: ['test/cluster/prepare.ts'],
    include: ['{test/cluster,packages/*/test}/**/*.cluster.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
