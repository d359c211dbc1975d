// Slack's limits on blocks and views, each just kept and just broken.
import { describe, expect, test } from 'vitest';
import { checkBlocks, type Surface } from '../src/blocks/block-limits.ts';
import { checkView } from '../src/blocks/view-limits.ts';

const x = (length: number) => 'x'.repeat(length);
const plain = (length: number) => ({ type: 'plain_text', text: x(length) });
const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));
const section = (text: unknown) => ({ type: 'section', text });
const actions = (...elements: unknown[]) => ({ type: 'actions', elements });
const button = (more: object = {}) => ({ type: 'button', text: plain(5), ...more });
const option = (index: number, length = 5) => ({ text: plain(length), value: `v${index}` });
const select = (options: unknown[], more: object = {}) => ({ type: 'static_select', options, ...more });
const input = (element: unknown, length = 5) => ({ type: 'input', label: plain(length), element });
const textInput = { type: 'plain_text_input', action_id: 'a' };
const divider = { type: 'divider' };
const rich = { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [] }] };
const task = (more: object = {}) => ({
  type: 'task_card',
  task_id: 't',
  title: 'T',
  status: 'pending',
  ...more,
});

/** What is measured, how to make it of a size, the limit, and where the problem is reported. */
const limits: [string, (size: number) => unknown[], number, string][] = [
  ['blocks of a message', (n) => many(n, () => divider), 50, '/blocks'],
  ['section text', (n) => [section(plain(n))], 3000, '/blocks/0/text/text'],
  ['section fields', (n) => [{ type: 'section', fields: many(n, () => plain(1)) }], 10, '/blocks/0/fields'],
  ['field text', (n) => [{ type: 'section', fields: [plain(n)] }], 2000, '/blocks/0/fields/0/text'],
  ['header text', (n) => [{ type: 'header', text: plain(n) }], 150, '/blocks/0/text/text'],
  ['block_id', (n) => [{ ...divider, block_id: x(n) }], 255, '/blocks/0/block_id'],
  ['action_id', (n) => [actions(button({ action_id: x(n) }))], 255, '/blocks/0/elements/0/action_id'],
  ['button text', (n) => [actions(button({ text: plain(n) }))], 75, '/blocks/0/elements/0/text/text'],
  ['button value', (n) => [actions(button({ value: x(n) }))], 2000, '/blocks/0/elements/0/value'],
  ['elements of actions', (n) => [actions(...many(n, () => button()))], 25, '/blocks/0/elements'],
  [
    'elements of context',
    (n) => [{ type: 'context', elements: many(n, () => plain(1)) }],
    10,
    '/blocks/0/elements',
  ],
  ['options', (n) => [actions(select(many(n, (i) => option(i))))], 100, '/blocks/0/elements/0/options'],
  ['option text', (n) => [actions(select([option(1, n)]))], 75, '/blocks/0/elements/0/options/0/text/text'],
  [
    'placeholder',
    (n) => [actions(select([option(1)], { placeholder: plain(n) }))],
    150,
    '/blocks/0/elements/0/placeholder/text',
  ],
  [
    'confirm title',
    (n) => [actions(button({ confirm: { title: plain(n), text: plain(1) } }))],
    100,
    '/blocks/0/elements/0/confirm/title/text',
  ],
  [
    'confirm text',
    (n) => [actions(button({ confirm: { text: plain(n) } }))],
    300,
    '/blocks/0/elements/0/confirm/text/text',
  ],
  ['input label', (n) => [input(textInput, n)], 2000, '/blocks/0/label/text'],
  [
    'overflow options',
    (n) => [actions({ type: 'overflow', options: many(n, (i) => option(i)) })],
    5,
    '/blocks/0/elements/0/options',
  ],
  ['markdown', (n) => [{ type: 'markdown', text: x(n) }], 12_000, '/blocks/0/text'],
  ['card title', (n) => [{ type: 'card', title: plain(n) }], 150, '/blocks/0/title/text'],
  [
    'tasks of a plan',
    (n) => [{ type: 'plan', title: 'P', tasks: many(n, () => task()) }],
    50,
    '/blocks/0/tasks',
  ],
];

test.each(limits)('%s: the limit passes, one more does not', (_name, make, limit, pointer) => {
  expect(checkBlocks(make(limit), 'message')).toEqual([]);
  expect(checkBlocks(make(limit + 1), 'message').join('\n')).toContain(`[json-pointer:${pointer}]`);
});

