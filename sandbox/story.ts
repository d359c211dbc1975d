// Plays the story of a leak through the same parts as a person would, prints the thread, and judges how it ended.

import { answersOf, button, current, fail, firstCard, placesOf, press, reply, text, until } from './hands.ts';
import { leakToken } from './harbour.ts';
import { INCIDENTS, type World } from './world.ts';

/** Exit code: 0 only if every API server refuses the token at the end and its value was written nowhere. */
export async function tellStory(world: World): Promise<number> {
  const { slack } = world;
  const { token, where } = await leakToken(world.cluster('prod'), 'legacy');
  const sent = Date.now();
  const response = await world.report({
    token,
    where: { text: where, url: 'https://scanner.example/findings/7' },
    severity: 'critical',
  });
  console.log(
    `A scanner sends an alert: the token of payments/checkout is out, by ${where}. Accepted after ${Date.now() - sent} ms.`,
  );
  if (!response.ok) return fail(`The alert was refused: ${await response.text()}`);

  const kill = await until(world, 'the quarantine', () =>
    world.cluster('prod').requests.find(({ method, status }) => method === 'PATCH' && status === 200),
  );
  console.log('The token is quarantined. Its proof takes two refusals, 15 s apart, at every API server.');
  const card = await firstCard(world);
  await until(world, 'the proof of the quarantine', () => reply(world, card, /refused/i));
  const proved = Date.now();
  await until(world, 'the plan', () => button(world, card, 'Approve plan'));
  console.log('Proven. Dan presses Approve and may not; then Ines, who may. The proof is made once more.\n');
  await press(world, card, 'dan', 'Approve plan');
  await press(world, card, 'ines', 'Approve plan');
  await until(world, 'the end', () => /Revoked/.test(text(current(world, card))) && current(world, card));

  console.log(
    'The channel as it stands now: the card, which was rewritten all the time, and under it its thread.\n',
  );
  console.log(slack.transcript(INCIDENTS));
  console.log(`
Alert to kill:           ${Math.round(kill.at - sent)} ms (signed webhook sent, until the API server had carried out the quarantine)
Kill to posted proof:    ${((proved - kill.at) / 1000).toFixed(1)} s (two rounds of refusals at every API server)`);
  return await verdict(world, token);
}

async function verdict(world: World, token: string): Promise<number> {
  const answers = await answersOf(world, token);
  console.log(`API servers answer the leaked token with: ${answers.join(', ')}`);
  const found = await placesOf(world, "the token's", token);
  if (!answers.every((status) => status === 401))
    return fail('The leaked token is not refused by every API server.');
  if (found.length > 0) return fail('The value of the leaked token was written somewhere.');
  console.log('\nThe leaked token is dead, and its value is nowhere.');
  return 0;
}
