// The modals of `/rotate-sa` and `/restart-sa` alone: which ServiceAccount, and then in which way, each with what it costs.
import type { InputBlock, KnownBlock, ModalView } from '@slack/types';
import { STRATEGIES, STRATEGY_TEXTS, type Strategy } from '../../../domain/plan/goal.ts';
import { clean, code } from '../mrkdwn/mrkdwn.ts';
import { section } from '../mrkdwn/sections.ts';
import { CALLBACKS, clusterField, field, type Memory, modal, words } from './forms.ts';

export interface Named {
  cluster?: string | undefined;
  namespace?: string | undefined;
  account?: string | undefined;
}

export const REQUEST_TITLES = { rotate: 'Rotate', restart: 'Restart' } as const;

/** The first of the two forms of a rotation. `problem`: why it is shown again. */
export function targetForm(
  clusters: readonly string[],
  memory: Memory,
  { named = {}, problem }: { named?: Named; problem?: string } = {},
): ModalView {
  return {
    ...modal(REQUEST_TITLES.rotate, CALLBACKS.target, memory, 'Next'),
    blocks: [
      section('intro', [
        problem ?? 'Whose token is to be replaced? Then you see the ways that fit, and what each costs.',
      ]),
      ...targetFields(clusters, named),
    ],
  };
}

/** The second: `ways` best first; undefined where nobody could say which fit. */
export function wayForm(memory: Memory, ways: readonly Strategy[] | undefined): ModalView {
  const offered = ways ?? STRATEGIES.filter((strategy) => strategy !== 'replace-pod');
  const intro = ways
    ? 'The best comes first. Nothing is done before the plan is approved.'
    : 'Which of these fit could not be found out. One that does not is answered by the best. Nothing is done before the plan is approved.';
  return {
    ...modal(REQUEST_TITLES.rotate, CALLBACKS.request, memory, 'Make the plan'),
    blocks: [
      section('intro', [`*${clean(memory.target ?? '', 300)}*`, intro]),
      ...offered.map((strategy) => section(`way-${strategy}`, wayLines(strategy))),
      wayField(offered),
      ...optionFields(),
    ],
  };
}

/** One form is enough where there is one way. */
export function restartForm(clusters: readonly string[], memory: Memory): ModalView {
  return {
    ...modal(REQUEST_TITLES.restart, CALLBACKS.request, memory, 'Make the plan'),
    blocks: [
      section('intro', [
        'The Pods that use this ServiceAccount are replaced in waves, and nothing else. Nothing is done before the plan is approved.',
      ]),
      ...targetFields(clusters, {}),
      ...optionFields(),
    ],
  };
}

function wayLines(strategy: Strategy): string[] {
  const { title, kills, interrupts, undo, takes } = STRATEGY_TEXTS[strategy];
  return [
    `*${title}* (${code(strategy)})`,
    `*What dies:* ${kills}`,
    `*What is interrupted:* ${interrupts}`,
    `*Undo:* ${undo}`,
    `*How long:* ${takes}`,
  ];
}

function wayField(offered: readonly Strategy[]): InputBlock {
  const choose = { text: words('Let Tourniquet choose', 75), value: 'best' };
  const options = offered.map((value) => ({ text: words(STRATEGY_TEXTS[value].title, 75), value }));
  return {
    type: 'input',
    block_id: 'way',
    label: words('Which way', 75),
    element: {
      type: 'radio_buttons',
      action_id: 'way',
      options: [choose, ...options],
      initial_option: choose,
    },
  };
}

const required = (block: InputBlock): InputBlock => ({ ...block, optional: false });

const targetFields = (clusters: readonly string[], { cluster, namespace, account }: Named): KnownBlock[] => [
  clusterField(clusters, cluster),
  required(field('namespace', 'Namespace', { placeholder: 'payments', initial: namespace })),
  required(field('account', 'ServiceAccount', { placeholder: 'api', initial: account })),
];

function optionFields(): KnownBlock[] {
  return [
    {
      type: 'input',
      block_id: 'options',
      optional: true,
      label: words('Options', 75),
      element: {
        type: 'checkboxes',
        action_id: 'options',
        options: [
          { text: words('Only show the plan (dry run)', 75), value: '--dry-run' },
          {
            text: words('Replace all Pods', 75),
            description: words('Bare Pods, and those of Jobs and of paused workloads too', 75),
            value: '--all',
          },
        ],
      },
    },
    field('reason', 'Why?', { placeholder: 'yearly rotation' }),
  ];
}
