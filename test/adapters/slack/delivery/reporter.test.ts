// The reporter against a Slack that throttles, fails, forgets and refuses: one card, each milestone once, nothing lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fold } from '../../../../src/domain/incident/fold.ts';
import { aSituation, contained, identified, planned, reported, revoked, waiting } from '../../../builders.ts';
import { legacyToken } from '../../../domain/token/token-samples.ts';
import { CHANNEL, startWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ bolt: false });
});
afterEach(() => world.close());

const roots = () => world.workspace.messages(CHANNEL).filter(({ threadTs }) => threadTs === undefined);
const replies = () => world.workspace.messages(CHANNEL).filter(({ threadTs }) => threadTs !== undefined);
const calls = (method: string) => world.workspace.calls.filter((call) => call.method === method);
const ID = 'inc-0001';

describe('the card', () => {
  it('is posted once, with metadata, and updated from then on', async () => {
    await world.open(ID, [reported()]);
    expect(roots()).toHaveLength(1);
    expect(roots()[0]?.metadata).toEqual({
      event_type: 'tourniquet_incident',
      event_payload: { incident_id: ID },
    });
    world.front.append(ID, ...waiting().slice(1));
    expect(await world.report(ID)).toBe(4);
    expect(roots()).toHaveLength(1);
    expect(roots()[0]?.text).toContain('LEAK LIVE');
    expect(replies().map(({ text }) => text)).toEqual([expect.stringContaining('The plan is on the card')]);
    expect(replies()[0]?.threadTs).toBe(world.cardTs(ID));
  });

  it('is not sent again where it would look the same', async () => {
    await world.open(ID, waiting());
    world.front.append(ID, { type: 'token-forgotten', reason: 'it is over' });
    await world.report(ID);
    await world.report(ID);
    expect(calls('chat.update')).toHaveLength(0);
  });

  it('is found again where a process died between posting and storing', async () => {
    world.store.failPut = true;
    await expect(world.open(ID, waiting())).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(roots()).toHaveLength(1);
    await world.report(ID, world.newReporter());
    expect(roots()).toHaveLength(1);
    expect(world.store.cards.get(ID)).toMatchObject({ ts: roots()[0]?.ts });
    expect(replies()).toHaveLength(1);
  });

  it('is found again where Slack took it and the answer was lost', async () => {
    world.workspace.faults.next('chat.postMessage', { kind: 'reset_after_accept' });
    await expect(world.open(ID, [reported()])).rejects.toMatchObject({
      code: 'slack-unavailable',
      retry: true,
    });
    await world.report(ID);
    expect(roots()).toHaveLength(1);
  });

  it('is posted anew where somebody deleted it', async () => {
    await world.open(ID, [reported()]);
    await world.client.chat.delete({ channel: CHANNEL, ts: world.cardTs(ID) });
    world.front.append(ID, identified);
    await world.report(ID);
    expect(roots().map(({ ts }) => ts)).toEqual([world.cardTs(ID)]);
  });

  it('is posted anew where it was deleted and only its thread has news', async () => {
    await world.open(ID, waiting());
    world.front.append(ID, reported());
    await world.report(ID);
    for (const { ts } of [...replies(), ...roots()]) await world.client.chat.delete({ channel: CHANNEL, ts });
    world.front.append(ID, {
      type: 'alert-updated',
      update: { source: 'x', externalId: '1', note: 'marked resolved' },
    });
    await world.report(ID);
    expect(roots()).toHaveLength(1);
    expect(replies().at(-1)).toMatchObject({ text: 'marked resolved', threadTs: roots()[0]?.ts });
  });

  it('becomes plain text where Slack refuses its blocks, and is not sent for ever', async () => {
    world.workspace.faults.next('chat.postMessage', { kind: 'error', error: 'invalid_blocks' });
    await world.open(ID, waiting());
    expect(roots()[0]?.blocks).toBeUndefined();
    expect(roots()[0]?.text).toContain('LEAK LIVE');
    await world.report(ID);
    expect(calls('chat.postMessage')).toHaveLength(3);
    expect(world.logged.join()).toContain('invalid_blocks');
    world.front.append(ID, ...contained().slice(4));
    await world.report(ID);
    expect(roots()[0]?.blocks?.length).toBeGreaterThan(5);
  });

  it('waits between two updates, and then shows what is newest', async () => {
    let now = 1_000_000;
    const slept: number[] = [];
    const clock = { now: () => now };
    const newest = async (id: string) => {
      slept.push(now);
      now += 100;
      const events = world.front.events(id);
      return { incident: fold(id, events), events, head: 'newer' };
    };
    const calm = world.newReporter({ clock, updateEvery: 40, newest });
    world.front.append(ID, reported());
    await world.report(ID, calm);
    world.front.append(ID, identified);
    const old = world.front.events(ID).slice();
    world.front.append(ID, { type: 'situation-observed', situations: [aSituation()] }, planned);
    expect(await calm.report(fold(ID, old), old, 1, 'old')).toBe(4);
    expect(slept).toHaveLength(1);
    expect(calls('chat.update')).toHaveLength(1);
    expect(roots()[0]?.text).toContain('LEAK LIVE');
    now += 1000;
    world.front.append(ID, ...contained().slice(4));
    await world.report(ID, calm);
    expect(slept).toHaveLength(1);
  });
});