const refused: [string, unknown[], string, Surface?][] = [
  ['an unknown block', [{ type: 'marquee' }], 'unsupported type: marquee [json-pointer:/blocks/0/type]'],
  ['an inherited name as a type', [{ type: 'constructor' }], 'unsupported type: constructor'],
  ['no block at all', ['text'], 'must provide an object [json-pointer:/blocks/0]'],
  ['a section without text', [{ type: 'section' }], 'must define either `text` or `fields`'],
  ['an empty text', [section(plain(0))], 'must be more than 0 characters'],
  [
    'mrkdwn in a header',
    [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }],
    'unsupported type: mrkdwn',
  ],
  ['a repeated block_id', many(2, () => ({ ...divider, block_id: 'b' })), '`block_id` "b" already exists'],
  [
    'a repeated action_id',
    [actions(button({ action_id: 'a' }), button({ action_id: 'a' }))],
    '`action_id` "a" already exists',
  ],
  [
    'a button as an input',
    [input(button())],
    'unsupported type: button [json-pointer:/blocks/0/element/type]',
  ],
  ['an unknown style', [actions(button({ style: 'purple' }))], 'must be one of: primary, danger'],
  ['a task with a wrong state', [task({ status: 'done' })], 'must be one of: pending, in_progress'],
  ['details that are no rich text', [task({ details: 'x' })], 'must be a rich_text block'],
  [
    'an alert with a wrong level',
    [{ type: 'alert', text: plain(1), level: 'loud' }],
    'must be one of: default',
  ],
  [
    'markdown that is too long together',
    many(2, () => ({ type: 'markdown', text: x(7000) })),
    'all markdown blocks together',
  ],
  ['a plan in a modal', [{ type: 'plan', title: 'P' }], 'unsupported type: plan', 'modal'],
  ['101 blocks in a home', many(101, () => divider), 'no more than 100 items allowed', 'home'],
];

test.each(refused)('%s is refused', (_name, blocks, problem, surface = 'message') => {
  expect(checkBlocks(blocks, surface).join('\n')).toContain(problem);
});

test('what Slack draws is accepted: alert, plan, task card, rich text, same action_id in other blocks', () => {
  const blocks = [
    { type: 'alert', level: 'warning', text: { type: 'mrkdwn', text: 'Careful' } },
    { type: 'plan', title: 'Plan', tasks: [task({ status: 'in_progress', details: rich })] },
    task({ status: 'complete', output: rich }),
    actions(button({ action_id: 'same' })),
    actions(button({ action_id: 'same' }), select([option(1)]), { type: 'users_select' }),
    { ...section(plain(5)), accessory: button({ confirm: { text: plain(5), style: 'danger' } }) },
    { type: 'image', image_url: 'https://example.invalid/a.png', alt_text: 'a' },
  ];
  expect(checkBlocks(blocks, 'message')).toEqual([]);
  expect(
    checkBlocks(
      many(100, () => divider),
      'modal',
    ),
  ).toEqual([]);
});

describe('views', () => {
  const modal = (more: object = {}) => ({ type: 'modal', title: plain(24), blocks: [], ...more });
  const cases: [string, object, string][] = [
    ['title', modal({ title: plain(25) }), '/view/title/text'],
    ['submit', modal({ submit: plain(25) }), '/view/submit/text'],
    ['close', modal({ close: plain(25) }), '/view/close/text'],
    ['private_metadata', modal({ private_metadata: x(3001) }), '/view/private_metadata'],
    ['an input without submit', modal({ blocks: [input(textInput)] }), 'missing required field: submit'],
    ['a block', modal({ blocks: [section(plain(3001))] }), '/view/blocks/0/text/text'],
    ['the type', { type: 'home', blocks: [] }, '/view/type'],
  ];
  test.each(cases)('%s is checked', (_name, view, problem) => {
    expect(checkView(view, 'modal').join('\n')).toContain(problem);
  });

  test('at its limits a modal passes', () => {
    const view = modal({
      submit: plain(24),
      close: plain(24),
      private_metadata: x(3000),
      blocks: [input(textInput)],
    });
    expect(checkView(view, 'modal')).toEqual([]);
    expect(checkView({ type: 'home', blocks: [divider] }, 'home')).toEqual([]);
  });
});
