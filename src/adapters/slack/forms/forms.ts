// The modals in which people type: report a leak, identify a token, say why.
import type { InputBlock, KnownBlock, ModalView, PlainTextInput } from '@slack/types';
import type { Verb } from '../../../domain/incident/decision.ts';
import type { Coordinates } from '../../../domain/token/identity.ts';
import { plain } from '../../../words/pieces/plain.ts';
import type { Carried } from '../cards/buttons.ts';
import { section } from '../mrkdwn/sections.ts';

export const CALLBACKS = {
  report: 'report-leak',
  identify: 'identify-token',
  reason: 'give-reason',
  together: 'approve-together',
  target: 'request-target',
  request: 'request-details',
} as const;
/** block_ids of the leak form, which inline errors name. */
export const FIELDS = [
  'cluster',
  'namespace',
  'account',
  'secret',
  'paste',
  'where',
  'reason',
  'confirm',
  'way',
  'options',
] as const;
export type Field = (typeof FIELDS)[number];

/** What a modal remembers between opening and submitting; never anything that was typed. */
export interface Memory {
  /** Where an answer to the person goes. */
  channel: string;
  verb?: Verb;
  about?: Carried;
  /** One press for these incidents, each with the hash of what was shown. */
  together?: { verb: 'contain' | 'approve'; plans: [string, string][] };
  /** What must be typed to confirm. */
  confirm?: string;
  /** The command whose form it is, and what was named in it: `[cluster/]namespace/name`. */
  command?: string;
  target?: string;
}

export const words = (text: string, max: number) => ({ type: 'plain_text' as const, text: plain(text, max) });

interface Prefill {
  clusters: readonly string[];
  at?: Partial<Coordinates>;
  reason?: string;
}

export function leakForm(prefill: Prefill, memory: Memory): ModalView {
  return {
    ...modal('Report a leaked token', CALLBACKS.report, memory, 'Report'),
    blocks: [
      section('intro', [
        'Paste the token, or say whose it is. A pasted token is sealed at once, never shown, and lets it be stopped fastest.',
      ]),
      ...tokenFields(prefill),
      field('where', 'Where did it leak?', { placeholder: 'a public gist, a CI log, a laptop …' }),
      field('reason', 'What else should people know?', { multiline: true, initial: prefill.reason }),
    ],
  };
}

export function identifyForm(prefill: Prefill, memory: Memory): ModalView {
  return {
    ...modal('Identify the token', CALLBACKS.identify, memory, 'Identify'),
    blocks: [section('intro', ['Paste the token, or say whose it is.']), ...tokenFields(prefill)],
  };
}

function tokenFields({ clusters, at = {} }: Prefill): KnownBlock[] {
  return [
    field('paste', 'Token, kubeconfig or Secret manifest', {
      multiline: true,
      hint: 'Up to 3000 characters; the token alone is enough.',
    }),
    clusterField(clusters, at.cluster),
    field('namespace', 'Namespace', { placeholder: 'payments', initial: at.namespace }),
    field('account', 'ServiceAccount', { placeholder: 'api', initial: at.serviceAccount }),
    field('secret', 'Secret, if only its token leaked', {
      placeholder: 'api-token',
      initial: at.secret,
    }),
  ];
}

export function clusterField(clusters: readonly string[], named: string | undefined): InputBlock {
  const options = clusters.slice(0, 100).map((name) => ({ text: words(name, 75), value: name.slice(0, 75) }));
  const chosen = options.find(({ value }) => value === named || options.length === 1);
  return {
    type: 'input',
    block_id: 'cluster',
    optional: true,
    label: words('Cluster', 75),
    hint: words('Leave it open where you do not know.', 150),
    element: {
      type: 'static_select',
      action_id: 'cluster',
      placeholder: words('Which cluster', 150),
      options,
      ...(chosen ? { initial_option: chosen } : {}),
    },
  };
}

/** `plans`: everything that it approves, in words. */
export function togetherForm(count: number, plans: KnownBlock[], memory: Memory, reason: boolean): ModalView {
  const what = memory.together?.verb === 'contain' ? 'Quarantine' : 'Approve';
  return {
    ...modal(`${what} ${count} together`, CALLBACKS.together, memory, `${what} ${count}`),
    blocks: [
      section('intro', [
        `Exactly these ${count}, as they stand now. Each is checked by its own rule, and one whose plan has changed since is left out.`,
      ]),
      ...plans,
      { ...field('reason', 'Why? One sentence for those who read this later.', {}), optional: !reason },
    ],
  };
}

/** A modal that only says something. */
export function noticeView(title: string, text: string): ModalView {
  return {
    type: 'modal',
    title: words(title, 24),
    close: words('Close', 24),
    blocks: [section('notice', [text])],
  };
}

export function readMemory(privateMetadata: string): Memory | undefined {
  try {
    const parsed: unknown = JSON.parse(privateMetadata);
    return typeof parsed === 'object' && parsed !== null && 'channel' in parsed
      ? (parsed as Memory)
      : undefined;
  } catch {
    return undefined;
  }
}

export function modal(
  title: string,
  callback: string,
  memory: Memory,
  submit: string,
): Omit<ModalView, 'blocks'> {
  return {
    type: 'modal',
    callback_id: callback,
    private_metadata: JSON.stringify(memory),
    title: words(title, 24),
    submit: words(submit, 24),
    close: words('Cancel', 24),
  };
}

export function field(
  id: Field,
  label: string,
  look: { placeholder?: string; hint?: string; multiline?: boolean; initial?: string | undefined },
): InputBlock {
  const element: PlainTextInput = {
    type: 'plain_text_input',
    action_id: id,
    multiline: look.multiline ?? false,
    max_length: id === 'paste' ? 3000 : 500,
    ...(look.placeholder ? { placeholder: words(look.placeholder, 150) } : {}),
    ...(look.initial ? { initial_value: plain(look.initial, 500) } : {}),
  };
  return {
    type: 'input',
    block_id: id,
    optional: true,
    label: words(label, 150),
    element,
    ...(look.hint ? { hint: words(look.hint, 150) } : {}),
  };
}
