// Two sockets: Slack recycles them, cuts them, loses acks; no command is lost, and stop() leaves nothing open.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const answers = () => world.workspace.ephemerals('maya').length;

describe('sockets', () => {
  it('answers every command while a socket is replaced', async () => {
    expect(world.workspace.sockets()).toBe(2);
    expect(world.workspace.recycleSockets()).toBe(1);
    const deliveries = await Promise.all(
      Array.from({ length: 12 }, () => world.workspace.slash('maya', 'incidents', '/tourniquet health')),
    );
    expect(deliveries.map(({ status }) => status)).toEqual(Array(12).fill('acked'));
    await world.workspace.waitFor(() => answers() === 12);
    await world.workspace.waitFor(() => world.workspace.sockets() === 2, 8000, 'two sockets again');
  });

  it('comes back after an outage', async () => {
    world.workspace.faults.outage(true);
    await world.workspace.waitFor(() => world.workspace.sockets() === 0);
    world.workspace.faults.outage(false);
    await world.workspace.waitFor(() => world.workspace.sockets() === 2, 12_000, 'two sockets again');
    await world.workspace.slash('maya', 'incidents', '/tourniquet health');
    await world.workspace.waitFor(() => answers() === 1);
  });

  it('finishes what it began before it stops', async () => {
    const asked = Promise.withResolvers<void>();
    const worker = Promise.withResolvers<{ found: string[]; near: string[]; problems: string[] }>();
    world.front.answer = () => {
      asked.resolve();
      return worker.promise;
    };
    await world.workspace.slash('maya', 'incidents', '/revoke-sa payments/api');
    await asked.promise;
    const stopped = world.stopSlack();
    await world.workspace.waitFor(() => world.workspace.sockets() === 0);
    worker.resolve({ found: ['prod'], near: [], problems: [] });
    await stopped;
    expect(world.front.findings).toHaveLength(1);
    expect(world.workspace.ephemerals('maya').at(-1)?.text).toContain('is open');
  });
});

describe('two bots', () => {
  it('answer each command once, also where Slack delivers it to both', async () => {
    const other = await world.startAnother();
    try {
      const asked = 10;
      world.workspace.faults.duplicateEnvelopes(asked);
      // Each copy takes one of four sockets, so some of these commands reach both bots, and some one bot twice.
      for (let n = 0; n < asked; n++) await world.workspace.slash('maya', 'incidents', '/tourniquet health');
      await world.workspace.waitFor(() => answers() >= asked);
    } finally {
      // Whatever was under way has ended then.
      await Promise.all([other.stop(), world.stopSlack()]);
    }
    expect(answers()).toBe(10);
  });

  it('answer while nobody can say whether the other one did', async () => {
    world.deliveries = {
      begin: () => Promise.reject(new AppError('store-unavailable', 'The store does not answer.')),
    };
    await world.workspace.slash('maya', 'incidents', '/tourniquet health');
    await world.workspace.waitFor(() => answers() === 1);
  });
});

describe('whoever counts', () => {
  it('is told of each call once, with its HTTP status, and that Slack throttles', async () => {
    await world.client.auth.test();
    world.workspace.faults.next('auth.test', { kind: 'rate_limited', retryAfter: 1 }, 1);
    await expect(world.client.auth.test()).rejects.toThrow();
    world.workspace.faults.next('auth.test', { kind: 'reset_after_accept' }, 1);
    await expect(world.client.auth.test()).rejects.toThrow();
    // The first was made when it connected.
    expect(world.calls.filter((call) => call.startsWith('auth.test'))).toEqual([
      'auth.test 200',
      'auth.test 200',
      'auth.test 429',
      'auth.test failed',
    ]);
  });
});

describe('a start that Slack refuses', () => {
  it('says which token to set, and leaves nothing open', async () => {
    world.workspace.faults.next('apps.connections.open', { kind: 'error', error: 'invalid_auth' }, 1);
    await expect(world.startAnother()).rejects.toThrow(/invalid_auth.*SLACK_APP_TOKEN/);
    world.workspace.faults.next('auth.test', { kind: 'error', error: 'token_revoked' });
    await expect(world.startAnother()).rejects.toThrow(/token_revoked.*SLACK_BOT_TOKEN/);
    world.workspace.faults.next('auth.test', { kind: 'server_error' });
    await expect(world.startAnother()).rejects.toMatchObject({ code: 'slack-unavailable', retry: true });
    await world.workspace.waitFor(() => world.workspace.sockets() === 2);
  });
});
