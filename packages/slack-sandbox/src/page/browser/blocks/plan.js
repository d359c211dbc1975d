// @ts-check
// Draws `plan` and `task_card` blocks: the steps of a job and how far each is.
import { h } from '../dom.js';
import { mrkdwn } from '../text/mrkdwn.js';
import { richText } from '../text/rich-text.js';

/** @import { PlanBlock, RichTextBlock, TaskCardBlock } from '@slack/types' */
/** @import { Names } from '../types.d.ts' */

const STATUS = { pending: 'Pending', in_progress: 'In progress', complete: 'Done', error: 'Failed' };

/** @param {string | RichTextBlock} content @param {Names} names */
const contentOf = (content, names) =>
  typeof content === 'string' ? mrkdwn(content, names) : richText(content, names);

/** @param {TaskCardBlock} task @param {Names} names */
export function drawTask(task, names) {
  const status = task.status ?? 'pending';
  const label = STATUS[status] ?? status;
  return h(
    'div',
    { class: `task ${status}`, 'data-task-id': task.task_id },
    h('span', { class: 'task-mark', 'aria-hidden': 'true', title: label }),
    h(
      'div',
      { class: 'task-body' },
      h('div', { class: 'task-title' }, task.title, h('span', { class: 'unseen' }, ` (${label})`)),
      task.details && h('div', { class: 'task-details' }, ...contentOf(task.details, names)),
      task.output && h('div', { class: 'task-output' }, ...contentOf(task.output, names)),
    ),
  );
}

/** @param {PlanBlock} plan @param {Names} names */
export function drawPlan(plan, names) {
  const tasks = /** @type {TaskCardBlock[]} */ (plan.tasks ?? []);
  const done = tasks.filter((task) => task.status === 'complete').length;
  return h(
    'details',
    { class: 'plan', open: true },
    h(
      'summary',
      {},
      h('strong', {}, plan.title),
      h('span', { class: 'muted' }, ` ${done} of ${tasks.length} done`),
    ),
    ...tasks.map((task) => drawTask(task, names)),
  );
}
