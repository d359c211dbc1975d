// A token in whatever a person or an alert may write: what was meant is done, and the token stands nowhere, by the real bot and worker.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectTraces, needles } from '../../sandbox/traces.ts';
import type { World } from '../../sandbox/world.ts';
import { base64, wrap } from '../domain/token/token-samples.ts';
import {
  cardShows,
  newToken,
  opened,
  openStage,
  press,
  pressWithReason,
  reportLeak,
  START_MS,
  toldTo,
  tourniquet,
  viewShows,
} from './stage.ts';

const PATIENT = { timeout: START_MS };
let world: World;
/** Alive, and of nobody's incident: nobody but the text below knows it. */
let token: string;
let ids: string[];

/** As people paste it. */
const ways = (): string[] => [
  token,
  base64(token),
  token.replaceAll('.', '%2E'),
  token.split('.').join('\x1b[0m.\x1b[33m'),
  `\n${wrap(token, 60)}\n`,
];
const text = (): string => `seen: ${ways().join(' ; ')}`;

beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
  ({ token } = await newToken(world, 'pasted'));
  ids = [];
}, START_MS);
afterAll(() => world?.close());

async function leak(name: string): Promise<string> {
  const { id } = await reportLeak(world, name);
  await cardShows(world, id, /Contained: refused by 2 of 2/);
  ids.push(id);
  return id;
}

async function expectNowhere(): Promise<void> {
  const clean = await inspectTraces(world, token);
  expect(clean.found).toEqual([]);
  // One layer more, which is what a token in base64 becomes where somebody encodes it again.
  expect((await inspectTraces(world, base64(token))).found).toEqual([]);
}

describe('a token in the words of a person', PATIENT, () => {
  it('that decline a plan: it is declined, and they are told', async () => {
    const id = await leak('declined');
    const told = await toldTo(world, 'ines', () =>
      pressWithReason(world, id, 'ines', 'Decline', `not now: ${text()}`),
    );
    expect(told).toMatch(/Declined\..*held a token, which was taken out/s);
    await cardShows(world, id, /Declined/);
    await expectNowhere();
  });

  it('that call it no leak', async () => {
    const id = await leak('no-leak');
    await pressWithReason(world, id, 'tomas', 'Not a leak', `ours: ${text()}`);
    await cardShows(world, id, /False alarm/);
    await expectNowhere();
  });

  it('that break the glass: the plan runs', async () => {
    const id = await leak('glass');
    await press(world, id, 'ines', 'Break glass…');
    const view = await viewShows(world, 'ines', /Run the plan alone|on your word alone/);
    const reason = `it cannot wait: ${text()}`;
    await world.slack.submit('ines', view.id, { confirm: 'payments/checkout', reason });
    await cardShows(world, id, /glass/i);
    await expectNowhere();
  });

  it('that pause everything: it is paused, and they are warned', async () => {
    const told = await toldTo(world, 'ines', () =>
      world.slack.slash('ines', 'incidents', `/tourniquet pause because of ${ways()[0]} and ${ways()[2]}`),
    );
    expect(told).toMatch(/holds a token.*Paused/s);
    await toldTo(world, 'ines', () => world.slack.slash('ines', 'incidents', '/tourniquet health'));
    await expectNowhere();
    await toldTo(world, 'ines', () => world.slack.slash('ines', 'incidents', '/tourniquet resume'));
  });

  it.each(['/revoke-sa', '/rotate-sa', '/tourniquet'])('that follow %s', async (command) => {
    await toldTo(world, 'maya', () =>
      world.slack.slash('maya', 'incidents', `${command} payments/checkout ${text().replaceAll('\n', ' ')}`),
    );
    await expectNowhere();
  });
});

describe('a token in the words of an alert', PATIENT, () => {
  it('of where it was and why: the incident is opened', async () => {
    const at = { namespace: 'payments', serviceAccount: 'checkout' };
    const where = {
      text: `in a log, ${text()}`,
      url: `https://git.example/x?t=${token.replaceAll('.', '%2E')}`,
    };
    ids.push(await opened(await world.report({ ...at, where, reason: text() })));
    await expectNowhere();
  });

  it.each([
    ['id', () => ({ id: `a ${token.replaceAll('.', '%2E')}`.slice(0, 200) })],
    ['jti', () => ({ namespace: 'payments', jti: token.slice(0, 250) })],
    ['name', () => ({ namespace: token, serviceAccount: token })],
    ['field', () => ({ [token]: token })],
  ])('in its %s: refused or accepted, it is not kept', async (_, fields) => {
    const response = await world.report({ text: 'nothing', ...fields() });
    const answer = await response.text();
    for (const needle of needles(token)) expect(answer).not.toContain(needle);
    await expectNowhere();
  });
});

it('an auditor finds none of it, and every log verifies', PATIENT, async () => {
  expect(ids.length).toBeGreaterThan(3);
  const [declined = '', , , alert = ''] = ids;
  for (const id of [declined, alert]) {
    const { code, output } = await tourniquet(world, 'audit', 'export', id);
    expect(code).toBe(0);
    expect(output).toContain('[token removed]');
    for (const needle of needles(token)) expect(output).not.toContain(needle);
  }
  expect((await tourniquet(world, 'audit', 'verify', '--all')).code).toBe(0);
});
