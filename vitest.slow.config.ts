import { defineConfig } from 'vitest/config';
import { slow } from './vitest.config.ts';

export default defineConfig({
  test: { include: slow, testTimeout: 60_000, hookTimeout: 120_000, maxWorkers: 2 },
});
