// The buttons of the demo's page: each makes one kind of token leak, and reports it as the outside world would.

import type { Demo } from 'slack-sandbox';
import { LEDGER, type LeakKind, leakToken } from './harbour.ts';
import { INCIDENTS, type World } from './world.ts';

/** Where the tokens that leak together belong. */
export const RUNNERS = 'builds';

/** Each with a description of two lines at most, so that all of them fit on one screen. `running` is asked only when a button is pressed: the page shows the buttons before the world is complete. */
export function leakDemos(running: () => World): Demo[] {
  return [
    {
      id: 'legacy',
      label: 'Leak a long-lived token',
      description: 'Of payments/checkout: contained at once, deleted on approval.',
      run: () => reportLeak(running(), 'legacy'),
    },
    {
      id: 'pod',
      label: "Leak a Pod's token",
      description: 'On approval it dies with its Pod.',
      run: () => reportLeak(running(), 'pod'),
    },
    {
      id: 'unbound',
      label: "Leak a CI robot's token",
      description: 'Two must approve: its ServiceAccount is made anew.',
      run: () => reportLeak(running(), 'unbound'),
    },
    {
      id: 'hash',
      label: 'GitGuardian alert',
      description: 'Carries only a hash: nothing is done without a person.',
      run: () => gitguardianAlert(running()),
    },
    {
      id: 'burst',
      label: 'Leak 12 tokens at once',
      description: 'Of build runners: one summary, one approval for all.',
      run: async () => void (await leakTogether(running(), 12)),
    },
    {
      id: 'rotate',
      label: 'Ask for a rotation',
      description: 'On approval eight workloads move to a new token, in waves.',
      run: (user) => askForRotation(running(), user),
    },
  ];
}

/** What a person types; the outside world has no part in it. */
export async function askForRotation({ slack }: World, user: string): Promise<void> {
  const target = `prod/${LEDGER.namespace}/${LEDGER.serviceAccount}`;
  await slack.slash(user, INCIDENTS, `/rotate-sa ${target} new-secret it was pasted into a ticket`);
}

async function reportLeak(world: World, kind: LeakKind): Promise<void> {
  const { token, where } = await leakToken(world.cluster('prod'), kind);
  const url = 'https://scanner.example/findings/7';
  await check(await world.report({ token, where: { text: where, url }, severity: 'critical' }));
}

/** Each of another ServiceAccount, all within a second. */
export async function leakTogether(world: World, count: number): Promise<string[]> {
  const { seed } = world.cluster('prod');
  seed.namespace(RUNNERS);
  const batch = Date.now().toString(36);
  const tokens = await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const name = `runner-${batch}-${n + 1}`;
      seed.serviceAccount(RUNNERS, name);
      return seed.tokenSecret(RUNNERS, `${name}-token`, name);
    }),
  );
  const where = { text: 'a build log that was published' };
  for (const answer of await Promise.all(tokens.map((token) => world.report({ token, where }))))
    await check(answer);
  return tokens;
}

async function gitguardianAlert(world: World): Promise<void> {
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  await check(await world.gitguardian(token, { id: Date.now() % 1_000_000 }));
}

async function check(response: Response): Promise<void> {
  const { error } = (await response.json()) as { error?: string };
  if (error) throw new Error(error);
}
