// What a source says later about its finding: each piece of news is noted once, however often it is sent.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Harness, startHarness } from '../harness.ts';

let harness: Harness;
let id: string;
beforeEach(async () => {
  harness = await startHarness();
  const subject = { kind: 'hmsl-hash' as const, hash: 'a'.repeat(64) };
  const alert = { source: 'gitguardian', externalId: '31542', subject };
  id = (await harness.front.report({ alert })).incidentId;
});
afterEach(() => harness.close());

const say = (note: string, externalId = '31542') =>
  harness.front.update({ source: 'gitguardian', externalId, note });
const noted = () => harness.incident(id).updates.map(({ update }) => update.note);

it('a retry is not noted again, also where two bots get it at the same time', async () => {
  await Promise.all([say('marked resolved'), say('marked resolved')]);
  await say('marked resolved');
  expect(noted()).toEqual(['marked resolved']);
});

it('the same news is noted again once something else was said in between', async () => {
  for (const note of ['marked resolved', 'reopened', 'marked resolved']) await say(note);
  expect(noted()).toEqual(['marked resolved', 'reopened', 'marked resolved']);
});

it('news of a finding that nobody has reported opens nothing', async () => {
  await say('marked resolved', '1');
  expect(noted()).toEqual([]);
});
