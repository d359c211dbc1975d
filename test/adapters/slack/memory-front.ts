// An engine of one process and no cluster: the real fold and the real refusals over a list of events.
import type { CardStore, StoredCard } from '../../../src/adapters/slack/delivery/card-store.ts';
import type { Finding } from '../../../src/contracts/alert-source.ts';
import { refuse } from '../../../src/domain/decision/approval.ts';
import type { Click, Roster } from '../../../src/domain/decision/click.ts';
import { awaitingAfter, rulingOn } from '../../../src/domain/decision/needed.ts';
import type { EventBody, IncidentEvent } from '../../../src/domain/incident/events.ts';
import { fold } from '../../../src/domain/incident/fold.ts';
import type { Front } from '../../../src/engine/ground/front.ts';
import { AppError } from '../../../src/errors.ts';
import type { Answer, Question } from '../../../src/ports/desk.ts';

export interface MemoryFront extends Front {
  events(id: string): IncidentEvent[];
  append(id: string, ...bodies: EventBody[]): void;
  findings: Finding[];
  clicks: { incidentId: string; click: Click; token: string | undefined }[];
  answer: Partial<Answer> | (() => Promise<Answer>);
  problems: string[];
  /** Set: the store is away. */
  away: boolean;
  onAppend: (id: string) => void;
}

export function memoryFront(roster: Omit<Roster, 'teamId'> & { teamId: () => string }): MemoryFront {
  const logs = new Map<string, IncidentEvent[]>();
  const check = () => {
    if (front.away)
      throw new AppError(
        'store-unavailable',
        'The incident log does not answer. Nothing was accepted. Try again in a minute.',
        { retry: true },
      );
  };
  const incidentOf = (id: string) => fold(id, logs.get(id) ?? []);
  const front: MemoryFront = {
    clusters: ['prod', 'staging'],
    findings: [],
    clicks: [],
    answer: {},
    problems: [],
    away: false,
    onAppend: () => undefined,
    events: (id) => logs.get(id) ?? [],
    append(id, ...bodies) {
      const log = logs.get(id) ?? [];
      for (const body of bodies)
        log.push({ ...body, v: log.length + 1, at: new Date(Date.now() + log.length).toISOString() });
      logs.set(id, log);
      front.onAppend(id);
    },
    recognise: async () => undefined,
    async report(finding) {
      check();
      front.findings.push(finding);
      const key = JSON.stringify(finding.alert.subject);
      const same = [...logs].find(
        ([, [first]]) => first?.type === 'alert-received' && JSON.stringify(first.alert.subject) === key,
      );
      const id = same?.[0] ?? `inc-${String(logs.size + 1).padStart(4, '0')}`;
      front.append(id, { type: 'alert-received', alert: finding.alert });
      return { incidentId: id, created: same === undefined };
    },
    async update() {},
    async decide(incidentId, click, token) {
      check();
      front.clicks.push({ incidentId, click, token: token?.reveal() });
      if (!logs.has(incidentId))
        return {
          decided: false,
          refusal: { code: 'unknown-incident', message: 'There is no such incident. Nothing was changed.' },
        };
      const now = { ...roster, teamId: roster.teamId() };
      const at = () => Date.parse(incidentOf(incidentId).updatedAt);
      const refusal = refuse(incidentOf(incidentId), click, now, at());
      if (refusal) return { decided: false, refusal };
      const { verb, by, reason, hash, at: given, together } = click;
      const ruling = rulingOn(incidentOf(incidentId), click.verb, now.policy, at());
      const awaiting = awaitingAfter(incidentOf(incidentId), click, ruling, at());
      front.append(incidentId, {
        type: 'decided',
        decision: {
          verb,
          by: by.id,
          ...(by.groups?.length ? { groups: by.groups } : {}),
          ...(awaiting > 0 ? { awaiting } : {}),
          ...(reason ? { reason } : {}),
          ...(together ? { together } : {}),
          ...(hash ? { hash } : {}),
          ...(given ? { at: given } : {}),
        },
      });
      return { decided: true, incident: incidentOf(incidentId) };
    },
    async pause(by, reason) {
      front.paused = async () =>
        reason === undefined ? undefined : { by: by.id, reason, at: new Date().toISOString() };
      return { switched: true, told: logs.size };
    },
    async askForCard(id, by) {
      if (!logs.has(id)) return false;
      front.append(id, { type: 'card-asked', by: by.id });
      return true;
    },
    paused: async () => undefined,
    async incident(id) {
      check();
      return logs.has(id) ? incidentOf(id) : undefined;
    },
    async incidents(limit) {
      check();
      return [...logs.keys()].toReversed().slice(0, limit).map(incidentOf);
    },
    ask: (_question: Question) =>
      typeof front.answer === 'function'
        ? front.answer()
        : Promise.resolve({ found: [], near: [], problems: [], ...front.answer }),
    health: async () => front.problems,
  };
  return front;
}

export interface MemoryStore extends CardStore {
  cards: Map<string, StoredCard | 'posting'>;
  /** Set: the next put is lost, as by a crash between post and store. */
  failPut: boolean;
}

export function memoryStore(): MemoryStore {
  const store: MemoryStore = {
    cards: new Map(),
    failPut: false,
    get: async (id) => store.cards.get(id),
    async put(id, card) {
      if (store.failPut) {
        store.failPut = false;
        throw new AppError('store-unavailable', 'The store does not answer.', { retry: true });
      }
      store.cards.set(id, card);
    },
    async mark(id, state) {
      store.cards.set(id, state);
    },
    // Bursts are placed by the store in Redis alone; here every incident has a card of its own.
    burstOf: async () => undefined,
    place: async () => undefined,
    members: async () => [],
    touch: async () => undefined,
    touchOf: async () => undefined,
    settle: async () => undefined,
    touched: async () => [],
  };
  return store;
}
