// A pure check of Block Kit against Slack's limits: what real Slack would refuse, this refuses, in its words.

import { isRecord, type Json } from '../types.ts';
import {
  checkItems,
  checkString,
  checkText,
  checkTextObject,
  ID_MAX,
  type Report,
} from './composition-limits.ts';
import { ALLOWED_ELEMENTS, checkElement, checkImage } from './element-limits.ts';

export type Surface = 'message' | 'modal' | 'home';

type BlockCheck = (report: Report, block: Json, path: string) => void;

const MAX_BLOCKS: Record<Surface, number> = { message: 50, modal: 100, home: 100 };
const MARKDOWN_MAX = 12_000;

const section: BlockCheck = (report, block, path) => {
  if (block.text === undefined && block.fields === undefined)
    report('must define either `text` or `fields`', path);
  checkText(report, block, 'text', path, { max: 3000 });
  checkItems(report, block, 'fields', path, { max: 10 }).forEach((field, index) => {
    checkTextObject(report, field, `${path}/fields/${index}`, { max: 2000 });
  });
  if (block.accessory !== undefined)
    checkElement(report, block.accessory, `${path}/accessory`, ALLOWED_ELEMENTS.section, new Set());
};

const elementsOf =
  (allowed: readonly string[], max: number, key = 'elements', required = true): BlockCheck =>
  (report, block, path) => {
    const actionIds = new Set<string>();
    checkItems(report, block, key, path, { max, required }).forEach((element, index) => {
      checkElement(report, element, `${path}/${key}/${index}`, allowed, actionIds);
    });
  };

const context: BlockCheck = (report, block, path) => {
  checkItems(report, block, 'elements', path, { max: 10, required: true }).forEach((element, index) => {
    const place = `${path}/elements/${index}`;
    if (isRecord(element) && element.type === 'image') checkImage(report, element, place);
    else checkTextObject(report, element, place, { max: 3000 });
  });
};

const input: BlockCheck = (report, block, path) => {
  checkText(report, block, 'label', path, { max: 2000, required: true, plain: true });
  checkText(report, block, 'hint', path, { max: 2000, plain: true });
  checkElement(report, block.element, `${path}/element`, ALLOWED_ELEMENTS.input, new Set());
};

const richText: BlockCheck = (report, block, path) => {
  checkItems(report, block, 'elements', path, { max: 1000, required: true });
};

const taskCard: BlockCheck = (report, block, path) => {
  checkString(report, block, 'task_id', path, { max: ID_MAX, required: true });
  checkString(report, block, 'title', path, { max: 3000, required: true });
  if (!['pending', 'in_progress', 'complete', 'error'].includes(String(block.status)))
    report('must be one of: pending, in_progress, complete, error', `${path}/status`);
  for (const key of ['details', 'output']) {
    const text = block[key];
    if (text === undefined) continue;
    if (!isRecord(text) || text.type !== 'rich_text') report('must be a rich_text block', `${path}/${key}`);
    else richText(report, text, `${path}/${key}`);
  }
};

const plan: BlockCheck = (report, block, path) => {
  checkString(report, block, 'title', path, { max: 3000, required: true });
  checkItems(report, block, 'tasks', path, { max: 50 }).forEach((task, index) => {
    const place = `${path}/tasks/${index}`;
    if (!isRecord(task)) report('must provide an object', place);
    else taskCard(report, task, place);
  });
};

const alert: BlockCheck = (report, block, path) => {
  checkText(report, block, 'text', path, { max: 3000, required: true });
  const level = block.level ?? 'default';
  if (!['default', 'info', 'warning', 'error', 'success'].includes(String(level)))
    report('must be one of: default, info, warning, error, success', `${path}/level`);
};

const card: BlockCheck = (report, block, path) => {
  for (const key of ['title', 'subtitle']) checkText(report, block, key, path, { max: 150 });
  checkText(report, block, 'body', path, { max: 200 });
  elementsOf(ALLOWED_ELEMENTS.card, 25, 'actions', false)(report, block, path);
};

const table: BlockCheck = (report, block, path) => {
  checkItems(report, block, 'rows', path, { max: 100, required: true }).forEach((row, index) => {
    checkItems(report, { [index]: row }, String(index), `${path}/rows`, { max: 20 });
  });
};

const carousel: BlockCheck = (report, block, path) => {
  checkItems(report, block, 'elements', path, { max: 10, required: true }).forEach((child, index) => {
    if (isRecord(child)) card(report, child, `${path}/elements/${index}`);
  });
};

const container: BlockCheck = (report, block, path) => {
  checkText(report, block, 'title', path, { max: 150, plain: true });
  checkText(report, block, 'subtitle', path, { max: 150 });
  checkItems(report, block, 'child_blocks', path, { max: 10, required: true }).forEach((child, index) => {
    checkBlock(report, child, `${path}/child_blocks/${index}`);
  });
};

const accepted: BlockCheck = () => undefined;

const BLOCKS: Record<string, BlockCheck> = {
  section,
  actions: elementsOf(ALLOWED_ELEMENTS.actions, 25),
  context_actions: elementsOf(ALLOWED_ELEMENTS.context_actions, 5),
  context,
  input,
  divider: accepted,
  file: accepted,
  video: accepted,
  image: checkImage,
  header: (report, block, path) =>
    checkText(report, block, 'text', path, { max: 150, required: true, plain: true }),
  markdown: (report, block, path) =>
    checkString(report, block, 'text', path, { max: MARKDOWN_MAX, required: true }),
  rich_text: richText,
  task_card: taskCard,
  plan,
  alert,
  card,
  carousel,
  container,
  table,
  data_table: table,
};

const MESSAGE_ONLY = ['markdown', 'task_card', 'plan', 'table', 'data_table', 'context_actions'];

function checkBlock(report: Report, block: unknown, path: string): void {
  if (!isRecord(block)) {
    report('must provide an object', path);
    return;
  }
  const check = Object.hasOwn(BLOCKS, String(block.type)) ? BLOCKS[String(block.type)] : undefined;
  if (!check) {
    report(`unsupported type: ${String(block.type)}`, `${path}/type`);
    return;
  }
  checkString(report, block, 'block_id', path, { max: ID_MAX });
  check(report, block, path);
}

/** An empty list means that Slack would accept the blocks. Each problem ends with a pointer to its place. */
export function checkBlocks(blocks: unknown, surface: Surface, root = '/blocks'): string[] {
  const problems: string[] = [];
  const report: Report = (problem, pointer) => {
    problems.push(`${problem} [json-pointer:${pointer}]`);
  };
  if (!Array.isArray(blocks)) return [`must be an array [json-pointer:${root}]`];
  if (blocks.length > MAX_BLOCKS[surface]) report(`no more than ${MAX_BLOCKS[surface]} items allowed`, root);
  const blockIds = new Set<string>();
  let markdown = 0;
  blocks.forEach((block: unknown, index) => {
    const path = `${root}/${index}`;
    checkBlock(report, block, path);
    if (!isRecord(block)) return;
    const { block_id: id, type, text } = block;
    if (surface !== 'message' && MESSAGE_ONLY.includes(String(type)))
      report(`unsupported type: ${String(type)}`, `${path}/type`);
    if (typeof id === 'string') {
      if (blockIds.has(id)) report(`\`block_id\` "${id}" already exists`, `${path}/block_id`);
      blockIds.add(id);
    }
    if (type === 'markdown' && typeof text === 'string') markdown += text.length;
  });
  if (markdown > MARKDOWN_MAX)
    report(`all markdown blocks together must be less than ${MARKDOWN_MAX + 1} characters`, root);
  return problems;
}
