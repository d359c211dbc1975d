// Where Redis is, by one URL: a single server or the Sentinels that know the current one, in the clear or over TLS.

export interface RedisAddress {
  tls: boolean;
  /** One server, or every Sentinel that is named. */
  hosts: { host: string; port: number }[];
  /** Name under which the Sentinels know the primary; undefined: the one host is the server itself. */
  primary: string | undefined;
  database: number;
  username: string | undefined;
  password: string | undefined;
  /** Of the Sentinels themselves. */
  sentinelPassword: string | undefined;
}

export const REDIS_URL_FORMS =
  'redis://host:6379, rediss://host:6379 (TLS), or redis+sentinel://host1:26379,host2:26379/<name of the primary> (rediss+sentinel:// for TLS)';

const SHAPE = /^(rediss?)(\+sentinel)?:\/\/(?:([^@/]*)@)?([^@/?#]+)(\/[^?#]*)?(?:\?([^#]*))?$/;

/** Undefined where this is no address; why is not said, because the text holds a password. */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  const [, scheme, sentinel, user = '', list = '', path = '', query = ''] = SHAPE.exec(url.trim()) ?? [];
  const hosts = list.split(',').map((one) => hostOf(one, sentinel ? 26_379 : 6379));
  const parts = path.split('/').slice(1);
  const primary = sentinel ? decoded(parts.shift()) : undefined;
  const database = parts[0] === undefined || parts[0] === '' ? 0 : Number(parts[0]);
  const [name, ...rest] = user.split(':');
  const credentials = [name, rest.join(':'), new URLSearchParams(query).get('sentinelPassword') ?? ''];
  const [username, password, sentinelPassword] = credentials.map((text, i) => (i < 2 ? decoded(text) : text));
  const sound =
    scheme !== undefined &&
    hosts.every((host) => host !== undefined) &&
    (sentinel ? Boolean(primary) : hosts.length === 1) &&
    Number.isInteger(database) &&
    parts.length <= 1;
  if (!sound) return undefined;
  return {
    tls: scheme === 'rediss',
    hosts: hosts as RedisAddress['hosts'],
    primary,
    database,
    username: username || undefined,
    password: password || undefined,
    sentinelPassword: sentinelPassword || undefined,
  };
}

function hostOf(text: string, usual: number): { host: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: port === undefined ? usual : Number(port) };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    // A per cent sign that is part of the password and was not encoded.
    return text;
  }
}
