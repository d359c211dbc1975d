// Checks the small objects that blocks are composed of (texts, options, confirmations) against Slack's limits.
import { isRecord, type Json } from '../types.ts';

/** Collects problems as Slack words them, each with a pointer to its place. */
export type Report = (problem: string, pointer: string) => void;

export const ID_MAX = 255;

export function checkString(
  report: Report,
  owner: Json,
  key: string,
  path: string,
  rule: { max: number; required?: boolean },
): void {
  const value = owner[key];
  if (value === undefined || value === null) {
    if (rule.required) report(`missing required field: ${key}`, path);
  } else if (typeof value !== 'string') report('must be a string', `${path}/${key}`);
  else if (value.length > rule.max) report(`must be less than ${rule.max + 1} characters`, `${path}/${key}`);
  else if (rule.required && value.length === 0) report('must be more than 0 characters', `${path}/${key}`);
}

export function checkText(
  report: Report,
  owner: Json,
  key: string,
  path: string,
  rule: { max: number; required?: boolean; plain?: boolean },
): void {
  const text = owner[key];
  if (text === undefined || text === null) {
    if (rule.required) report(`missing required field: ${key}`, path);
  } else checkTextObject(report, text, `${path}/${key}`, rule);
}

export function checkTextObject(
  report: Report,
  text: unknown,
  path: string,
  rule: { max: number; plain?: boolean },
): void {
  if (!isRecord(text)) {
    report('must provide an object', path);
    return;
  }
  const isKnown = text.type === 'plain_text' || (text.type === 'mrkdwn' && !rule.plain);
  if (!isKnown) report(`unsupported type: ${String(text.type)}`, `${path}/type`);
  checkString(report, text, 'text', path, { max: rule.max, required: true });
}

export function checkItems(
  report: Report,
  owner: Json,
  key: string,
  path: string,
  rule: { max: number; required?: boolean },
): unknown[] {
  const items = owner[key];
  if (items === undefined || items === null) {
    if (rule.required) report(`missing required field: ${key}`, path);
    return [];
  }
  if (!Array.isArray(items)) {
    report('must be an array', `${path}/${key}`);
    return [];
  }
  if (items.length > rule.max) report(`no more than ${rule.max} items allowed`, `${path}/${key}`);
  if (rule.required && items.length === 0) report('no fewer than 1 items allowed', `${path}/${key}`);
  return items;
}

export function checkOptions(report: Report, element: Json, path: string, max: number): void {
  if (element.option_groups !== undefined) {
    checkItems(report, element, 'option_groups', path, { max: 100 }).forEach((group, index) => {
      const place = `${path}/option_groups/${index}`;
      if (!isRecord(group)) {
        report('must provide an object', place);
        return;
      }
      checkText(report, group, 'label', place, { max: 75, required: true, plain: true });
      checkOptions(report, group, place, 100);
    });
    return;
  }
  checkItems(report, element, 'options', path, { max, required: true }).forEach((option, index) => {
    const place = `${path}/options/${index}`;
    if (!isRecord(option)) {
      report('must provide an object', place);
      return;
    }
    checkText(report, option, 'text', place, { max: 75, required: true });
    checkString(report, option, 'value', place, { max: 75, required: element.type !== 'overflow' });
    checkText(report, option, 'description', place, { max: 75 });
  });
}

export function checkConfirm(report: Report, element: Json, path: string): void {
  const confirm = element.confirm;
  if (confirm === undefined) return;
  const place = `${path}/confirm`;
  if (!isRecord(confirm)) {
    report('must provide an object', place);
    return;
  }
  checkText(report, confirm, 'title', place, { max: 100, plain: true });
  checkText(report, confirm, 'text', place, { max: 300, required: true });
  checkText(report, confirm, 'confirm', place, { max: 30, plain: true });
  checkText(report, confirm, 'deny', place, { max: 30, plain: true });
}
