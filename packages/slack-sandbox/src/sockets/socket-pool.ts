// The WebSocket connections of the app: tickets, hello, pings, recycling.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { newSecret } from '../state/random.ts';
import type { State } from '../state/state.ts';

const MAX_SOCKETS = 10;
const PING_MS = 10_000;
/** How long a socket that was asked to go may linger. */
const LINGER_MS = 10_000;

export type DisconnectReason = 'warning' | 'refresh_requested' | 'too_many_websockets';

export interface SocketPool {
  issueUrl(): string;
  admit(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Those that may be written to: open, and not asked to go. */
  usable(): WebSocket[];
  /** Asks sockets to go, as Slack does when it recycles a host. Returns how many were asked. */
  recycle(reason: DisconnectReason, count: number): number;
  /** Cuts every connection without a word. */
  cut(): void;
  count(): number;
  close(): void;
}

export function createSocketPool(state: State, wsOrigin: string, onText: (text: string) => void): SocketPool {
  const server = new WebSocketServer({ noServer: true });
  const tickets = createTickets(state.appId, wsOrigin);
  const leaving = new Map<WebSocket, NodeJS.Timeout>();
  const usable = () =>
    [...server.clients].filter((socket) => socket.readyState === WebSocket.OPEN && !leaving.has(socket));
  const pings = setInterval(() => {
    for (const socket of usable()) socket.ping('Ping from the emulator');
  }, PING_MS);

  const dismiss = (socket: WebSocket, reason: DisconnectReason) => {
    socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'emulator' } }));
    const end = setTimeout(() => socket.terminate(), LINGER_MS);
    leaving.set(socket, end);
  };
  const welcome = (socket: WebSocket) => {
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearTimeout(leaving.get(socket));
      leaving.delete(socket);
      state.changes.changed();
    });
    socket.on('message', (data) => onText(String(data)));
    if (usable().length > MAX_SOCKETS) dismiss(socket, 'too_many_websockets');
    else socket.send(hello(state.appId, usable().length));
    state.changes.changed();
  };
  const cut = () => {
    for (const socket of server.clients) socket.terminate();
  };

  return {
    issueUrl: tickets.issueUrl,
    admit(request, socket, head) {
      if (tickets.redeem(request.url)) server.handleUpgrade(request, socket, head, welcome);
      else socket.destroy();
    },
    usable,
    recycle(reason, count) {
      const sockets = usable().slice(0, count);
      for (const socket of sockets) dismiss(socket, reason);
      return sockets.length;
    },
    cut,
    count: () => server.clients.size,
    close() {
      clearInterval(pings);
      cut();
      server.close();
    },
  };
}

interface Tickets {
  issueUrl(): string;
  /** Whether the URL has a ticket that nobody came with before. */
  redeem(url: string | undefined): boolean;
}

function createTickets(appId: string, wsOrigin: string): Tickets {
  const open = new Set<string>();
  return {
    issueUrl() {
      const ticket = newSecret('');
      open.add(ticket);
      return `${wsOrigin}/link/?ticket=${ticket}&app_id=${appId}`;
    },
    redeem: (url = '/') => open.delete(new URL(url, 'http://localhost').searchParams.get('ticket') ?? ''),
  };
}

function hello(appId: string, connections: number): string {
  return JSON.stringify({
    type: 'hello',
    num_connections: connections,
    connection_info: { app_id: appId },
    debug_info: { host: 'emulator', build_number: 1, approximate_connection_time: 3600 },
  });
}
