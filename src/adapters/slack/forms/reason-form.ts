// The forms that ask for a reason, each with what it is about to do.
import type { ModalView } from '@slack/types';
import type { Verb } from '../../../domain/incident/decision.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { section } from '../mrkdwn/sections.ts';
import { CALLBACKS, field, type Memory, modal } from './forms.ts';

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
