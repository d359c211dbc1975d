// Checks the interactive elements inside blocks against Slack's limits.

import { isRecord, type Json } from '../types.ts';
import {
  checkConfirm,
  checkOptions,
  checkString,
  checkText,
  ID_MAX,
  type Report,
} from './composition-limits.ts';

type ElementCheck = (report: Report, element: Json, path: string) => void;

const withPlaceholder: ElementCheck = (report, element, path) =>
  checkText(report, element, 'placeholder', path, { max: 150, plain: true });

const withOptions =
  (max: number): ElementCheck =>
  (report, element, path) => {
    withPlaceholder(report, element, path);
    checkOptions(report, element, path, max);
  };

const textInput: ElementCheck = (report, element, path) => {
  withPlaceholder(report, element, path);
  checkString(report, element, 'initial_value', path, { max: 3000 });
};

const button: ElementCheck = (report, element, path) => {
  checkText(report, element, 'text', path, { max: 75, required: true, plain: true });
  checkString(report, element, 'value', path, { max: 2000 });
  checkString(report, element, 'url', path, { max: 3000 });
  checkString(report, element, 'accessibility_label', path, { max: 75 });
  const style = element.style;
  if (style !== undefined && style !== 'primary' && style !== 'danger')
    report('must be one of: primary, danger', `${path}/style`);
};

const feedback: ElementCheck = (report, element, path) => {
  for (const key of ['positive_button', 'negative_button']) {
    const half = element[key];
    if (!isRecord(half)) report(`missing required field: ${key}`, path);
    else checkText(report, half, 'text', `${path}/${key}`, { max: 75, required: true, plain: true });
  }
};

const ELEMENTS: Record<string, ElementCheck> = {
  button,
  workflow_button: button,
  icon_button: button,
  feedback_buttons: feedback,
  static_select: withOptions(100),
  multi_static_select: withOptions(100),
  radio_buttons: withOptions(10),
  checkboxes: withOptions(10),
  overflow: withOptions(5),
  external_select: withPlaceholder,
  multi_external_select: withPlaceholder,
  users_select: withPlaceholder,
  multi_users_select: withPlaceholder,
  conversations_select: withPlaceholder,
  multi_conversations_select: withPlaceholder,
  channels_select: withPlaceholder,
  multi_channels_select: withPlaceholder,
  datepicker: withPlaceholder,
  timepicker: withPlaceholder,
  datetimepicker: () => undefined,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  rich_text_input: withPlaceholder,
  file_input: () => undefined,
};

const PICKERS = [
  'button',
  'workflow_button',
  'overflow',
  'static_select',
  'multi_static_select',
  'external_select',
  'multi_external_select',
  'users_select',
  'multi_users_select',
  'conversations_select',
  'multi_conversations_select',
  'channels_select',
  'multi_channels_select',
  'radio_buttons',
  'checkboxes',
  'datepicker',
  'timepicker',
  'datetimepicker',
];
const BUTTONS = ['button', 'workflow_button', 'overflow', 'icon_button', 'feedback_buttons'];

export const ALLOWED_ELEMENTS = {
  section: [...PICKERS, 'image'],
  actions: [...PICKERS, 'rich_text_input'],
  context_actions: ['feedback_buttons', 'icon_button'],
  card: ['button'],
  input: Object.keys(ELEMENTS).filter((type) => !BUTTONS.includes(type)),
} as const satisfies Record<string, readonly string[]>;

/** `actionIds` holds those seen in the same block: they must be unique there. */
export function checkElement(
  report: Report,
  element: unknown,
  path: string,
  allowed: readonly string[],
  actionIds: Set<string>,
): void {
  if (!isRecord(element)) {
    report('must provide an object', path);
    return;
  }
  const type = String(element.type);
  if (!allowed.includes(type)) {
    report(`unsupported type: ${type}`, `${path}/type`);
    return;
  }
  if (type === 'image') {
    checkImage(report, element, path);
    return;
  }
  checkString(report, element, 'action_id', path, { max: ID_MAX });
  const actionId = element.action_id;
  if (typeof actionId === 'string') {
    if (actionIds.has(actionId)) report(`\`action_id\` "${actionId}" already exists`, `${path}/action_id`);
    actionIds.add(actionId);
  }
  checkConfirm(report, element, path);
  ELEMENTS[type]?.(report, element, path);
}

export function checkImage(report: Report, image: Json, path: string): void {
  checkString(report, image, 'alt_text', path, { max: 2000, required: true });
  checkString(report, image, 'image_url', path, { max: 3000 });
  if (image.image_url === undefined && image.slack_file === undefined)
    report('must define either `image_url` or `slack_file`', path);
}
