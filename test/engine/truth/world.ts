// One sequence's world: the clusters, the log, the processes and one true clock; work is done when it is due, and the clock moves instead of anybody waiting.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aPolicy } from '../../builders.ts';
import { type Memory, memoryLog, memorySwitch } from '../../memory-log.ts';
import { type Case, noteIdentified, noteRefusals } from './cases.ts';
import type { RequestMatcher } from './cluster-operations.ts';
import { Dead, type Shared, startBot, startWorker, type Worker } from './process.ts';
import {
  doWork,
  type Front,
  fold,
  type Incident,
  type LoadedIncident,
  owed,
  type Policy,
  type Work,
  type WorkKind,
} from './product.ts';
import { openStage, START, type Stage, type StageOptions } from './stage.ts';

export interface WorldOptions extends StageOptions {
  autoContain: boolean;
}

export const PEOPLE = { responders: ['UMAYA'], approvers: ['UINES', 'UTOMAS'] };

export const policyOf = (autoContain: boolean, approvals = 1): Policy =>
  aPolicy(approvals === 1 ? {} : { rules: [{ name: 'two', do: { revoke: { approvals } } }] }, {
    people: PEOPLE,
    autoContain: autoContain ? 'token-in-hand' : 'off',
  });

/** For the kubeconfigs of one world after the other. */
const directory = mkdtempSync(join(tmpdir(), 'tourniquet-truth-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

/** Turns of one `work`; what needs more goes round in circles. */
const TURNS = 200;

export class World {
  now = START;
  readonly memory: Memory;
  readonly stage: Stage;
  policy: Policy;
  bot!: Front;
  botSkewMs = 0;
  workers: Worker[] = [];
  readonly #shared: Shared;
  /** Work that changed nothing when it was done, by incident: the sweeper's next turn is not worth another. */
  readonly #idle = new Map<string, number>();
  readonly #owed = new Map<string, { events: unknown; work: Work[] }>();
  #stampMs = 0;
  /** What happens in the middle of the worker's next request of that kind. */
  trap: { matches: RequestMatcher; spring: () => Promise<void> } | undefined;
  readonly cases: Case[] = [];

  static async open(options: WorldOptions): Promise<World> {
    let world: World | undefined;
    const clock = { now: () => world?.now ?? START };
    world = new World(options, await openStage(directory, clock, options));
    await world.startWorker();
    return world;
  }

  private constructor({ autoContain }: WorldOptions, stage: Stage) {
    this.stage = stage;
    this.policy = policyOf(autoContain);
    this.memory = memoryLog({ now: () => this.now + this.#stampMs });
    const taken = new Map<string, number>();
    this.#shared = {
      // Without the copy of each load that the in-memory log makes: it would take as long as everything else.
      log: { ...this.memory, load: async (id) => this.#loaded(id) },
      vault: this.memory,
      pause: memorySwitch(),
      clock: { now: () => this.now },
      ambush: async (request) => {
        const { trap } = this;
        if (!trap?.matches(request)) return;
        this.trap = undefined;
        await trap.spring();
      },
      stamping: (skewMs) => {
        this.#stampMs = skewMs;
      },
      sleep: async (ms) => {
        this.now += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
      locks: {
        take: async (name, ttlMs) => {
          if ((taken.get(name) ?? 0) > this.now) return undefined;
          const until = this.now + ttlMs;
          taken.set(name, until);
          return { held: () => this.now < until, release: async () => void taken.delete(name) };
        },
      },
    };
    this.bot = startBot(this.#shared, stage, this.policy, 0);
  }

  incident(id: string): Incident {
    return fold(id, this.memory.events(id));
  }

  addCase(one: Case): Case {
    this.cases.push(one);
    return one;
  }

  nthCase = (nth: number): Case | undefined => this.cases[nth % this.cases.length];

  noteRefusals(): void {
    for (const one of this.cases) noteRefusals(one, this.stage);
  }

  noteCases(): void {
    this.noteRefusals();
    for (const one of this.cases) {
      const identifications = this.memory.events(one.id).filter(({ type }) => type === 'identified').length;
      noteIdentified(one, identifications, this.stage);
    }
  }

  async startWorker(skewMs = 0): Promise<void> {
    const worker = await startWorker(this.#shared, this.stage, this.policy, skewMs);
    this.workers.push(worker);
  }

  /** All workers gone, and as many new ones: with empty caches, and the first by another clock where that is wanted. */
  async restartWorkers(firstSkewMs?: number): Promise<void> {
    const skews = this.workers.map(({ skewMs }) => skewMs);
    if (firstSkewMs !== undefined) skews[0] = firstSkewMs;
    this.workers = [];
    for (const skewMs of skews.length === 0 ? [0] : skews) await this.startWorker(skewMs);
  }

  restartBot(skewMs: number): void {
    this.botSkewMs = skewMs;
    this.bot = startBot(this.#shared, this.stage, this.policy, skewMs);
  }

  pending(id: string): Work[] {
    const [worker] = this.workers;
    const loaded = this.#loaded(id);
    if (worker === undefined || loaded === undefined) return [];
    const known = this.#owed.get(id);
    if (known?.events === loaded.events) return known.work;
    const work = owed(worker.deps, { ...loaded, incident: this.incident(id) }).sort((a, b) => a.at - b.at);
    this.#owed.set(id, { events: loaded.events, work });
    return work;
  }

  #loaded(id: string): LoadedIncident | undefined {
    const events = this.memory.events(id);
    for (const event of events) deepFreeze(event);
    return events.length === 0 ? undefined : { events, cursors: {}, head: String(events.length) };
  }

  /** By every worker at once, as a stalled job is; the dead are replaced. */
  async do(kind: WorkKind, incidentId: string): Promise<'lived' | 'died'> {
    const done = await Promise.allSettled(this.workers.map(({ deps }) => doWork(deps, { kind, incidentId })));
    this.noteRefusals();
    for (const result of done)
      if (result.status === 'rejected' && !(result.reason instanceof Dead)) throw result.reason;
    if (this.workers.every(({ dead }) => !dead)) return 'lived';
    await this.restartWorkers();
    return 'died';
  }

  /** Everything that is due by the clock of the workers. */
  async work(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns++) {
      const next = this.#next();
      if (next === undefined || this.#trueTime(next) > this.now) return;
      const before = this.memory.events(next.incidentId).length;
      const ended = await this.do(next.kind, next.incidentId);
      const after = this.memory.events(next.incidentId).length;
      if (after === before && ended === 'lived') this.#idle.set(next.id, after);
    }
    throw new Error(`still due after ${TURNS} turns: ${this.#next()?.id}`);
  }

  /** Lets time pass; everything is done when it is due. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    this.#idle.clear();
    for (let turns = 0; turns < TURNS; turns++) {
      await this.work();
      const next = this.#next();
      const at = next && this.#trueTime(next);
      // What is tried again every minute for days is left alone after a while, as by a worker that is down.
      if (at === undefined || at > until || turns === TURNS - 1) {
        this.now = Math.max(this.now, until);
        await Promise.all(this.workers.map((worker) => worker.ping()));
        return await this.work();
      }
      this.now = Math.max(this.now, at);
    }
  }

  close = (): Promise<void> => this.stage.close();

  readonly #trueTime = ({ at }: Work): number => at - (this.workers[0]?.skewMs ?? 0);

  #next(): Work | undefined {
    const all = this.memory.ids().flatMap((id) => this.pending(id));
    const idle = ({ id, incidentId }: Work) => this.#idle.get(id) === this.memory.events(incidentId).length;
    return all.filter((work) => !idle(work)).sort((a, b) => a.at - b.at)[0];
  }
}

/** Whoever changed what was loaded would change the log itself. */
function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
