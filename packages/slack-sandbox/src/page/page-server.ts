// Serves the browser page: its files, its stream of states, and what its visitor does.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { Core } from '../core.ts';
import { act, activePerson, openHome, say, slash } from '../interactivity/client.ts';
import { closeView, submit } from '../interactivity/modals.ts';
import { isRecord, type Json, type StateValues } from '../types.ts';
import { readBody } from '../web-api/arguments.ts';
import { pageState } from './page-state.ts';

const FOLDER = join(import.meta.dirname, 'browser');
/** No name starts with a dot, so that no path leads out of the folder. */
const FILE = /^\/page\/((?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*)$/;
const COALESCE_MS = 40;
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export async function servePage(
  core: Core,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOwnPage(core, request)) {
    answer(response, 403, { ok: false, error: 'foreign_origin' });
    return;
  }
  if (request.method === 'POST') {
    await servePost(core, url.pathname, request, response);
    return;
  }
  if (url.pathname === '/page/events') {
    serveEvents(core, url.searchParams.get('user') ?? '', response);
    return;
  }
  const link = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(url.pathname);
  if (link) {
    response.writeHead(302, { location: `/?channel=${link[1]}&ts=${link[2]}.${link[3]}` }).end();
    return;
  }
  await serveFile(url.pathname, response);
}

/** Another site open in the same browser must neither read nor drive the workspace. */
function isOwnPage(core: Core, request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  const port = new URL(core.origin).port;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (host === undefined || !hosts.includes(host)) return false;
  return origin === undefined || hosts.some((own) => origin === `http://${own}`);
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const name = path === '/' ? 'index.html' : (FILE.exec(path)?.[1] ?? '');
  const type = TYPES[extname(name)];
  try {
    if (type === undefined) throw new Error('not a file of the page');
    const content = await readFile(join(FOLDER, name));
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(content);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end(`There is no page file ${path}.\n`);
  }
}

/** A first visit knows nobody yet and is the first person who could be one; the page learns who from the state. */
function viewerOf({ state }: Core, wanted: string): string {
  const people = state.people.filter(({ isBot, isDeactivated }) => !isBot && !isDeactivated);
  return (people.find(({ id }) => id === wanted) ?? people[0])?.id ?? '';
}

function serveEvents(core: Core, wanted: string, response: ServerResponse): void {
  const user = viewerOf(core, wanted);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let timer: NodeJS.Timeout | undefined;
  const push = () => {
    timer = undefined;
    response.write(`data: ${JSON.stringify(pageState(core, user))}\n\n`);
  };
  const stop = core.state.changes.onChange(() => {
    timer ??= setTimeout(push, COALESCE_MS);
  });
  const end = () => {
    stop();
    clearTimeout(timer);
    response.end();
  };
  response.on('close', end);
  core.closing.addEventListener('abort', end, { once: true });
  push();
}

type Post = (core: Core, body: Json) => unknown;

const POSTS: Record<string, Post> = {
  '/page/slash': (core, body) => slash(core, text(body, 'user'), text(body, 'channel'), text(body, 'text')),
  '/page/message': (core, body) => {
    const thread = body.threadTs === undefined ? undefined : text(body, 'threadTs');
    return say(core, text(body, 'user'), text(body, 'channel'), text(body, 'text'), thread);
  },
  '/page/action': (core, body) => {
    const container = record(body, 'container');
    const where =
      container.type === 'view'
        ? { viewId: text(container, 'viewId') }
        : { channel: text(container, 'channel'), ts: text(container, 'ts') };
    const values = (body.values ?? {}) as StateValues;
    return act(core, text(body, 'user'), where, record(body, 'action'), values);
  },
  '/page/submit': (core, body) =>
    submit(core, text(body, 'user'), text(body, 'viewId'), (body.values ?? {}) as StateValues),
  '/page/close': (core, body) => closeView(core, text(body, 'user'), text(body, 'viewId')),
  '/page/home': (core, body) => openHome(core, text(body, 'user')),
  '/page/demo': (core, body) => {
    const user = activePerson(core, text(body, 'user'));
    const demo = core.state.demos.find((candidate) => candidate.id === body.id);
    if (!demo) throw new Error(`There is no demo ${String(body.id)}.`);
    return demo.run(user.id);
  },
  '/page/dismiss': ({ state }, body) => {
    const index = state.notices.findIndex((notice) => notice.id === body.notice && notice.user === body.user);
    if (index >= 0) state.notices.splice(index, 1);
    state.changes.changed();
  },
};

async function servePost(
  core: Core,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const post = Object.hasOwn(POSTS, path) ? POSTS[path] : undefined;
  if (!post) {
    answer(response, 404, { ok: false, error: 'unknown_endpoint' });
    return;
  }
  // A form of another site can send text, but not JSON.
  if (!request.headers['content-type']?.startsWith('application/json')) {
    answer(response, 415, { ok: false, error: 'send JSON' });
    return;
  }
  try {
    const body: unknown = JSON.parse(await readBody(request));
    if (!isRecord(body)) throw new Error('The body must be a JSON object.');
    await post(core, body);
    answer(response, 200, { ok: true });
  } catch (error) {
    answer(response, 200, { ok: false, error: error instanceof Error ? error.message : String(error) });
  }
}

function text(body: Json, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new Error(`${name} must be a string.`);
  return value;
}

function record(body: Json, name: string): Json {
  const value = body[name];
  if (!isRecord(value)) throw new Error(`${name} must be an object.`);
  return value;
}

function answer(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
