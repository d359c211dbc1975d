// A realistic incident card and report modal, to judge the page by and to test it with.
import type { KnownBlock, ModalView } from '@slack/web-api';

type Status = 'pending' | 'in_progress' | 'complete' | 'error';

const rich = (text: string, code?: string) => ({
  type: 'rich_text' as const,
  elements: [
    {
      type: 'rich_text_section' as const,
      elements: [
        { type: 'text' as const, text },
        ...(code ? [{ type: 'text' as const, text: code, style: { code: true } }] : []),
      ],
    },
  ],
});

const STEPS = [
  ['Quarantine the token', 'Reversible. ', 'kubectl label secret api-token -n payments …'],
  ['Prove that 3 of 3 API servers refuse it', 'Two probes, 15 s apart, over fresh connections.', ''],
  [
    'Create api-token-2 and repoint 2 Deployments',
    'Restarts 6 Pods in waves of 2. ',
    'kubectl rollout status …',
  ],
  ['Delete the leaked token Secret', 'Cannot be undone. ', 'kubectl delete secret api-token -n payments'],
] as const;

function facts(): KnownBlock[] {
  return [
    {
      type: 'section',
      block_id: 'what',
      text: {
        type: 'mrkdwn',
        text: 'Token of *payments/api* on *prod-eu* leaked in <https://gist.example/4f2a|a public gist>, found by <@UDAN000001> <!date^1795500000^{date_short_pretty} at {time}|recently>.',
      },
      fields: [
        { type: 'mrkdwn', text: '*Is it alive?*\nYes: Secret-based, never expires' },
        { type: 'mrkdwn', text: '*Kind*\nLegacy, `Secret/api-token`' },
        { type: 'mrkdwn', text: '*What a thief can do*\nRead *all* Secrets in `payments`; delete Pods' },
        { type: 'mrkdwn', text: '*What uses it*\nDeployments `api`, `api-worker` (6 Pods)' },
      ],
      accessory: {
        type: 'overflow',
        action_id: 'more',
        options: [
          { text: { type: 'plain_text', text: 'Details' }, value: 'details' },
          { text: { type: 'plain_text', text: 'False alarm' }, value: 'false-alarm' },
        ],
      },
    },
    {
      type: 'alert',
      block_id: 'gitops',
      level: 'warning',
      text: {
        type: 'mrkdwn',
        text: 'Argo CD manages this Secret. Remove it from Git too, or it *comes back to life*.',
      },
    },
  ];
}

function decision(): KnownBlock {
  return {
    type: 'actions',
    block_id: 'decide',
    elements: [
      {
        type: 'button',
        action_id: 'approve',
        style: 'primary',
        text: { type: 'plain_text', text: 'Approve this plan' },
        value: 'plan-7c1e',
        confirm: {
          title: { type: 'plain_text', text: 'Run this plan on prod-eu?' },
          text: {
            type: 'mrkdwn',
            text: 'Restarts *6 Pods* and deletes `Secret/api-token`. The last step cannot be undone.',
          },
          confirm: { type: 'plain_text', text: 'Approve' },
          deny: { type: 'plain_text', text: 'Not yet' },
        },
      },
      {
        type: 'button',
        action_id: 'undo',
        text: { type: 'plain_text', text: 'Undo quarantine' },
        value: 'undo',
      },
      {
        type: 'button',
        action_id: 'decline',
        style: 'danger',
        text: { type: 'plain_text', text: 'Decline' },
        value: 'no',
      },
    ],
  };
}

/** The card of one incident with its steps at these stages. */
export function incidentCard(statuses: Status[]): KnownBlock[] {
  return [
    {
      type: 'header',
      block_id: 'head',
      text: { type: 'plain_text', text: ':rotating_light: INC-42 Leaked token: payments/api' },
    },
    ...facts(),
    {
      type: 'plan',
      block_id: 'plan',
      title: 'Plan 7c1e',
      tasks: STEPS.map(([title, details, code], index) => ({
        type: 'task_card' as const,
        task_id: `step-${index}`,
        title,
        status: statuses[index] ?? 'pending',
        details: rich(details, code),
      })),
    },
    decision(),
    {
      type: 'context',
      block_id: 'who',
      elements: [
        { type: 'mrkdwn', text: 'Opened by <@UMAYA00001>' },
        { type: 'mrkdwn', text: 'Needs one approval from <!subteam^SSECONCALL|@sec-oncall>' },
        { type: 'mrkdwn', text: 'Expires in 30 min' },
      ],
    },
  ];
}

const option = (value: string, text: string) => ({ text: { type: 'plain_text' as const, text }, value });

/** What opens on top of the form. */
export const helpModal: ModalView = {
  type: 'modal',
  title: { type: 'plain_text', text: 'Help' },
  blocks: [{ type: 'section', text: { type: 'plain_text', text: 'What counts as a leak?' } }],
};

/** The form in which a person reports a leak. */
export const reportModal: ModalView = {
  type: 'modal',
  callback_id: 'report',
  title: { type: 'plain_text', text: 'Report a leaked token' },
  submit: { type: 'plain_text', text: 'Find the token' },
  close: { type: 'plain_text', text: 'Cancel' },
  notify_on_close: true,
  blocks: [
    {
      type: 'section',
      block_id: 'intro',
      text: {
        type: 'mrkdwn',
        text: '*Do not paste the token here.* Say where it belongs; the worker finds the rest.',
      },
      accessory: { type: 'button', action_id: 'help', text: { type: 'plain_text', text: 'Help' } },
    },
    {
      type: 'input',
      block_id: 'cluster',
      label: { type: 'plain_text', text: 'Cluster' },
      element: {
        type: 'static_select',
        action_id: 'pick',
        placeholder: { type: 'plain_text', text: 'Choose a cluster' },
        options: [option('prod-eu', 'prod-eu'), option('prod-us', 'prod-us'), option('staging', 'staging')],
      },
    },
    {
      type: 'input',
      block_id: 'account',
      label: { type: 'plain_text', text: 'ServiceAccount' },
      hint: { type: 'plain_text', text: 'namespace/name, such as payments/api' },
      element: {
        type: 'plain_text_input',
        action_id: 'text',
        max_length: 80,
        placeholder: { type: 'plain_text', text: 'payments/api' },
      },
    },
    {
      type: 'input',
      block_id: 'where',
      optional: true,
      label: { type: 'plain_text', text: 'Where did it leak?' },
      element: { type: 'plain_text_input', action_id: 'text', multiline: true },
    },
    {
      type: 'input',
      block_id: 'urgency',
      label: { type: 'plain_text', text: 'How urgent is it?' },
      element: {
        type: 'radio_buttons',
        action_id: 'pick',
        initial_option: option('now', 'Contain at once'),
        options: [option('now', 'Contain at once'), option('calm', 'Planned rotation')],
      },
    },
    {
      type: 'input',
      block_id: 'tell',
      optional: true,
      label: { type: 'plain_text', text: 'Whom to tell' },
      element: {
        type: 'multi_users_select',
        action_id: 'people',
        placeholder: { type: 'plain_text', text: 'Choose people' },
      },
    },
  ],
};
