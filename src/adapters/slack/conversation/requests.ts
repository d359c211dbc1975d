// Takes the forms of `/rotate-sa` and `/restart-sa`: the first asks the worker what fits, the last runs the command.
import type { SlackViewMiddlewareArgs, ViewSubmitAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import type { Question } from '../../../ports/desk.ts';
import type { Values } from '../forms/form-answers.ts';
import { type Memory, noticeView, readMemory } from '../forms/forms.ts';
import { isStrategy, readRequestFields, readTargetFields } from '../forms/request-answers.ts';
import { type Named, REQUEST_TITLES, targetForm, wayForm } from '../forms/request-forms.ts';
import { code } from '../mrkdwn/mrkdwn.ts';
import { explain, sayTo } from './answer.ts';
import { type Bot, updateView } from './bot.ts';
import { runCommand } from './slash.ts';

type Submission = SlackViewMiddlewareArgs<ViewSubmitAction>;

const valuesOf = ({ view }: Submission): Values => view.state.values as unknown as Values;

const refused = ({ ack }: Submission, errors: object): Promise<void> =>
  ack({ response_action: 'errors', errors: errors as Record<string, string> });

export async function onTarget(bot: Bot, submission: Submission): Promise<void> {
  const { body, view, ack } = submission;
  const read = readTargetFields(valuesOf(submission));
  if ('errors' in read) return refused(submission, read.errors);
  const memory: Memory = { channel: '', ...readMemory(view.private_metadata), target: read.target };
  await ack({
    response_action: 'update',
    view: noticeView(REQUEST_TITLES.rotate, 'Looking at the cluster…'),
  });
  await bot.once(body.trigger_id, async () => {
    await updateView(bot, view.id, await nextForm(bot, memory, read.named));
  });
}

/** Where nobody can look, the request must still be possible. */
async function nextForm(bot: Bot, memory: Memory, named: Named): Promise<ModalView> {
  const { cluster, namespace = '', account: name = '' } = named;
  const question: Question = { ask: 'ways-to-rotate', namespace, name, ...(cluster ? { cluster } : {}) };
  const answer = await bot.front.ask(question).catch((error: unknown) => {
    explain(error, bot.log);
    return undefined;
  });
  const ways = [...new Set(answer?.found ?? [])].filter(isStrategy);
  if (ways.length > 0) return wayForm(memory, ways);
  if (answer === undefined || answer.problems.length > 0 || answer.found.length > 0)
    return wayForm(memory, undefined);
  const meant = answer.near.slice(0, 3).map((near) => code(near));
  const problem = `There is no ServiceAccount ${code(memory.target ?? '')}.${meant.length > 0 ? ` Did you mean ${meant.join(', ')}?` : ''} Nothing was opened.`;
  return targetForm(bot.front.clusters, memory, { named, problem });
}

export async function onRequest(bot: Bot, submission: Submission): Promise<void> {
  const { body, view, ack } = submission;
  const values = valuesOf(submission);
  const memory = readMemory(view.private_metadata);
  const target = memory?.target === undefined ? readTargetFields(values) : { target: memory.target };
  const rest = readRequestFields(values);
  if ('errors' in target || 'errors' in rest)
    return refused(submission, {
      ...('errors' in target ? target.errors : {}),
      ...('errors' in rest ? rest.errors : {}),
    });
  const title = view.title.text;
  await ack({ response_action: 'update', view: noticeView(title, 'Working on it…') });
  const channel = memory?.channel || bot.shelf.channel;
  const typed = {
    name: memory?.command ?? '',
    text: `${target.target} ${rest.text}`,
    user: body.user.id,
    channel,
  };
  await bot.once(body.trigger_id, async () => {
    const text = await runCommand(bot, typed).catch(
      (error: unknown) => `${explain(error, bot.log)} What you filled in was not kept.`,
    );
    const shown = typeof text === 'string' ? text : 'Nothing was opened.';
    if (await updateView(bot, view.id, noticeView(title, shown))) return;
    await sayTo(bot, { user: body.user.id, channel })(shown);
  });
}
