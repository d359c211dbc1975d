// Finds interactive elements in blocks and says what a client reports when somebody uses them.
import { type Block, isRecord, type Json, type StateValues } from '../types.ts';

export interface PlacedElement {
  blockId: string;
  actionId: string;
  element: Json;
}

/** What a person picks or types: a button's or option's value, a user id, a date or a text. */
export type Given = string | string[] | undefined;

export function interactiveElements(blocks: Block[]): PlacedElement[] {
  const found: PlacedElement[] = [];
  const walk = (node: unknown, blockId: string): void => {
    if (Array.isArray(node)) for (const child of node) walk(child, blockId);
    if (!isRecord(node)) return;
    const nearest = typeof node.block_id === 'string' ? node.block_id : blockId;
    if (typeof node.action_id === 'string')
      found.push({ blockId: nearest, actionId: node.action_id, element: node });
    for (const child of Object.values(node)) walk(child, nearest);
  };
  walk(blocks, '');
  return found;
}

export function optionsOf(element: Json): Json[] {
  const groups = Array.isArray(element.option_groups) ? element.option_groups : [element];
  return groups
    .filter(isRecord)
    .flatMap((group) => (Array.isArray(group.options) ? group.options : []))
    .filter(isRecord);
}

function pick(element: Json, value: string): Json {
  const options = optionsOf(element);
  const option = options.find((candidate) => candidate.value === value);
  if (!option && options.length > 0) {
    const known = options.map((candidate) => candidate.value).join(', ');
    throw new Error(`"${value}" is not an option of ${String(element.action_id)}; the options are ${known}.`);
  }
  return option ?? { text: { type: 'plain_text', text: value }, value };
}

const FIELD: Record<string, string> = {
  users_select: 'selected_user',
  multi_users_select: 'selected_users',
  conversations_select: 'selected_conversation',
  multi_conversations_select: 'selected_conversations',
  channels_select: 'selected_channel',
  multi_channels_select: 'selected_channels',
  datepicker: 'selected_date',
  timepicker: 'selected_time',
  datetimepicker: 'selected_date_time',
  static_select: 'selected_option',
  external_select: 'selected_option',
  radio_buttons: 'selected_option',
  overflow: 'selected_option',
  multi_static_select: 'selected_options',
  multi_external_select: 'selected_options',
  checkboxes: 'selected_options',
};

const INITIAL = [
  'initial_value',
  'initial_option',
  'initial_options',
  'initial_user',
  'initial_users',
  'initial_conversation',
  'initial_conversations',
  'initial_channel',
  'initial_channels',
  'initial_date',
  'initial_time',
  'initial_date_time',
];

/** The value of an element as Slack puts it into `state.values` and into an action. */
export function elementValue(element: Json, given: Given): Json {
  const type = String(element.type);
  const field = FIELD[type] ?? 'value';
  const isMany = field.endsWith('s');
  if (given === undefined) {
    const initial = INITIAL.map((key) => element[key]).find((value) => value !== undefined);
    return { type, [field]: initial ?? (isMany ? [] : null) };
  }
  const chosen = Array.isArray(given) ? given : [given];
  const values = field.startsWith('selected_option') ? chosen.map((value) => pick(element, value)) : chosen;
  return { type, [field]: isMany ? values : values[0] };
}

export function isEmptyValue(value: Json): boolean {
  const { type: _type, ...fields } = value;
  return Object.values(fields).every(
    (field) => field === null || field === '' || (Array.isArray(field) && field.length === 0),
  );
}

/** The element of an action as the client would send it. */
export function actionOf(placed: PlacedElement, given: Given, ts: string): Json {
  const { element, blockId, actionId } = placed;
  const ids = { action_id: actionId, block_id: blockId, action_ts: ts };
  if (!['button', 'icon_button', 'workflow_button'].includes(String(element.type)))
    return { ...elementValue(element, given), ...ids };
  const shown = ['type', 'text', 'value', 'style', 'url', 'confirm', 'icon'];
  const fields = Object.entries(element).filter(([key]) => shown.includes(key));
  return { ...Object.fromEntries(fields), ...ids };
}

export function initialValues(blocks: Block[]): StateValues {
  const values: StateValues = {};
  for (const { element, blockId, actionId } of interactiveElements(blocks)) {
    if (String(element.type).includes('button') && element.type !== 'radio_buttons') continue;
    if (element.type === 'overflow') continue;
    values[blockId] = { ...values[blockId], [actionId]: elementValue(element, undefined) };
  }
  return values;
}
