// What every line says that is written during some work, however deep: which incident, which job, which step.
import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();

/** Identifiers only. What a line says itself comes first. */
export function withLogFields<T>(fields: Readonly<Record<string, unknown>>, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...fields }, work);
}

export const logFields = (): Readonly<Record<string, unknown>> => storage.getStore() ?? {};
