// Every way of saying where Redis is, and that nothing else is taken for one.
import { describe, expect, test } from 'vitest';
import { parseRedisUrl, type RedisAddress } from '../../src/config/redis-url.ts';

const address = (given: Partial<RedisAddress>): RedisAddress => ({
  tls: false,
  hosts: [{ host: 'redis', port: 6379 }],
  primary: undefined,
  database: 0,
  username: undefined,
  password: undefined,
  sentinelPassword: undefined,
  ...given,
});
const two = [
  { host: 'a', port: 26_379 },
  { host: 'b', port: 5000 },
];

test.each<[string, Partial<RedisAddress>]>([
  ['redis://redis', {}],
  ['redis://redis:6380/3', { hosts: [{ host: 'redis', port: 6380 }], database: 3 }],
  ['redis://redis:6379/', {}],
  ['rediss://redis', { tls: true }],
  ['redis://:p%40ss:word@redis', { password: 'p@ss:word' }],
  ['redis://app:50%off@redis', { username: 'app', password: '50%off' }],
  ['redis://[::1]:6379', { hosts: [{ host: '::1', port: 6379 }] }],
  ['redis+sentinel://a,b:5000/mymaster', { hosts: two, primary: 'mymaster' }],
  ['redis+sentinel://a,b:5000/my%2Fmaster/2', { hosts: two, primary: 'my/master', database: 2 }],
  [
    'rediss+sentinel://app:word@a,b:5000/m?sentinelPassword=other',
    { tls: true, hosts: two, primary: 'm', username: 'app', password: 'word', sentinelPassword: 'other' },
  ],
])('%s', (url, expected) => {
  expect(parseRedisUrl(url)).toEqual(address(expected));
});

describe('what is no address', () => {
  test.each([
    ['', 'nothing'],
    ['redis:6379', 'no scheme'],
    ['http://redis:6379', 'another scheme'],
    ['redis://', 'no host'],
    ['redis://a,b', 'two hosts without Sentinels'],
    ['redis://redis:port', 'a port in words'],
    ['redis://redis/first', 'a database in words'],
    ['redis+sentinel://a,b', 'no name of the primary'],
    ['redis+sentinel://a,,b/m', 'an empty host'],
    ['redis+sentinel://a/m/0/1', 'a path too long'],
  ])('%s (%s)', (url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
  });
});
