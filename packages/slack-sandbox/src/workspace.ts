// Assembles the emulated Slack workspace and hands out the handle by which tests and the demo drive it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Core } from './core.ts';
import { servePage } from './page/page-server.ts';
import { createEvents, EVENT_RETRIES_MS } from './sockets/events.ts';
import { createSocketMode, type SocketMode } from './sockets/socket-mode.ts';
import { createFaults } from './state/faults.ts';
import {
  defaultChannels,
  defaultCommands,
  defaultPeople,
  defaultScopes,
  defaultUserGroups,
  TEAM,
} from './state/people.ts';
import { seededRandom } from './state/random.ts';
import { createRates, type RateMode } from './state/rates.ts';
import { createResponseUrls } from './state/response-urls.ts';
import { createState } from './state/state.ts';
import { createTriggers } from './state/triggers.ts';
import { createViews } from './state/views.ts';
import type { Channel, Demo, Person, SlashCommand, UserGroup } from './types.ts';
import { serveMethod, serveResponseUrl } from './web-api/web-api.ts';
import { createHandle, type Workspace } from './workspace-handle.ts';

export type { Workspace } from './workspace-handle.ts';

export interface WorkspaceOptions {
  people?: Person[];
  channels?: Channel[];
  userGroups?: UserGroup[];
  commands?: SlashCommand[];
  /** Of the bot token. */
  scopes?: readonly string[];
  demos?: Demo[];
  /** Decides which socket gets which envelope. */
  seed?: number;
  port?: number;
  rates?: RateMode;
  /** The clock of ids, limits and lifetimes; acks and retries run on real timers. */
  now?: () => number;
  /** Slack waits 3 s for an ack. */
  ackDeadlineMs?: number;
  /** The waits before an event that was not acked is sent again. */
  eventRetriesMs?: number[];
}

export async function startWorkspace(options: WorkspaceOptions = {}): Promise<Workspace> {
  const server = createServer();
  await listen(server, options.port ?? 0);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const closing = new AbortController();
  const core = assemble(options, origin, closing.signal);
  server.on('request', (request, response) => {
    serve(core, request, response).catch((error: unknown) => {
      if (closing.signal.aborted || response.headersSent) return request.socket.destroy();
      response
        .writeHead(500, { 'content-type': 'text/plain' })
        .end(`The emulator failed: ${String(error)}\n`);
    });
  });
  server.on('upgrade', (request, socket, head) => core.sockets.upgrade(request, socket, head));
  return createHandle(core, async () => {
    closing.abort();
    core.sockets.close();
    core.state.changes.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}

function assemble(options: WorkspaceOptions, origin: string, closing: AbortSignal): Core {
  const now = options.now ?? Date.now;
  const state = createState({
    team: TEAM,
    people: options.people ?? defaultPeople,
    channels: options.channels ?? defaultChannels,
    userGroups: options.userGroups ?? defaultUserGroups,
    commands: options.commands ?? defaultCommands,
    scopes: options.scopes ?? defaultScopes,
    demos: options.demos ?? [],
    now,
  });
  const faults = createFaults(() => sockets.cut());
  const sockets: SocketMode = createSocketMode({
    state,
    faults,
    wsOrigin: origin.replace('http:', 'ws:'),
    random: seededRandom(options.seed ?? 1),
    ackDeadlineMs: options.ackDeadlineMs ?? 3000,
  });
  return {
    state,
    faults,
    sockets,
    origin,
    closing,
    views: createViews(state),
    triggers: createTriggers(now),
    responseUrls: createResponseUrls(origin, now),
    rates: createRates(options.rates ?? 'slack', now),
    sendEvent: createEvents(state, sockets, options.eventRetriesMs ?? EVENT_RETRIES_MS, closing),
  };
}

async function serve(core: Core, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', core.origin);
  if (url.pathname.startsWith('/api/'))
    return await serveMethod(core, url.pathname.slice('/api/'.length), request, response);
  if (url.pathname.startsWith('/actions/'))
    return await serveResponseUrl(core, url.pathname, request, response);
  await servePage(core, url, request, response);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
