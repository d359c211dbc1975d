// `/rotate-sa` and `/restart-sa` alone, by real Bolt over the wire: forms that end in the command that a person would have typed.
import type { Json } from 'slack-sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { STRATEGY_TEXTS, type Strategy } from '../../../../src/domain/plan/goal.ts';
import { AppError } from '../../../../src/errors.ts';
import { legacyToken } from '../../../domain/token/token-samples.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
afterEach(() => {
  world.front.answer = {};
  world.front.away = false;
});

const top = (user: string) => world.workspace.views(user).at(-1);
const shown = (user: string): string => JSON.stringify(top(user) ?? {});
const view = (user: string, part: string) =>
  world.workspace.waitFor(() => (shown(user).includes(part) ? top(user) : undefined), 4000, part);
const slash = (line: string, user = 'maya') => world.workspace.slash(user, 'incidents', line);
const chosen = (...values: string[]): Record<string, Json> => ({
  options: { type: 'checkboxes', selected_options: values.map((value) => ({ value })) },
});

/** Fills in the first form of a rotation; the worker finds these ways. */
async function named(
  answer: World['front']['answer'],
  fields = { cluster: 'prod', namespace: 'payments', account: 'api' },
): Promise<void> {
  await slash('/rotate-sa');
  const form = await view('maya', 'Whose token is to be replaced');
  world.front.answer = answer;
  await world.workspace.submit('maya', form.id, fields);
}

const FITS: Strategy[] = ['new-service-account', 'recreate', 'new-secret'];

