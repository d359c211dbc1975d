// Drives the emulator's page in a real browser, against the real emulator and a small real Bolt app.
import { existsSync } from 'node:fs';
import { App, type BlockAction } from '@slack/bolt';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startWorkspace, type Workspace } from '../../src/workspace.ts';
import { helpModal, incidentCard, reportModal } from './sample-card.ts';

const CHROMIUM = '/usr/bin/chromium';
const INCIDENTS = 'CINCIDENTS';
/** Generous, since a browser on a busy machine is slow; nothing waits longer than it must. */
const PATIENCE = { timeout: 30_000 };
const eventually = <T>(read: () => T) => expect.poll(read, PATIENCE);
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
  `the page (skipped where ${CHROMIUM} is not installed)`,
  { timeout: 120_000 },
  () => {
    let workspace: Workspace;
    let app: App;
    let browser: Browser;
    let page: Page;
    const heard: { actions: BlockAction[]; submitted: unknown[]; closed: string[] } = {
      actions: [],
      submitted: [],
      closed: [],
    };
    const pageErrors: string[] = [];

    beforeAll(async () => {
      workspace = await startWorkspace({
        rates: 'off',
        commands: [
          { command: '/revoke-sa', description: 'Revoke a token', usageHint: '[cluster/namespace/name]' },
          { command: '/report-leak', description: 'Report a leak with a form', usageHint: '' },
        ],
        demos: [
          {
            id: 'leak',
            label: 'Leak a token',
            description: 'Somebody pastes a token.',
            run: async () => void workspace.say('dan', 'incidents', 'I pasted a token, sorry'),
          },
        ],
      });
      app = startApp();
      [browser] = await Promise.all([
        chromium.launch({ executablePath: CHROMIUM, args: FLAGS }),
        app.start(),
      ]);
      page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      page.setDefaultTimeout(PATIENCE.timeout);
      page.on('pageerror', (error) => pageErrors.push(error.message));
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await app?.stop();
      // Bolt's stop() does not wait for its socket to close.
      await vi.waitFor(() => expect(workspace.sockets()).toBe(0), PATIENCE);
      await workspace?.close();
    });

    afterEach(() => {
      expect(pageErrors.splice(0)).toEqual([]);
    });

    function startApp() {
      const { botToken, appToken, apiUrl } = workspace;
      const clientOptions = { slackApiUrl: apiUrl };
      const created = new App({ token: botToken, appToken, socketMode: true, clientOptions });
      created.command('/revoke-sa', async ({ ack, command, respond }) => {
        await ack();
        await respond(`Looking for ${command.text}`);
      });
      created.command('/report-leak', async ({ ack, body, client }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view: reportModal });
      });
      created.action('help', async ({ ack, body, client }) => {
        await ack();
        const triggerId = 'trigger_id' in body ? body.trigger_id : '';
        await client.views.push({ trigger_id: triggerId, view: helpModal });
      });
      created.action(/^(?!help$)/, async ({ ack, body }) => {
        await ack();
        heard.actions.push(body as BlockAction);
      });
      created.view('report', async ({ ack, view }) => {
        heard.submitted.push(view.state.values);
        const account = view.state.values.account?.text?.value ?? '';
        if (account.includes('/')) return await ack();
        await ack({ response_action: 'errors', errors: { account: 'Write it as namespace/name.' } });
      });
      created.view({ callback_id: 'report', type: 'view_closed' }, async ({ ack, view }) => {
        await ack();
        heard.closed.push(view.id);
      });
      created.event('app_home_opened', async ({ event, client }) => {
        const text = { type: 'mrkdwn' as const, text: `Hello <@${event.user}>` };
        await client.views.publish({
          user_id: event.user,
          view: { type: 'home', blocks: [{ type: 'section', text }] },
        });
      });
      return created;
    }

    async function visit(user = 'UMAYA00001') {
      await page.goto(`${workspace.pageUrl}?user=${user}&channel=${INCIDENTS}`);
      await page.waitForSelector(`[data-user="${user}"][aria-pressed="true"]`);
    }

    async function post(text: string, more: object = {}): Promise<string> {
      const sent = await app.client.chat.postMessage({ channel: INCIDENTS, text, ...more });
      return sent.ts ?? '';
    }

    const message = (ts: string, pane = '#messages') => page.locator(`${pane} [data-ts="${ts}"]`);
    const composer = () => page.locator('#messages .composer textarea');
    const update = (ts: string, blocks: ReturnType<typeof incidentCard>) =>
      app.client.chat.update({ channel: INCIDENTS, ts, text: 'card', blocks });

    test('draws a message with its author, marks, mentions and links', async () => {
      const ts = await post(
        '*bold* _it_ ~no~ `a_b_c` <https://a.example/x|there> <@UDAN000001> :lock: 2 &lt; 3\n> quoted\n• one\n• two',
      );
      await visit();
      const body = message(ts).locator('.message-body');
      await eventually(() => message(ts).locator('.author').textContent()).toBe('Tourniquet');
      expect(await body.locator('strong').textContent()).toBe('bold');
      expect(await body.locator('em').textContent()).toBe('it');
      expect(await body.locator('code').textContent()).toBe('a_b_c');
      expect(await body.locator('a').getAttribute('href')).toBe('https://a.example/x');
      expect(await body.locator('.mention').textContent()).toBe('@Dan Whitlow');
      expect(await body.locator('blockquote').textContent()).toBe('quoted');
      expect(await body.locator('li').allTextContents()).toEqual(['one', 'two']);
      expect(await body.textContent()).toContain('🔒 2 < 3');
    });

    test('keeps text that looks like markup as text', async () => {
      const attack =
        '<img src=x onerror="window.hacked=1"> <script>window.hacked=1</script> <javascript:alert(1)|click>';
      const ts = await post(attack);
      const typed = workspace.say('dan', 'incidents', attack).ts;
      const block = { type: 'section', text: { type: 'plain_text', text: attack } };
      const inBlock = await post('x', {
        blocks: [block, { type: 'markdown', text: `${attack} [a](javascript:alert(1))` }],
      });
      await visit();
      await eventually(() => message(ts).locator('.message-body').textContent()).toBe(attack);
      expect(await message(typed).locator('.message-body').textContent()).toBe(attack);
      expect(await message(inBlock).locator('.section').textContent()).toBe(attack);
      expect(await page.locator('.message-body :is(img, script, a[href^="javascript"])').count()).toBe(0);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
    });

    test('says which block it cannot draw', async () => {
      const video = {
        type: 'video',
        alt_text: 'v',
        video_url: 'https://a.example/v',
        thumbnail_url: 'https://a.example/t',
      };
      const ts = await post('video', { blocks: [{ ...video, title: { type: 'plain_text', text: 'v' } }] });
      await visit();
      await eventually(() => message(ts).locator('.not-drawn').textContent()).toBe('not drawn: video');
    });

    test('draws the steps of a plan and redraws them when they advance', async () => {
      const ts = await post('card', { blocks: incidentCard(['complete', 'in_progress']) });
      await visit();
      const tasks = message(ts).locator('.task-title');
      await eventually(() => tasks.first().textContent()).toContain('(Done)');
      expect(await tasks.nth(1).textContent()).toContain('(In progress)');
      await update(ts, incidentCard(['complete', 'error']));
      await eventually(() => tasks.nth(1).textContent()).toContain('(Failed)');
    });

    test('opens a thread and replies in it', async () => {
      const root = await post('root');
      const reply = await post('first reply', { thread_ts: root });
      await visit();
      expect(await message(reply).count()).toBe(0);
      await message(root).locator('.replies', { hasText: '1 reply' }).click();
      await message(reply, '#thread').waitFor();
      await page.locator('#thread textarea').fill('second reply');
      await page.keyboard.press('Enter');
      await message(root).locator('.replies', { hasText: '2 replies' }).waitFor();
      expect(workspace.thread('incidents', root).map(({ text }) => text)).toEqual([
        'root',
        'first reply',
        'second reply',
      ]);
      await page.getByRole('button', { name: 'Close thread' }).click();
      await page.locator('#thread').waitFor({ state: 'hidden' });
    });

    test('completes a slash command and sends it; the answer is for this person only', async () => {
      await visit();
      await composer().fill('/re');
      await page.keyboard.press('ArrowDown');
      const selected = page.locator('#messages [aria-selected="true"]');
      expect(await selected.getAttribute('data-command')).toBe('/report-leak');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Tab');
      expect(await composer().inputValue()).toBe('/revoke-sa ');
      expect(await page.locator('#messages .usage').textContent()).toContain('[cluster/namespace/name]');
      await page.keyboard.type('prod/payments/api');
      await page.keyboard.press('Enter');
      const answer = page.locator('#messages .message.ephemeral', {
        hasText: 'Looking for prod/payments/api',
      });
      await answer.waitFor();
      expect(await answer.textContent()).toContain('Only visible to you');
      expect(await composer().inputValue()).toBe('');
    });

    test('sends lines: Shift+Enter breaks, Enter sends', async () => {
      await visit();
      await composer().fill('one');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('two & <three>');
      await page.keyboard.press('Enter');
      await page.locator('#messages .message-body', { hasText: 'two & <three>' }).waitFor();
      expect(workspace.messages('incidents').at(-1)?.text).toBe('one\ntwo &amp; &lt;three&gt;');
    });

    test('asks before a button that wants confirmation', async () => {
      const ts = await post('card', { blocks: incidentCard([]) });
      await visit();
      const approve = message(ts).locator('[data-action-id="approve"]');
      await approve.click();
      await page.locator('dialog.confirm', { hasText: 'Run this plan on prod-eu?' }).waitFor();
      await page.locator('[data-confirm="deny"]').click();
      await page.locator('dialog.confirm').waitFor({ state: 'detached' });
      expect(heard.actions).toEqual([]);
      await approve.click();
      await page.locator('[data-confirm="confirm"]').click();
      await eventually(() => heard.actions.length).toBe(1);
      const action = heard.actions.pop();
      expect(action?.actions[0]).toMatchObject({
        action_id: 'approve',
        block_id: 'decide',
        value: 'plan-7c1e',
      });
      expect(action?.user.id).toBe('UMAYA00001');
    });

    test('chooses from an overflow menu with the keyboard', async () => {
      const ts = await post('card', { blocks: incidentCard([]) });
      await visit();
      await message(ts).locator('[data-action-id="more"]').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menuitem', { name: 'Details' }).and(page.locator(':focus')).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await eventually(() => heard.actions.length).toBe(1);
      expect(heard.actions.pop()?.actions[0]).toMatchObject({ selected_option: { value: 'false-alarm' } });
    });

    test('checks a modal, shows the app’s errors, and submits what was entered', async () => {
      await visit();
      await composer().fill('/report-leak');
      await page.keyboard.press('Enter');
      const modal = page.locator('dialog.modal');
      const error = (block: string) => modal.locator(`[data-block-id="${block}"] .input-error`);
      await modal.waitFor();
      await modal.locator('[data-modal="submit"]').click();
      expect(await error('cluster').textContent()).toBe('Please complete this required field.');
      expect(await error('where').textContent()).toBe('');
      expect(heard.submitted).toEqual([]);
      await modal.locator('[data-block-id="cluster"] select').selectOption('prod-eu');
      expect(await error('cluster').textContent()).toBe('');
      await modal.locator('[data-block-id="account"] input').fill('api');
      await modal.getByText('Planned rotation').click();
      await modal.locator('.select-many').click();
      await modal.getByRole('checkbox', { name: 'Ines Duarte' }).check();
      await page.keyboard.press('Escape');
      await modal.locator('[data-modal="submit"]').click();
      await eventually(() => error('account').textContent()).toBe('Write it as namespace/name.');
      await modal.locator('[data-block-id="account"] input').fill('payments/api');
      expect(await error('account').textContent()).toBe('');
      await modal.locator('[data-modal="submit"]:not([aria-busy])').click();
      await modal.waitFor({ state: 'detached' });
      expect(heard.submitted.at(-1)).toMatchObject({
        cluster: { pick: { type: 'static_select', selected_option: { value: 'prod-eu' } } },
        account: { text: { type: 'plain_text_input', value: 'payments/api' } },
        where: { text: { value: null } },
        urgency: { pick: { selected_option: { value: 'calm' } } },
        tell: { people: { selected_users: ['UINES00001'] } },
      });
    });

    test('sends a choice made in a message together with what stands in its other fields', async () => {
      const option = (value: string) => ({ text: { type: 'plain_text' as const, text: value }, value });
      const options = [option('one'), option('two'), option('three')];
      const ts = await post('choose', {
        blocks: [
          {
            type: 'actions',
            block_id: 'choices',
            elements: [
              { type: 'static_select', action_id: 'single', options },
              { type: 'multi_static_select', action_id: 'several', options },
              { type: 'checkboxes', action_id: 'boxes', options },
              { type: 'datepicker', action_id: 'date', initial_date: '2026-11-24' },
            ],
          },
        ],
      });
      await visit();
      const element = (id: string) => message(ts).locator(`[data-action-id="${id}"]`);
      await element('single').selectOption('two');
      await eventually(() => heard.actions.length).toBe(1);
      await element('several').click();
      await message(ts).locator('.menu').getByText('one').click();
      await message(ts).locator('.menu').getByText('three').click();
      expect(heard.actions).toHaveLength(1);
      await page.keyboard.press('Escape');
      await eventually(() => heard.actions.length).toBe(2);
      await element('boxes').getByText('two').click();
      await eventually(() => heard.actions.length).toBe(3);
      const [single, several, boxes] = heard.actions.splice(0);
      expect(single?.actions[0]).toMatchObject({ action_id: 'single', selected_option: option('two') });
      expect(several?.actions[0]).toMatchObject({ selected_options: [option('one'), option('three')] });
      expect(boxes?.state?.values.choices).toMatchObject({
        single: { type: 'static_select', selected_option: option('two') },
        several: { selected_options: [option('one'), option('three')] },
        boxes: { type: 'checkboxes', selected_options: [option('two')] },
        date: { selected_date: '2026-11-24' },
      });
    });

    test('stacks modals and keeps the lower one as it was left', async () => {
      await visit();
      await composer().fill('/report-leak');
      await page.keyboard.press('Enter');
      const account = page.locator('dialog.modal [data-block-id="account"] input');
      await account.fill('payments/a');
      await page.locator('dialog.modal [data-action-id="help"]').click();
      const upper = page.locator('dialog.modal[open]', { hasText: 'What counts as a leak?' });
      await upper.waitFor();
      expect(await account.isVisible()).toBe(false);
      await upper.getByRole('button', { name: 'Close' }).last().click();
      await upper.waitFor({ state: 'detached' });
      expect(await account.inputValue()).toBe('payments/a');
      await page.locator('dialog.modal[open] [data-modal="close"]').click();
      await page.locator('dialog.modal').waitFor({ state: 'detached' });
      heard.closed.splice(0);
    });

    test('follows a permalink to a reply', async () => {
      const root = await post('a root far up');
      const reply = await post('the reply meant', { thread_ts: root });
      await visit();
      await page.goto(`${workspace.pageUrl}archives/${INCIDENTS}/p${reply.replace('.', '')}`);
      await page.locator(`#thread .pointed-at[data-ts="${reply}"]`).waitFor();
    });

    test('draws every block that a report uses', async () => {
      const cell = (text: string) => ({ type: 'raw_text', text });
      const ts = await post('blocks', {
        blocks: [
          {
            type: 'markdown',
            text: '# Proof\n**refused** by [each server](https://a.example)\n- one\n- two',
          },
          {
            type: 'table',
            rows: [
              [cell('server'), cell('answer')],
              [cell('10.0.0.1'), cell('401')],
            ],
          },
          { type: 'image', image_url: 'https://a.example/i.png', alt_text: 'a graph' },
          { type: 'divider' },
          {
            type: 'input',
            block_id: 'why',
            label: { type: 'plain_text', text: 'Why' },
            element: { type: 'plain_text_input', action_id: 'text' },
          },
        ],
      });
      await visit();
      await eventually(() => message(ts).locator('.markdown [role="heading"]').textContent()).toBe('Proof');
      expect(await message(ts).locator('.markdown strong').textContent()).toBe('refused');
      expect(await message(ts).locator('th').allTextContents()).toEqual(['server', 'answer']);
      expect(await message(ts).getByRole('img', { name: 'a graph' }).count()).toBe(1);
      expect(await message(ts).getByLabel('Why').count()).toBe(1);
      expect(await message(ts).locator('.not-drawn, img').count()).toBe(0);
    });

    test('keeps what is half-typed, where the cursor is and where the list stands over a push', async () => {
      for (let line = 0; line < 30; line++) workspace.say('dan', 'incidents', `line ${line}`);
      const ts = await post('card', { blocks: incidentCard([]) });
      await visit();
      await message(ts).waitFor();
      await composer().fill('half a sent');
      await page.keyboard.press('ArrowLeft');
      const scroller = page.locator('#messages .scroller');
      await scroller.evaluate((node) => node.scrollTo(0, 100));
      await page.locator('#messages .newer').waitFor({ state: 'hidden' });
      const last = workspace.say('dan', 'incidents', 'a push').ts;
      await message(last).waitFor();
      await page.locator('#messages .newer').waitFor();
      expect(await composer().inputValue()).toBe('half a sent');
      expect(await composer().evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
      expect(await page.evaluate('document.activeElement.selectionStart')).toBe(10);
      expect(await scroller.evaluate((node) => node.scrollTop)).toBe(100);
      await message(ts).locator('[data-action-id="decline"]').focus();
      await update(ts, incidentCard(['error']));
      await message(ts).locator('.task.error').waitFor();
      expect(await page.locator(':focus').getAttribute('data-action-id')).toBe('decline');
    });

    test('keeps a half-filled modal over a push, and tells the app when it is closed', async () => {
      await visit();
      await composer().fill('/report-leak');
      await page.keyboard.press('Enter');
      const account = page.locator('dialog.modal [data-block-id="account"] input');
      await account.fill('paym');
      const ts = workspace.say('dan', 'incidents', 'meanwhile').ts;
      await message(ts).waitFor();
      expect(await account.inputValue()).toBe('paym');
      expect(await page.locator(':focus').getAttribute('data-action-id')).toBe('text');
      const id = workspace.views('maya')[0]?.id;
      await page.keyboard.press('Escape');
      await page.locator('dialog.modal').waitFor({ state: 'detached' });
      await eventually(() => heard.closed).toEqual([id]);
    });

    test('becomes another person, who sees other channels and keeps their own draft', async () => {
      await visit();
      await composer().fill('mine');
      expect(await page.locator('[data-channel="CSECPRIV01"]').count()).toBe(0);
      await page.locator('[data-user="UINES00001"]').click();
      await page.locator('[data-channel="CSECPRIV01"]').waitFor();
      expect(await composer().inputValue()).toBe('');
      await composer().fill('hello from ines');
      await page.keyboard.press('Enter');
      await eventually(() => workspace.messages('incidents').at(-1)?.user).toBe('UINES00001');
      await page.locator('[data-user="UMAYA00001"]').click();
      await page.locator('[data-user="UMAYA00001"][aria-pressed="true"]').waitFor();
      await eventually(() => composer().inputValue()).toBe('mine');
    });

    test('opens the App Home, runs a demo, and shows notices that can be dismissed', async () => {
      await visit();
      await page.locator('[data-app-home]').click();
      await page.locator('#home', { hasText: 'Hello @Maya Okafor' }).waitFor();
      await page.locator('[data-demo="leak"]').click();
      await page.locator(`[data-channel="${INCIDENTS}"].unread`).click();
      await page.locator('#messages .message-body', { hasText: 'I pasted a token, sorry' }).waitFor();
      await composer().fill('/nonsense');
      await page.keyboard.press('Enter');
      const toast = page.locator('.toast', { hasText: '/nonsense is not a valid command.' });
      await toast.waitFor();
      await toast.getByRole('button', { name: 'Dismiss' }).click();
      await eventually(() => workspace.notices('maya')).toEqual([]);
      await toast.waitFor({ state: 'detached' });
    });
  },
);
