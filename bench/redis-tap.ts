// Stands between one process and Redis and notes what is sent in one packet, because what shares a packet shares a round trip.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Packet {
  /** As performance.now() counts. */
  at: number;
  /** Each as a list of words; a script is named by its first comment. */
  commands: string[][];
}

export interface Tap {
  url: string;
  packets: Packet[];
  close(): Promise<void>;
}

/** Shared by all taps: a script is sent in full once, and then called by its hash from anywhere. */
export type ScriptNames = Map<string, string>;

export async function tapRedis(url: string, names: ScriptNames): Promise<Tap> {
  const { hostname, port } = new URL(url);
  const packets: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      socket.setNoDelay();
      socket.on('error', () => undefined);
      sockets.add(socket);
    }
    client.on('data', (chunk) => {
      packets.push({
        at: performance.now(),
        commands: commandsIn(chunk.toString('latin1')).map((words) => name(words, names)),
      });
    });
    client.pipe(redis).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    packets,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** RESP arrays of bulk strings. A command that goes on in the next packet yields the words that are there. */
function commandsIn(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) break;
    const size = Number(text.slice(at + 1, end));
    if (text[at] === '*') {
      words = [];
      commands.push(words);
      at = end + 2;
    } else if (text[at] === '$') {
      words.push(text.slice(end + 2, end + 2 + size));
      at = end + 2 + size + 2;
    } else break;
  }
  return commands;
}

function name(words: string[], names: ScriptNames): string[] {
  const [command = '', script = '', ...rest] = words;
  const verb = command.toLowerCase();
  if (verb === 'eval') {
    const title = /--\[\[\s*([^\n]+)/.exec(script)?.[1] ?? 'our own script';
    names.set(createHash('sha1').update(script, 'latin1').digest('hex'), title.trim());
    return [verb, title.trim(), ...rest];
  }
  return verb === 'evalsha' ? [verb, names.get(script) ?? script, ...rest] : [verb, script, ...rest];
}
