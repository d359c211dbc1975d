// Draws blocks as plain lines, for a terminal.
import { type Block, isRecord, type Json } from '../types.ts';

const STATUS: Record<string, string> = { pending: '[ ]', in_progress: '[~]', complete: '[x]', error: '[!]' };

type Draw = (block: Json) => string[];

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return '';
  if (typeof value.text === 'string') return value.text;
  if (value.type === 'link') return String(value.url ?? '');
  if (value.type === 'user') return `<@${String(value.user_id)}>`;
  if (value.type === 'emoji') return `:${String(value.name)}:`;
  return '';
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}

function elementLabel(element: Json): string {
  const type = String(element.type);
  if (type === 'image') return `(image: ${String(element.alt_text ?? '')})`;
  if (type === 'button') return `[${textOf(element.text)}]`;
  return `[${textOf(element.placeholder) || type} ▾]`;
}

const richText: Draw = (block) => {
  const flatten = (node: Json): string =>
    list(node.elements).length > 0 ? list(node.elements).map(flatten).join('') : textOf(node);
  return list(block.elements).flatMap((part) => {
    if (part.type !== 'rich_text_list') return lines(flatten(part));
    return list(part.elements).map((item) => `• ${flatten(item)}`);
  });
};

const taskCard: Draw = (task) => {
  const mark = STATUS[String(task.status)] ?? '[ ]';
  const more = ['details', 'output'].flatMap((key) => (isRecord(task[key]) ? richText(task[key]) : []));
  return [`${mark} ${String(task.title)}`, ...more.map((line) => `    ${line}`)];
};

const table: Draw = (block) => {
  const rows = Array.isArray(block.rows) ? block.rows : [];
  const cell = (value: Json) => (value.type === 'rich_text' ? richText(value).join(' ') : textOf(value));
  return rows.map((row: unknown) => `| ${list(row).map(cell).join(' | ')} |`);
};

const card: Draw = (block) => [
  ...['title', 'subtitle', 'body'].flatMap((key) => lines(textOf(block[key]))),
  ...list(block.actions).map(elementLabel),
];

const DRAW: Record<string, Draw> = {
  header: (block) => [`# ${textOf(block.text)}`],
  divider: () => ['---'],
  section: (block) => [
    ...lines(textOf(block.text)),
    ...list(block.fields).flatMap((field) => lines(textOf(field))),
    ...(isRecord(block.accessory) ? [elementLabel(block.accessory)] : []),
  ],
  context: (block) => [
    `· ${list(block.elements)
      .map((part) => (part.type === 'image' ? elementLabel(part) : textOf(part)))
      .join(' · ')}`,
  ],
  actions: (block) => [list(block.elements).map(elementLabel).join(' ')],
  input: (block) => [`${textOf(block.label)}: ____`],
  image: (block) => [elementLabel(block)],
  markdown: (block) => lines(textOf(block.text)),
  alert: (block) => [`! ${textOf(block.text)}`],
  rich_text: richText,
  task_card: taskCard,
  plan: (block) => [textOf(block.title), ...list(block.tasks).flatMap(taskCard)],
  table,
  data_table: table,
  card,
  carousel: (block) => list(block.elements).flatMap(card),
  container: (block) => [textOf(block.title), ...list(block.child_blocks).flatMap(draw)],
};

function draw(block: Json): string[] {
  return DRAW[String(block.type)]?.(block) ?? [`(${String(block.type)} block)`];
}

export function blockLines(blocks: Block[]): string[] {
  return blocks.flatMap(draw);
}
