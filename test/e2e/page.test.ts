// The demo as a visitor lives it: a real browser on the page, and behind it the real roles as processes.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leakDemos } from '../../sandbox/demos.ts';
import type { World } from '../../sandbox/world.ts';
import { openStage } from './stage.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Generous, since a browser on a busy machine is slow; nothing waits longer than it must. */
const PATIENCE_MS = 30_000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(!existsSync(CHROMIUM))(
  `a visitor of the demo (skipped where ${CHROMIUM} is not installed)`,
  { timeout: 120_000 },
  () => {
    let world: World;
    let browser: Browser;
    let page: Page;
    const pageErrors: string[] = [];

    beforeAll(async () => {
      const starting = openStage({ slack: { demos: leakDemos(() => world) } });
      browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
      world = await starting;
      await Promise.all([world.startRole('bot'), world.startRole('worker')]);
      page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      page.setDefaultTimeout(PATIENCE_MS);
      page.on('pageerror', (error) => pageErrors.push(error.message));
      await page.goto(world.slack.pageUrl);
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await world?.close();
    });
    afterEach(() => {
      expect(pageErrors.splice(0)).toEqual([]);
    });

    /** The newest card. */
    const card = (): Locator => page.locator('#messages .message:not(.ephemeral):has(.header)').last();
    const cardShows = (text: string) => card().filter({ hasText: text }).waitFor();
    const press = (label: string) => card().getByRole('button', { name: label, exact: true }).click();
    const confirm = async (text: string) => {
      await page.locator('dialog.confirm', { hasText: text }).waitFor();
      await page.locator('[data-confirm="confirm"]').click();
    };
    const become = async (name: string) => {
      const person = page.getByRole('button', { name });
      await person.click();
      await page.locator('.person[aria-pressed="true"]', { hasText: name }).waitFor();
    };
    const told = (text: string | RegExp) =>
      page.locator('#messages .message.ephemeral', { hasText: text }).last().waitFor();
    const reply = (text: string | RegExp) =>
      page.locator('#thread .message', { hasText: text }).last().waitFor();
    const form = (title: string): Locator => page.locator('dialog.modal', { hasText: title });
    const type = async (line: string) => {
      await page.locator('#messages .composer textarea').fill(line);
      await page.getByRole('button', { name: 'Send' }).first().click();
    };

    it('is told what to do', async () => {
      await page.locator('#messages .intro', { hasText: 'Press a button under “Try it”' }).waitFor();
      await page.locator('.person[aria-pressed="true"]', { hasText: 'Maya Okafor' }).waitFor();
    });

    it('leaks a token and sees it contained, all on one screen', async () => {
      await page.getByRole('button', { name: 'Leak a long-lived token' }).click();
      await cardShows('Contained: refused by 2 of 2 API servers · payments/checkout on prod');
      await card().getByRole('button', { name: 'Approve plan' }).scrollIntoViewIfNeeded();
      const box = await card().boundingBox();
      expect(box?.height).toBeLessThan(720);
    });

    it('opens the thread, and Details with the commands to type by hand', async () => {
      await card().locator('.replies').click();
      await reply(/Contained by policy, [\d.]+ m?s after the alert/);
      await press('Details');
      const details = form('Incident details');
      await details
        .filter({ hasText: /kubectl --context prod -n payments delete secret checkout-token/ })
        .waitFor();
      await details.getByRole('button', { name: 'Close', exact: true }).last().click();
      await details.waitFor({ state: 'detached' });
    });

    it('is refused as Dan, and told who can', async () => {
      await become('Dan Whitlow');
      await press('Approve plan');
      await confirm('This cannot be undone: Delete Secret payments/checkout-token on prod');
      await told(/not on the list.*@Ines Duarte, @Tomas Varga/);
    });

    it('approves as Ines, and reads the proof in the thread', async () => {
      await become('Ines Duarte');
      await press('Approve plan');
      await confirm('This cannot be undone');
      await told('Approved. The plan runs now');
      await cardShows('Revoked: refused by 2 of 2 API servers');
      await reply('Done: Delete Secret payments/checkout-token on prod');
      await reply(/Proof: refused by 2 of 2 API servers.*twice.*control accepted/s);
      await reply('Closed as resolved');
    });

    it('undoes the quarantine of the next leak with a reason, and is told that it is live again', async () => {
      await page.getByRole('button', { name: 'Leak a long-lived token' }).click();
      await cardShows('Contained: refused by 2 of 2 API servers');
      await press('Undo quarantine');
      const reason = form('Undo the quarantine');
      await reason.locator('textarea, input').fill('payments are down');
      await reason.getByRole('button', { name: 'Undo', exact: true }).click();
      await cardShows('LEAK LIVE AGAIN');
      await card().getByRole('button', { name: 'Quarantine now' }).waitFor();
      await card().filter({ hasText: '@Ines Duarte undid what was done' }).waitFor();
      expect(await card().textContent()).toContain('payments are down');
    });

    it('reports a leak with the form of /revoke-sa', async () => {
      await type('/revoke-sa');
      const report = form('Report a leaked token');
      // While one submission is under way the button takes no second.
      const send = report.locator('[data-modal="submit"]:not([aria-busy])');
      await report.locator('[data-block-id="namespace"] input').fill('ci');
      await send.click();
      await report
        .locator('[data-block-id="account"] .input-error', { hasText: 'Which ServiceAccount' })
        .waitFor();
      await report.locator('[data-block-id="account"] input').fill('release-robot');
      await report.locator('[data-block-id="cluster"] select').selectOption('prod');
      await send.click();
      await report.filter({ hasText: /Incident .* is open/ }).waitFor();
      await report.getByRole('button', { name: 'Close', exact: true }).last().click();
      // Until it is gone, the page behind it takes no text.
      await report.waitFor({ state: 'hidden' });
      await cardShows('ci/release-robot on prod');
      await card().filter({ hasText: 'reported by @Ines Duarte' }).waitFor();
      await card().filter({ hasText: 'Must be approved by: @Tomas Varga (not @Ines Duarte' }).waitFor();
    });

    it('asks for a rotation with the form of /rotate-sa, and sees its plan without a change', async () => {
      await type('/rotate-sa');
      const rotate = form('Rotate');
      const send = rotate.locator('[data-modal="submit"]:not([aria-busy])');
      await rotate.locator('[data-block-id="cluster"] select').selectOption('prod');
      await rotate.locator('[data-block-id="namespace"] input').fill('accounting');
      await rotate.locator('[data-block-id="account"] input').fill('ledger');
      await send.click();
      await rotate.filter({ hasText: 'What is interrupted: Its Pods get 401' }).waitFor();
      await rotate.getByLabel('A new token Secret under a new name').check();
      await rotate.getByLabel('Only show the plan (dry run)').check();
      await send.click();
      await rotate.filter({ hasText: /Incident .* is open/ }).waitFor();
      await rotate.getByRole('button', { name: 'Close', exact: true }).last().click();
      await rotate.waitFor({ state: 'hidden' });
      await cardShows('accounting/ledger on prod');
      await card().filter({ hasText: 'Create token Secret accounting/ledger-token-r' }).waitFor();
    });

    it('is helped where the name is mistyped', async () => {
      await type('/revoke-sa prod/payments/chekout');
      await told('Did you mean prod/payments/checkout');
    });
  },
);
