// The incident log and the vault in memory, with the semantics of the Redis ones: compare-and-set, claims, budget, sealing.
import { createHash } from 'node:crypto';
import type { IncidentEvent } from '../src/domain/incident/events.ts';
import type { Pause } from '../src/domain/incident/incident.ts';
import { scrubbed } from '../src/domain/text/scrub.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { AppendRequest, AppendResult, IncidentLog, LoadedIncident } from '../src/ports/incident-log.ts';
import type { PauseSwitch } from '../src/ports/pause-switch.ts';
import type { Vault } from '../src/ports/vault.ts';
import type { Secret } from '../src/secret.ts';
import { createKeptState } from './kept-state.ts';

export interface Memory extends IncidentLog, Vault {
  events(id: string): IncidentEvent[];
  ids(): string[];
  /** Whether a token is held sealed for this incident. */
  holds(id: string): boolean;
}

export function memoryLog(clock: Clock): Memory {
  const logs = new Map<string, IncidentEvent[]>();
  const cursors = new Map<string, Record<string, number>>();
  const claims = new Map<string, string>();
  const tokens = new Map<string, Secret>();
  const about = new Map<string, Set<string>>();
  const sweep = new Set<string>();
  const heard = new Map<string, Map<string, number>>();
  const repeats = new Map<string, number>();
  const counted = (id: string): number => repeats.get(id) ?? 0;
  const spent = new Map<string, Map<string, number>>();
  const kept = new Map<string, ReturnType<typeof createKeptState>>();
  const head = (id: string): string => String(logs.get(id)?.length ?? 0);

  const refuse = ({ id, expected, claim = [], budgets = [] }: AppendRequest): AppendResult | undefined => {
    if ((logs.get(id)?.length ?? 0) !== expected) return { kind: 'conflict' };
    for (const { key, from } of claim) {
      const by = claims.get(key);
      if (by !== undefined && by !== from && by !== id) return { kind: 'held', by, key };
    }
    const over = budgets.find(({ name, windowMs, limit, member }) => {
      const since = clock.now() - windowMs;
      const others = [...(spent.get(name) ?? [])].filter(([who, at]) => at > since && who !== member);
      return others.length >= limit;
    });
    return over && { kind: 'over-budget', budget: over.name };
  };

  const read = (id: string, after: number): LoadedIncident | undefined => {
    const events = logs.get(id);
    if (events === undefined || events.length < after) return undefined;
    const found = { cursors: { ...cursors.get(id) }, head: head(id), repeats: counted(id) };
    return { events: structuredClone(events.slice(after)), ...found };
  };

  return {
    async append(request) {
      const refused = refuse(request);
      if (refused) return refused;
      if (scrubbed(request.events) !== request.events) throw new Error('An event holds a token.');
      const { id, expected, events, claim = [], seal, budgets = [] } = request;
      const at = new Date(Math.max(clock.now(), request.notBefore ?? 0)).toISOString();
      // Through JSON, as every stored event goes: what does not survive it must not be relied on.
      const added = JSON.parse(
        JSON.stringify(events.map((body, i) => ({ v: expected + i + 1, at, ...body }))),
      );
      logs.set(id, [...(logs.get(id) ?? []), ...added]);
      const goOn = kept.get(id) ?? createKeptState(id);
      kept.set(id, goOn);
      goOn(added);
      for (const { key } of claim) claims.set(key, id);
      if (expected > 0) heard.delete(id);
      repeats.set(id, counted(id) - (request.repeats ?? 0));
      if (seal) tokens.set(id, seal.token);
      for (const { name, member = `${id}/${expected}` } of budgets)
        spent.set(name, (spent.get(name) ?? new Map<string, number>()).set(member, clock.now()));
      for (const name of request.about ?? []) about.set(name, (about.get(name) ?? new Set()).add(id));
      sweep.add(id);
      return { kind: 'appended', events: added, head: head(id) };
    },
    load: async (id) => read(id, 0),
    loadAfter: async (id, version) => read(id, version),
    async recognise(key, said) {
      const by = claims.get(key);
      if (by === undefined) return undefined;
      const quiet = (heard.get(by)?.get(said) ?? 0) > clock.now();
      if (quiet) repeats.set(by, counted(by) + 1);
      return { by, counted: quiet };
    },
    async quiet(id, version, said, forMs) {
      repeats.set(id, counted(id) + 1);
      if (logs.get(id)?.length !== version) return;
      heard.set(id, (heard.get(id) ?? new Map()).set(said, clock.now() + forMs));
    },
    find: async (key) => claims.get(key),
    about: async (name) => [...(about.get(name) ?? [])],
    versions: async (ids) => ids.map((id) => logs.get(id)?.length ?? 0),
    list: async (limit) => [...logs.keys()].toReversed().slice(0, limit),
    toSweep: async () => [...sweep],
    async settle(id, version) {
      if (logs.get(id)?.length === version) sweep.delete(id);
    },
    async advance(reporter, id, version) {
      // Never back, as in Redis.
      const reached = Math.max(version, cursors.get(id)?.[reporter] ?? 0);
      cursors.set(id, { ...cursors.get(id), [reporter]: reached });
      return reached;
    },
    open: async (id) => tokens.get(id),
    destroy: async (id) => void tokens.delete(id),
    fingerprint: (token) => createHash('sha256').update(token.reveal()).digest('hex'),
    events: (id) => logs.get(id) ?? [],
    ids: () => [...logs.keys()],
    holds: (id) => tokens.has(id),
  };
}

export function memorySwitch(): PauseSwitch {
  let now: Pause | undefined;
  return {
    read: async () => now,
    async write(pause) {
      now = pause;
    },
  };
}
