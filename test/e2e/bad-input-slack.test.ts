// Commands and forms as people get them wrong: each answer says what was meant, and no token ends where it can be read.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leakToken } from '../../sandbox/harbour.ts';
import { dumpRedis, inspectTraces } from '../../sandbox/traces.ts';
import { INCIDENTS, type World } from '../../sandbox/world.ts';
import {
  answersTo,
  cardOf,
  cardShows,
  cards,
  expectStillWorks,
  opened,
  openStage,
  PATIENCE_MS,
  press,
  pressWithReason,
  repliesOf,
  textOf,
  toldTo,
  viewShows,
} from './stage.ts';

const PATIENT = { timeout: 60_000 };
let world: World;
/** Every token that was leaked here: none may be found anywhere in the end. */
const leaked: string[] = [];

beforeAll(async () => {
  world = await openStage();
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, 120_000);
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

async function leak(): Promise<{ id: string; token: string }> {
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  leaked.push(token);
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /Contained: refused by 2 of 2.*Approve plan/);
  return { id, token };
}

const slash = (user: string, line: string) => world.slack.slash(user, INCIDENTS, line);

describe('/revoke-sa', PATIENT, () => {
  it.each([
    [
      'a mistyped ServiceAccount',
      'prod/payments/chekout',
      /Did you mean `prod\/payments\/checkout`\? Nothing was opened/,
    ],
    ['a mistyped namespace', 'prod/payment/checkout', /Did you mean `prod\/payments\/checkout`\?/],
    ['a mistyped cluster', 'prd/payments/checkout', /no cluster `prd`.*Did you mean `prod`\?/],
    [
      'a name that several clusters have',
      'payments/checkout',
      /say which one.*prod\/payments\/checkout.*staging\/payments\/checkout/,
    ],
    [
      'nothing like it',
      'prod/moria/balrog',
      /No ServiceAccount `moria\/balrog` on `prod`.*Nothing was opened/,
    ],
    ['half a name', 'payments', /does not name a ServiceAccount.*Nothing was opened/],
    ['capital letters', 'Payments/checkout', /not a namespace.*Nothing was opened/],
    ['a path', '../../etc/passwd', /not a|does not name/],
    ['markup', 'payments/<!channel>', /not a ServiceAccount name.*&lt;?!channel|not a ServiceAccount name/],
  ])('with %s is answered with what was meant', async (_, typed, words) => {
    expect(await toldTo(world, 'maya', () => slash('maya', `/revoke-sa ${typed}`))).toMatch(words);
  });

  it.each([
    ['gail', /full members/],
    ['petra', /another workspace/],
  ])('by %s, who is no member, is refused', async (user, words) => {
    expect(await toldTo(world, user, () => slash(user, '/revoke-sa prod/payments/checkout'))).toMatch(words);
  });

  it('with a token typed into it warns, opens the form, and does not repeat the token', async () => {
    const { token } = await leakToken(world.cluster('prod'), 'legacy');
    leaked.push(token);
    const said = await toldTo(world, 'maya', () =>
      slash('maya', `/revoke-sa prod/payments/checkout ${token}`),
    );
    expect(said).toMatch(/treat it as leaked here too.*form/);
    const form = await viewShows(world, 'maya', /Report a leaked token/);
    expect(JSON.stringify(form.blocks)).toContain('"initial_value":"checkout"');
    expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
    await world.slack.closeView('maya', form.id);
  });

  it('opened nothing in any of these cases', () => {
    expect(cards(world)).toEqual([]);
  });
});

