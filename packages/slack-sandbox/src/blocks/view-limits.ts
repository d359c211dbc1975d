// A pure check of modal and App Home views against Slack's limits.

import { isRecord } from '../types.ts';
import { checkBlocks } from './block-limits.ts';
import { checkString, checkText, ID_MAX, type Report } from './composition-limits.ts';

export const VIEW_MAX_BYTES = 250_000;

/** An empty list means that Slack would accept the view. */
export function checkView(view: unknown, expected: 'modal' | 'home'): string[] {
  if (!isRecord(view)) return ['must provide an object [json-pointer:/view]'];
  const problems: string[] = [];
  const report: Report = (problem, pointer) => {
    problems.push(`${problem} [json-pointer:${pointer}]`);
  };
  if (view.type !== expected) report(`must be of type ${expected}`, '/view/type');
  checkString(report, view, 'private_metadata', '/view', { max: 3000 });
  checkString(report, view, 'callback_id', '/view', { max: ID_MAX });
  checkString(report, view, 'external_id', '/view', { max: ID_MAX });
  if (expected === 'modal') {
    checkText(report, view, 'title', '/view', { max: 24, required: true, plain: true });
    checkText(report, view, 'submit', '/view', { max: 24, plain: true });
    checkText(report, view, 'close', '/view', { max: 24, plain: true });
    const blocks = Array.isArray(view.blocks) ? view.blocks : [];
    const hasInput = blocks.some((block) => isRecord(block) && block.type === 'input');
    if (hasInput && view.submit === undefined) report('missing required field: submit', '/view');
  }
  return [...problems, ...checkBlocks(view.blocks, expected, '/view/blocks')];
}
