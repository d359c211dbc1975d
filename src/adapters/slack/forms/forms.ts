// The modals in which people type: report a leak, identify a token, say why.
import type { InputBlock, KnownBlock, ModalView, PlainTextInput } from '@slack/types';
import type { Verb } from '../../../domain/incident/decision.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
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

const REASONS: Partial<Record<Verb, { title: string; submit: string; intro: string }>> = {
  decline: {
    title: 'Decline the plan',
    submit: 'Decline',
    intro: 'The plan will not run. A token that works goes on working.',
  },
  'not-a-leak': {
    title: 'Not a leak',
    submit: 'Call it false',
    intro: 'The incident is closed as a false alarm, and the sealed copy of the token is destroyed.',
  },
  contain: {
    title: 'Quarantine now',
    submit: 'Approve',
    intro: 'The policy asks for a reason with each approval of this.',
  },
  approve: {
    title: 'Approve the plan',
    submit: 'Approve',
    intro: 'The policy asks for a reason with each approval of this.',
  },
  retry: {
    title: 'Try again',
    submit: 'Approve',
    intro:
      'What was approved has waited for too long, so it is approved anew, and the policy asks for a reason.',
  },
  skip: {
    title: 'Skip and go on',
    submit: 'Approve',
    intro:
      'What was approved has waited for too long, so it is approved anew, and the policy asks for a reason.',
  },
  review: {
    title: 'Close the review',
    submit: 'Close review',
    intro: 'Somebody ran a plan alone. Say what you found: was it right, and what follows from it?',
  },
  outside: {
    title: 'Users outside',
    submit: 'All moved',
    intro:
      'Say who was found and moved to the new token, or why there is nobody: CI systems, kubeconfigs on laptops, external services, copies in other Secrets. The incident is not resolved before that.',
  },
  'leave-out': {
    title: 'Leave out a cluster',
    submit: 'Leave out',
    intro:
      'A cluster that may accept this token could not be asked. *If it is a copy of the other, the token may work there.* The incident then closes without it, and the card says so by name.',
  },
  'roll-back': {
    title: 'Roll back',
    submit: 'Roll back',
    intro:
      'What was done is taken back: first what was switched off works again, then its users are moved back to it, and only then is deleted what was made for them.',
  },
  undo: {
    title: 'Undo the quarantine',
    submit: 'Undo',
    intro: '*The leaked token will work again at once, for everybody who has it.*',
  },
};

/** Alone and in a hurry: what is about to be touched must be typed, so that nobody does it to the wrong one. */
export function breakGlassForm(incident: Incident | undefined, memory: Memory): ModalView {
  const { identity } = incident ?? {};
  const expected = identity ? `${identity.namespace}/${identity.serviceAccount.name}` : '';
  const carried = { ...memory, verb: 'break-glass' as const, confirm: expected };
  return {
    ...modal('Break glass', CALLBACKS.reason, carried, 'Run the plan alone'),
    blocks: [
      section('intro', [
        '*The whole plan runs at once, on your word alone.* Everybody who should have approved is told, the log marks it, and somebody else must review it.',
      ]),
      { ...field('confirm', `Type ${expected} to confirm`, { placeholder: expected }), optional: false },
      { ...field('reason', 'Why can it not wait?', { multiline: true }), optional: false },
    ],
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

/** `also`: what helps with this incident. */
export function reasonForm(verb: Verb, memory: Memory, also: readonly string[] = []): ModalView | undefined {
  // An undo of more than a quarantine says what it does.
  const reason = REASONS[verb === 'undo' && also.length > 0 ? 'roll-back' : verb];
  if (!reason) return undefined;
  return {
    ...modal(reason.title, CALLBACKS.reason, { ...memory, verb }, reason.submit),
    blocks: [
      section('intro', [reason.intro, ...also]),
      { ...field('reason', 'Why? One sentence for those who read this later.', {}), optional: false },
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