describe('/rotate-sa alone', () => {
  it('offers the ways that fit with what each costs, best first, and asks for the one that is chosen', async () => {
    await named({ found: FITS });
    const form = await view('maya', 'Which way');
    const text = shown('maya');
    expect(text).toContain('prod/payments/api');
    for (const way of FITS) {
      const { kills, interrupts, undo, takes } = STRATEGY_TEXTS[way];
      for (const words of [kills, interrupts, undo, takes]) expect(text).toContain(words);
    }
    expect(text).not.toContain(STRATEGY_TEXTS.unbind.title);
    const at = FITS.map((way) => text.indexOf(`way-${way}`));
    expect(at).toEqual(at.toSorted((a, b) => a - b));

    world.front.answer = { found: ['prod'] };
    await world.workspace.submit('maya', form.id, {
      way: 'new-secret',
      options: chosen('--dry-run', '--all'),
      reason: 'yearly --force is no flag here',
    });
    await view('maya', 'is open');
    expect(world.front.findings.at(-1)?.alert).toEqual({
      source: 'slash',
      subject: {
        kind: 'coordinates',
        at: { cluster: 'prod', namespace: 'payments', serviceAccount: 'api' },
      },
      reporter: 'UMAYA00001',
      goal: { do: 'rotate', strategy: 'new-secret', dryRun: true, consent: true },
      reason: 'yearly --force is no flag here',
    });
  });

  it('is taken once where Slack delivers each of its forms twice', async () => {
    let asked = 0;
    await slash('/rotate-sa');
    const first = await view('maya', 'Whose token is to be replaced');
    world.front.answer = async () => {
      asked += 1;
      return { found: FITS, near: [], problems: [] };
    };
    world.workspace.faults.duplicateEnvelopes(1);
    await world.workspace.submit('maya', first.id, { namespace: 'payments', account: 'twice' });
    const second = await view('maya', 'Which way');
    world.front.answer = { found: ['prod'] };
    const before = world.front.findings.length;
    world.workspace.faults.duplicateEnvelopes(1);
    await world.workspace.submit('maya', second.id, {});
    await view('maya', 'is open');
    await slash('/restart-sa payments/after-it');
    await world.workspace.waitFor(
      () => world.front.findings.find(({ alert }) => JSON.stringify(alert).includes('after-it')),
      4000,
      'the command after it',
    );
    const goals = world.front.findings.slice(before).map(({ alert: { goal } }) => goal?.do);
    expect([asked, goals]).toEqual([1, ['rotate', 'restart']]);
  });

  it('leaves the choice to Tourniquet where nothing is chosen', async () => {
    await named({ found: FITS });
    const form = await view('maya', 'Which way');
    world.front.answer = { found: ['prod'] };
    await world.workspace.submit('maya', form.id, {});
    await view('maya', 'added to incident');
    expect(world.front.findings.at(-1)?.alert).toMatchObject({ goal: { do: 'rotate' } });
    expect(world.front.findings.at(-1)?.alert.goal).toEqual({ do: 'rotate' });
  });

  it('asks again, with what was filled in, where there is no such ServiceAccount', async () => {
    await named({ near: ['prod/payments/apj'] });
    await view('maya', 'There is no ServiceAccount `prod/payments/api`. Did you mean `prod/payments/apj`?');
    expect(shown('maya')).toContain('"initial_value":"payments"');
    world.front.answer = { found: ['recreate'] };
    await world.workspace.submit('maya', top('maya')?.id ?? '', { account: 'apj' });
    await view('maya', 'prod/payments/apj');
    await view('maya', 'Which way');
  });

  it.each<[string, World['front']['answer']]>([
    ['the worker is away', () => Promise.reject(new AppError('timeout', 'No worker answers.'))],
    ['the cluster cannot be read', { problems: ['The cluster prod does not answer.'] }],
    ['an older worker does not know the question', { found: ['prod'] }],
  ])('offers every way, and says that nobody could look, where %s', async (_, answer) => {
    await named(answer);
    await view('maya', 'could not be found out');
    expect(shown('maya')).toContain(STRATEGY_TEXTS.unbind.title);
    expect(shown('maya')).not.toContain(STRATEGY_TEXTS['replace-pod'].title);
  });

  it('says beside the field what is wrong, and keeps no token', async () => {
    await slash('/rotate-sa');
    const first = await view('maya', 'Whose token');
    await world.workspace.submit('maya', first.id, { namespace: 'Pay_ments', account: 'api' });
    expect(world.workspace.viewErrors('maya')).toMatchObject({
      namespace: expect.stringMatching(/Not a Kubernetes name/),
    });
    world.front.answer = { found: FITS };
    await world.workspace.submit('maya', first.id, { namespace: 'payments', account: 'api' });
    const second = await view('maya', 'Which way');
    const token = legacyToken();
    await world.workspace.submit('maya', second.id, { reason: `because ${token}` });
    expect(world.workspace.viewErrors('maya')).toMatchObject({
      reason: expect.stringMatching(/holds a token/),
    });
    expect(world.logged.join()).not.toContain(token.slice(0, 40));
  });

  it('says that nothing was kept where the log does not answer', async () => {
    await named({ found: FITS });
    const form = await view('maya', 'Which way');
    world.front.answer = { found: ['prod'] };
    world.front.away = true;
    await world.workspace.submit('maya', form.id, {});
    await view('maya', 'What you filled in was not kept');
  });
});

it('/restart-sa alone asks for all in one form', async () => {
  await slash('/restart-sa', 'ines');
  const form = await view('ines', 'replaced in waves, and nothing else');
  world.front.answer = { found: ['staging'] };
  await world.workspace.submit('ines', form.id, {
    namespace: 'payments',
    account: 'worker',
    options: chosen('--dry-run'),
  });
  await view('ines', 'is open');
  expect(world.front.findings.at(-1)?.alert).toMatchObject({
    subject: { at: { cluster: 'staging', namespace: 'payments', serviceAccount: 'worker' } },
    goal: { do: 'restart', dryRun: true },
  });
});

it.each(['/rotate-sa', '/restart-sa'])('a guest gets no form of %s', async (line) => {
  await slash(line, 'gail');
  await world.workspace.waitFor(
    () => world.workspace.ephemerals('gail').some(({ text }) => /full members/.test(text)),
    4000,
  );
  expect(top('gail')).toBeUndefined();
});
