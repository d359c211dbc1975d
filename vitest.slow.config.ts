import { defineConfig } from 'vitest/config';
import { slow } from './vitest.config.ts';

/** Many processes each, and people who wait for them as long as Slack does: beside nothing else, on two cores. */
const crowded = [
  'test/adapters/redis/fail-over.test.ts',
  'test/e2e/faults/{killed-anywhere,two-of-each}.test.ts',
];

const limits = { testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'slow',
          include: slow,
          exclude: crowded,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...limits,
        },
      },
      { test: { name: 'crowded', include: crowded, maxWorkers: 1, sequence: { groupOrder: 1 }, ...limits } },
    ],
  },
});
