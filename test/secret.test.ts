// A Secret shows itself to nobody who did not ask for its value.
import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '../src/secret.ts';

const secret = new Secret('the-value');

describe('every way of turning it into text says [secret]', () => {
  test.each<[string, () => string]>([
    ['a template', () => `${secret}`],
    ['concatenation', () => 'x'.concat(secret as unknown as string)],
    ['String()', () => String(secret)],
    ['JSON', () => JSON.stringify(secret)],
    ['JSON, nested', () => JSON.stringify({ a: [{ b: secret }] })],
    ['inspect', () => inspect(secret)],
    [
      'inspect, nested and with everything shown',
      () => inspect({ a: { b: { c: secret } } }, { depth: null, showHidden: true }),
    ],
    ['console formatting with %s', () => format('%s', secret)],
    ['console formatting with %o', () => format('%o', { secret })],
    ['console formatting with %j', () => format('%j', { secret })],
    ['an error message', () => new Error(`bad ${secret}`).message],
    ['a list joined', () => [secret, secret].join()],
    ['a URL parameter', () => new URLSearchParams({ s: secret as unknown as string }).toString()],
  ])('%s', (_, toText) => {
    expect(toText()).not.toContain('the-value');
    expect(decodeURIComponent(toText())).toContain('[secret]');
  });
});

test('it has no property, own or hidden, that holds the value', () => {
  expect(Reflect.ownKeys(secret)).toEqual([]);
  expect(Object.assign({}, secret)).toEqual({});
  expect(structuredClone({ ...secret })).toEqual({});
});

test('the value comes out by asking for it', () => {
  expect(secret.reveal()).toBe('the-value');
});