describe('a token that nobody could identify', PATIENT, () => {
  let id: string;
  let token: string;
  /** Into the form that is open, or a new one. */
  const submit = async (answers: Record<string, string>) => {
    const open = world.slack.views('maya').at(-1);
    if (open?.callback_id !== 'identify-token') await press(world, id, 'maya', 'Identify token…');
    const form = await viewShows(world, 'maya', /Token, kubeconfig/);
    await world.slack.submit('maya', form.id, answers);
  };
  beforeAll(async () => {
    // Only payments is opted in to being searched by hash.
    token = await world.cluster('prod').seed.tokenSecret('ci', 'robot-token', 'release-robot');
    leaked.push(token);
    id = await opened(await world.gitguardian(token, { id: 7001 }));
    await cardShows(world, id, /No token Secret in prod\/payments has that hash/);
  }, 120_000);

  it('is not identified by somebody who is not on the list', async () => {
    await press(world, id, 'dan', 'Identify token…');
    await viewShows(world, 'dan', /Not possible.*not on the list/);
  });

  it.each([
    ['half a token', () => ({ paste: token.slice(0, -60) }), 'paste', /cut off/],
    ['two tokens', () => ({ paste: `${token}\n${leaked[0]}` }), 'paste', /2 tokens/],
    ['prose', () => ({ paste: 'the one of the robot' }), 'paste', /begins with eyJ/],
    ['nothing', () => ({}), 'namespace', /Paste the token, or fill in/],
    ['a token for a name', () => ({ namespace: 'ci', account: token }), 'account', /Not a Kubernetes name/],
  ])('is asked for again where the form holds %s', async (_, answers, field, words) => {
    await submit(answers());
    await world.slack.waitFor(
      () => words.test(world.slack.viewErrors('maya')[field] ?? ''),
      PATIENCE_MS,
      `an error at ${field}`,
    );
  });

  it('is not found under a wrong name, and the card offers the right one', async () => {
    await submit({ namespace: 'ci', secret: 'robot-tokn', cluster: 'prod' });
    await viewShows(world, 'maya', /Thank you/);
    expect(textOf(await cardShows(world, id, /no token Secret ci\/robot-tokn/))).toContain(
      '`prod/ci/robot-token`',
    );
  });

  it('is quarantined by a click once it is named, and not before', async () => {
    await submit({ namespace: 'ci', secret: 'robot-token', cluster: 'prod' });
    await cardShows(world, id, /Quarantine now/);
    expect(await answersTo(world, token)).toEqual([201, 201]);
    await press(world, id, 'maya', 'Quarantine now');
    // Nobody handed the token over, but the Secret that is only switched off still holds it.
    await cardShows(world, id, /Contained: refused by 2 of 2 API servers/);
    await expect.poll(() => answersTo(world, token), { timeout: PATIENCE_MS }).toEqual([401, 401]);
  });

  it('is contained at once where the form holds the token itself, and not by who identified it approved', async () => {
    const pasted = await world.cluster('prod').seed.tokenSecret('ci', 'robot-token-2', 'release-robot');
    leaked.push(pasted);
    const other = await opened(await world.gitguardian(pasted, { id: 7002 }));
    await press(world, other, 'ines', 'Identify token…');
    const form = await viewShows(world, 'ines', /Identify the token/);
    await world.slack.submit('ines', form.id, { paste: `token: ${pasted}` });
    await cardShows(world, other, /Contained: refused by 2 of 2.*Approve plan/);
    expect(await toldTo(world, 'ines', () => press(world, other, 'ines', 'Approve plan'))).toMatch(
      /somebody else must approve/,
    );
  });
});

describe('what is not a leak', PATIENT, () => {
  let id: string;
  let token: string;
  const sealed = async () => (await dumpRedis(world)).includes(`:token:${id}`);
  const said = (words: string) =>
    world.slack.waitFor(
      () =>
        cards(world).some(
          (card) => card === cardOf(world, id) && repliesOf(world, card).join().includes(words),
        ),
      PATIENCE_MS,
      `"${words}" in the thread of ${id}`,
    );

  it('is closed, its token destroyed, and the card says that its quarantine was not undone', async () => {
    ({ id, token } = await leak());
    expect(await sealed()).toBe(true);
    await pressWithReason(world, id, 'tomas', 'Not a leak', 'a canary token of ours');
    await cardShows(world, id, /False alarm, its quarantine was not undone/);
    await expect.poll(sealed, { timeout: PATIENCE_MS }).toBe(false);
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('is only noted when the scanner finds it again, and stays closed', async () => {
    const again = await world.report({ token, where: { text: 'the same gist' } });
    expect(await opened(again)).toBe(id);
    await said('Reported again');
    expect(textOf(await cardShows(world, id, /False alarm/))).not.toContain('Approve plan');
    expect(await sealed()).toBe(false);
  });

  it('stays a false alarm when its quarantine is undone', async () => {
    await pressWithReason(world, id, 'tomas', 'Undo quarantine', 'it was ours');
    await said('Undone:');
    expect(await answersTo(world, token)).toEqual([201, 201]);
    const card = textOf(await cardShows(world, id, /False alarm(?!, its quarantine)/));
    expect(card).not.toMatch(/LIVE AGAIN|Quarantine now|Undo quarantine|Proof/);
  });
});

it('after all that the next leak is contained, and none of the values stands anywhere', PATIENT, async () => {
  await expectStillWorks(world);
  for (const token of leaked) expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
});
