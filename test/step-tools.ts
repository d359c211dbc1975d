// What an action is given, outside the engine: it remembers in memory, shows progress to nobody and does not wait.
import type { StepTools } from '../src/contracts/action.ts';
import type { Memory } from '../src/domain/incident/incident.ts';
import type { TokenIdentity } from '../src/domain/token/identity.ts';
import type { Cluster } from '../src/ports/cluster.ts';
import type { Secret } from '../src/secret.ts';

export function stepTools(cluster: Cluster, identity: TokenIdentity, token?: Secret): StepTools {
  const memory: Memory = {};
  return {
    cluster,
    identity,
    ...(token ? { token } : {}),
    today: '2026-11-24',
    memory,
    now: () => Date.now(),
    remember: async (note) => void Object.assign(memory, note),
    progress: async () => {},
    signal: new AbortController().signal,
    sleep: async () => {},
  };
}
