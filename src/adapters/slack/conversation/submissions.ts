// Takes filled-in forms: errors appear beside the field, everything else is answered first and done then.
import type { SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt';
import type { Finding } from '../../../contracts/alert-source.ts';
import { scrub } from '../../../domain/text/scrub.ts';
import { type Filled, readAnswers, type Values } from '../forms/form-answers.ts';
import { CALLBACKS, type Memory, noticeView, readMemory } from '../forms/forms.ts';
import { answering, explain, sayTo } from './answer.ts';
import { type Bot, updateView } from './bot.ts';
import { press } from './clicks.ts';
import { openedText } from './replies.ts';
import { onRequest, onTarget } from './requests.ts';
import { approveTogether } from './together.ts';

type Submission = SlackViewMiddlewareArgs<ViewSubmitAction>;

export async function onSubmit(bot: Bot, submission: Submission): Promise<void> {
  const { body, view, ack } = submission;
  if (view.callback_id === CALLBACKS.target) return onTarget(bot, submission);
  if (view.callback_id === CALLBACKS.request) return onRequest(bot, submission);
  const memory = readMemory(view.private_metadata);
  const values = view.state.values as unknown as Values;
  if (view.callback_id === CALLBACKS.reason) {
    const wrong = notConfirmed(memory, values);
    if (wrong !== undefined) return ack({ response_action: 'errors', errors: { confirm: wrong } });
    await ack();
    if (memory) await bot.once(body.trigger_id, () => withReason(bot, body.user.id, memory, values));
    return;
  }
  if (view.callback_id === CALLBACKS.together) {
    await ack();
    await bot.once(body.trigger_id, () => together(bot, body.user.id, memory, values));
    return;
  }
  const answers = readAnswers(values);
  if ('errors' in answers)
    return ack({ response_action: 'errors', errors: answers.errors as Record<string, string> });
  const report = view.callback_id === CALLBACKS.report;
  const title = report ? 'Report a leaked token' : 'Identify the token';
  await ack({ response_action: 'update', view: noticeView(title, 'Working on it…') });
  const { filled } = answers;
  await bot.once(body.trigger_id, async () => {
    const work = report ? reported(bot, body.user.id, filled) : identified(bot, body.user.id, memory, filled);
    const text = await work.catch(
      (error: unknown) => `${explain(error, bot.log)} What you filled in was not kept.`,
    );
    if (await updateView(bot, view.id, noticeView(title, text))) return;
    await sayTo(bot, { user: body.user.id, channel: memory?.channel })(text);
  });
}

function notConfirmed(memory: Memory | undefined, values: Values): string | undefined {
  if (memory?.verb !== 'break-glass') return undefined;
  const { confirm = '' } = memory;
  const typed = values.confirm?.confirm?.value?.trim() ?? '';
  if (confirm !== '' && typed === confirm) return undefined;
  return confirm === '' ? 'Nobody knows whose token this is yet.' : `Type exactly ${confirm}.`;
}

async function withReason(
  bot: Bot,
  user: string,
  { channel, verb, about }: Memory,
  values: Values,
): Promise<void> {
  const say = sayTo(bot, { user, channel });
  const reason = values.reason?.reason?.value?.trim() ?? '';
  await answering(
    say,
    async () => told(reason, verb && about ? await press(bot, user, about, { verb, reason }) : UNREADABLE),
    bot.log,
  );
}

async function together(bot: Bot, user: string, memory: Memory | undefined, values: Values): Promise<void> {
  const say = sayTo(bot, { user, channel: memory?.channel });
  const reason = values.reason?.reason?.value?.trim() ?? '';
  const given = memory?.together;
  await answering(
    say,
    async () => told(reason, given ? await approveTogether(bot, user, given, reason) : UNREADABLE),
    bot.log,
  );
}

const told = (reason: string, answer: string | undefined): string | undefined =>
  scrub(reason) === reason ? answer : [answer, GIVEN_TOKEN].filter(Boolean).join('\n');

const GIVEN_TOKEN =
  'The reason held a token, which was taken out before it was kept. Whoever saw it where you copied it from can use it: report it too, by `/revoke-sa`.';

const UNREADABLE =
  'This form is not one that is known here, so nothing was done. Press the button on the card again.';

async function reported(bot: Bot, user: string, { token, at, where, reason }: Filled): Promise<string> {
  const subject: Finding['alert']['subject'] = token || !at ? { kind: 'token' } : { kind: 'coordinates', at };
  const opened = await bot.front.report({
    alert: {
      source: 'slash',
      subject,
      reporter: user,
      ...(where ? { where: { text: where } } : {}),
      ...(reason ? { reason } : {}),
    },
    ...(token ? { token } : {}),
  });
  return openedText(bot.shelf, opened.incidentId, opened.created);
}

async function identified(
  bot: Bot,
  user: string,
  memory: Memory | undefined,
  { token, at }: Filled,
): Promise<string> {
  if (!memory?.about) return UNREADABLE;
  // A token says itself where it belongs.
  const click = { verb: 'identify' as const, ...(at && !token ? { at } : {}) };
  return press(bot, user, memory.about, click, token);
}
