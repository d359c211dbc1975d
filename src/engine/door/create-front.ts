// The engine as the people-facing adapters see it.
import type { Roster } from '../../domain/decision/click.ts';
import { fold } from '../../domain/incident/fold.ts';
import type { Answer, Question } from '../../ports/desk.ts';
import { recordDecision } from '../decide/decide.ts';
import type { BotDeps } from '../ground/deps.ts';
import type { Front } from '../ground/front.ts';
import { switchPause } from '../ground/pause.ts';
import { change, enqueue, openSession } from '../ground/session.ts';
import { receiveAlert, receiveUpdate, recognise } from '../intake/receive-alert.ts';

export interface FrontOptions {
  /** With the workspace, which is known once the chat has answered. */
  roster: Roster;
  clusters: string[];
  ask(question: Question): Promise<Answer>;
  health(): Promise<string[]>;
}

export function createFront(deps: BotDeps, { roster, clusters, ask, health }: FrontOptions): Front {
  const incident: Front['incident'] = async (id) => {
    const loaded = await deps.log.load(id);
    return loaded && fold(id, loaded.events);
  };
  return {
    report: (finding, known) => receiveAlert(deps, finding, known),
    recognise: (finding) => recognise(deps, finding),
    update: (update) => receiveUpdate(deps, update),
    decide: (id, click, token) => recordDecision(deps, roster, id, click, token),
    pause: (by, reason) => switchPause(deps, by, reason),
    async askForCard(id, by) {
      const session = await openSession(deps, id);
      if (session === undefined) return false;
      await change(deps, session, () => [{ type: 'card-asked', by: by.id }]);
      await enqueue(deps, session);
      return true;
    },
    paused: () => deps.pause.read(),
    incident,
    async incidents(limit) {
      const found = await Promise.all((await deps.log.list(limit)).map(incident));
      return found.filter((one) => one !== undefined);
    },
    ask,
    health,
    clusters,
  };
}
