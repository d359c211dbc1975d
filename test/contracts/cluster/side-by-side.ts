// Runs the tests of a suite: first those that work in namespaces of their own side by side, then those that stop the cluster.
import { afterAll, beforeAll, describe } from 'vitest';
import { type Api, openApi } from './api.ts';
import type { Start } from './subject.ts';

type Tests = (api: () => Api) => void;

const LIMIT = 100_000;

export function sideBySide(name: string, start: Start, concurrent: Tests[], alone: Tests[]): void {
  describe(name, { timeout: LIMIT }, () => {
    let api: Api;
    beforeAll(async () => {
      api = openApi(await start());
    }, LIMIT);
    afterAll(async () => {
      await api?.close();
      await api?.subject.close();
    });
    describe.concurrent('side by side', { timeout: LIMIT }, () => {
      for (const tests of concurrent) tests(() => api);
    });
    describe.runIf(alone.length > 0)('alone', { timeout: LIMIT }, () => {
      for (const tests of alone) tests(() => api);
    });
  });
}
