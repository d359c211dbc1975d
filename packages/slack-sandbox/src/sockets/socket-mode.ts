// Sends envelopes to the app over one of its sockets and waits for the ack, three seconds at most.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FaultPlan } from '../state/faults.ts';
import { newSecret } from '../state/random.ts';
import type { State } from '../state/state.ts';
import { type Delivery, isRecord, type Json } from '../types.ts';
import { createSocketPool, type SocketPool } from './socket-pool.ts';

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

export interface SocketMode extends Pick<SocketPool, 'issueUrl' | 'recycle' | 'cut' | 'count' | 'close'> {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  deliver(type: EnvelopeType, payload: Json, extra?: Json): Promise<Delivery>;
  /** Sends the last envelope once more, as Slack does with what it believes undelivered. */
  redeliver(): Promise<Delivery>;
}

export interface SocketModeOptions {
  state: State;
  faults: FaultPlan;
  wsOrigin: string;
  random: () => number;
  ackDeadlineMs: number;
}

export function createSocketMode(options: SocketModeOptions): SocketMode {
  const { state, faults, random, ackDeadlineMs } = options;
  let last: Json = {};
  const waiting = new Map<string, (delivery: Delivery) => void>();
  const pool = createSocketPool(state, options.wsOrigin, (text) => {
    state.received.push(text);
    const ack = parseAck(text);
    const isLost = ack !== undefined && faults.takeDroppedAck();
    if (ack && !isLost) waiting.get(ack.id)?.({ status: 'acked', payload: ack.payload });
  });

  const ackOf = (id: string) =>
    new Promise<Delivery>((resolve) => {
      const settle = (delivery: Delivery) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(delivery);
      };
      const timer = setTimeout(() => settle({ status: 'operation_timeout', payload: {} }), ackDeadlineMs);
      waiting.set(id, settle);
    });

  const send = async (envelope: Json, copies: number): Promise<Delivery> => {
    const sockets = pool.usable();
    if (sockets.length === 0) return { status: 'dispatch_failed', payload: {} };
    const acked = ackOf(String(envelope.envelope_id));
    for (let copy = 0; copy < copies; copy += 1)
      sockets[Math.floor(random() * sockets.length)]?.send(JSON.stringify(envelope));
    return await acked;
  };

  return {
    ...pool,
    upgrade(request, socket, head) {
      if (faults.isOutage()) socket.destroy();
      else pool.admit(request, socket, head);
    },
    async deliver(type, payload, extra = {}) {
      const accepts = type !== 'events_api';
      const id = newSecret('');
      last = { envelope_id: id, payload, type, accepts_response_payload: accepts, ...extra };
      return await send(last, faults.takeDuplicate() ? 2 : 1);
    },
    redeliver: () => send(last, 1),
    close() {
      for (const settle of [...waiting.values()]) settle({ status: 'dispatch_failed', payload: {} });
      pool.close();
    },
  };
}

function parseAck(text: string): { id: string; payload: Json } | undefined {
  let ack: unknown;
  try {
    ack = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(ack) || typeof ack.envelope_id !== 'string') return undefined;
  return { id: ack.envelope_id, payload: isRecord(ack.payload) ? ack.payload : {} };
}
