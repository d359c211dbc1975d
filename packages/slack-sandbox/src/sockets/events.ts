// Delivers events and, unlike commands and clicks, redelivers those that were not acked.
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../state/random.ts';
import type { State } from '../state/state.ts';
import type { Json } from '../types.ts';
import type { SocketMode } from './socket-mode.ts';

/** Slack tries again almost at once, after a minute, after five. */
export const EVENT_RETRIES_MS = [0, 60_000, 300_000];

export function createEvents(
  state: State,
  sockets: SocketMode,
  retriesMs: number[],
  closing: AbortSignal,
): (event: Json) => Promise<boolean> {
  return async (event) => {
    const body = eventBody(state, event);
    let reason = '';
    for (const [attempt, waitMs] of [0, ...retriesMs].entries()) {
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: closing }).catch(() => undefined);
      if (closing.aborted) return false;
      const { status } = await sockets.deliver('events_api', body, {
        retry_attempt: attempt,
        retry_reason: reason,
      });
      if (status === 'acked') return true;
      reason = status === 'operation_timeout' ? 'timeout' : 'connection_failed';
    }
    return false;
  };
}

function eventBody(state: State, event: Json): Json {
  return {
    type: 'event_callback',
    token: state.verificationToken,
    team_id: state.team.id,
    context_team_id: state.team.id,
    api_app_id: state.appId,
    event,
    event_id: newId('Ev'),
    event_time: Math.floor(state.now() / 1000),
    is_ext_shared_channel: false,
    authorizations: [
      {
        enterprise_id: null,
        team_id: state.team.id,
        user_id: state.botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
  };
}