describe('the thread', () => {
  it('holds each milestone once, also where the answer to one was lost or the process changed', async () => {
    await world.open(ID, waiting());
    world.front.append(ID, ...revoked().slice(4));
    world.workspace.faults.next('chat.postMessage', { kind: 'reset_after_accept' });
    await expect(world.report(ID)).rejects.toMatchObject({ code: 'slack-unavailable', retry: true });
    world.workspace.faults.next('chat.postMessage', { kind: 'error', error: 'fatal_error' });
    await expect(world.report(ID, world.newReporter())).rejects.toMatchObject({ code: 'slack-unavailable' });
    expect(await world.report(ID, world.newReporter())).toBe(12);
    const versions = replies().map(
      ({ metadata }) => (metadata?.event_payload as { v?: number } | undefined)?.v,
    );
    expect(versions).toEqual([4, 5, 7, 8, 10, 12]);
    expect(replies().at(-1)?.text).toContain('*Proof: refused by 3 of 3 API servers.*');
  });

  it('catches up after an outage', async () => {
    await world.open(ID, [reported()]);
    world.workspace.faults.outage(true);
    world.front.append(ID, ...revoked().slice(1));
    await expect(world.report(ID)).rejects.toMatchObject({ code: 'slack-unavailable', retry: true });
    await expect(world.report(ID)).rejects.toMatchObject({ retry: true });
    world.workspace.faults.outage(false);
    await world.report(ID);
    expect(roots()[0]?.text).toContain('Revoked: refused by 3 of 3 API servers');
    expect(replies()).toHaveLength(6);
  });
});

describe('two bots that report by turns', () => {
  const toldVersions = () =>
    replies().map(({ metadata }) => (metadata?.event_payload as { v?: number } | undefined)?.v);

  it('tell no milestone twice where one of them failed in the middle, although the other knew the thread', async () => {
    const [one, other] = [world.newReporter(), world.newReporter()];
    world.front.append(ID, ...waiting());
    await world.report(ID, one);
    world.front.append(ID, ...revoked().slice(4));
    world.workspace.faults.next('chat.postMessage', { kind: 'reset_after_accept' });
    await expect(world.report(ID, other)).rejects.toMatchObject({ code: 'slack-unavailable', retry: true });
    await world.report(ID, one);
    expect(toldVersions()).toEqual([4, 5, 7, 8, 10, 12]);
  });

  it('read the thread only where somebody did not come to the end', async () => {
    const [one, other] = [world.newReporter(), world.newReporter()];
    world.front.append(ID, ...waiting());
    await world.report(ID, one);
    for (const [n, event] of revoked().slice(4).entries()) {
      world.front.append(ID, event);
      await world.report(ID, n % 2 === 0 ? other : one);
    }
    expect(toldVersions()).toEqual([4, 5, 7, 8, 10, 12]);
    // The other one had never seen it.
    expect(calls('conversations.replies')).toHaveLength(1);
  });

  it('do not leave on the card what the other one showed in between', async () => {
    const [one, other] = [world.newReporter(), world.newReporter()];
    world.front.append(ID, ...waiting());
    await world.report(ID, one);
    const pause = { by: 'UMAYA00001', reason: 'flooded', at: new Date().toISOString() };
    world.front.append(ID, { type: 'paused', pause });
    await world.report(ID, other);
    expect(JSON.stringify(roots()[0]?.blocks)).toContain('PAUSED');
    world.front.append(ID, { type: 'resumed', by: 'UMAYA00001' });
    await world.report(ID, one);
    expect(JSON.stringify(roots()[0]?.blocks)).not.toContain('PAUSED');
  });
});

describe('refusals of Slack', () => {
  it('asks for a retry when throttled, and says when', async () => {
    world.workspace.faults.next('chat.postMessage', { kind: 'rate_limited', retryAfter: 7 });
    await expect(world.open(ID, [reported()])).rejects.toMatchObject({
      code: 'throttled',
      retry: true,
      retryAfterMs: 7000,
    });
    await world.report(ID);
    expect(roots()).toHaveLength(1);
  });

  it('loses no milestone to a throttled one', async () => {
    await world.open(ID, waiting());
    world.front.append(ID, ...revoked().slice(4));
    world.workspace.faults.next('chat.update', { kind: 'rate_limited', retryAfter: 1 });
    await expect(world.report(ID)).rejects.toMatchObject({ code: 'throttled' });
    await world.report(ID);
    expect(roots()[0]?.text).toContain('Revoked');
    expect(replies()).toHaveLength(6);
  });

  it('says what to do where the app is not in the channel', async () => {
    const outside = world.newReporter({ channel: 'CGENERAL01' });
    world.front.append(ID, reported());
    await expect(world.report(ID, outside)).rejects.toThrow(/CGENERAL01.*Invite the app to the channel/);
  });

  it('sends no token, whatever an event holds', async () => {
    const token = legacyToken();
    await world.open(ID, [
      ...waiting(),
      { type: 'alert-updated', update: { source: 'x', externalId: '1', note: `it is ${token}` } },
    ]);
    expect(replies().at(-1)?.text).toBe('it is [token removed]');
    expect(world.workspace.dump()).not.toContain(token.slice(0, 40));
  });
});
