// The buttons of a card, as `offers` decides them, and what a click on each carries.
import { createHash } from 'node:crypto';
import type { ActionsBlock, Button, ConfirmationDialog, StaticSelect } from '@slack/types';
import { bindsTo } from '../../../domain/decision/binds-to.ts';
import { asksFor } from '../../../domain/decision/needed.ts';
import type { Verb } from '../../../domain/incident/decision.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { blockedIn } from '../../../domain/incident/new-run.ts';
import { offers, otherWays } from '../../../domain/incident/offers.ts';
import { pendingSteps, undoable } from '../../../domain/incident/runs.ts';
import { STRATEGIES, STRATEGY_TEXTS, type Strategy } from '../../../domain/plan/goal.ts';
import type { Policy } from '../../../domain/rules/policy.ts';

import { plain } from '../../../words/pieces/plain.ts';

export const ACTIONS = {
  decide: 'decide',
  details: 'details',
  pickSecret: 'pick-secret',
  pickWay: 'pick-way',
  /** On the summary of a burst. */
  together: 'approve-together',
  card: 'open-card',
} as const;

/** What the value of a button says; anything else that arrives is not from our card. */
export interface Carried {
  incidentId: string;
  hash?: string;
  /** The policy wants a written reason with it. */
  reason?: true;
}

const value = ({ id }: Incident, hash?: string, reason = false): string =>
  JSON.stringify({ i: id, ...(hash === undefined ? {} : { h: hash }), ...(reason ? { r: 1 } : {}) });

export function readCarried(text: unknown): Carried | undefined {
  if (typeof text !== 'string' || text.length > 2000) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { i, h, r } = parsed as Record<string, unknown>;
    if (typeof i !== 'string' || !/^[\w-]{1,100}$/.test(i)) return undefined;
    const hash = typeof h === 'string' && h.length <= 200 ? { hash: h } : {};
    return { incidentId: i, ...hash, ...(r === 1 ? { reason: true } : {}) };
  } catch {
    return undefined;
  }
}

const LABELS: Record<Verb, string> = {
  contain: 'Quarantine now',
  approve: 'Approve plan',
  withdraw: 'Take back approval',
  'break-glass': 'Break glass…',
  review: 'Close review…',
  decline: 'Decline',
  'not-a-leak': 'Not a leak',
  undo: 'Undo quarantine',
  identify: 'Identify token…',
  retry: 'Retry',
  skip: 'Skip and go on',
  'roll-back': 'Roll back',
  'cancel-soak': 'Keep the old Secret',
  choose: 'Another way…',
  outside: 'Users outside…',
  'leave-out': 'Leave out cluster…',
};

/** What an Undo would take back is more than a quarantine after a rotation; a roll-back leaves one that came before it. */
function label(incident: Incident, verb: Verb): string {
  const steps = verb === 'undo' ? undoable(incident) : [];
  if (steps.every(({ phase }) => phase === 'contain')) return LABELS[verb];
  return steps.some(({ phase }) => phase === 'contain') ? 'Undo everything' : 'Roll back';
}

const text = (words: string, max: number) => ({ type: 'plain_text' as const, text: plain(words, max) });

export function actionsBlock(incident: Incident, policy: Policy): ActionsBlock {
  const secrets = secretPicker(incident);
  const ways = wayPicker(incident);
  return {
    type: 'actions',
    block_id: `actions-${incident.version}`,
    elements: [
      ...offers(incident)
        .filter((verb) => verb !== 'choose')
        .map((verb) => button(incident, verb, policy)),
      { type: 'button', action_id: ACTIONS.details, text: text('Details', 75), value: value(incident) },
      ...(secrets ? [secrets] : []),
      ...(ways ? [ways] : []),
    ],
  };
}

function button(incident: Incident, verb: Verb, policy: Policy): Button {
  const base: Button = {
    type: 'button',
    action_id: `${ACTIONS.decide}:${verb}`,
    text: text(label(incident, verb), 75),
    value: value(
      incident,
      bindsTo(incident, verb),
      asksFor(incident, verb, policy).some(({ reason }) => reason),
    ),
  };
  if (verb === 'contain') return { ...base, style: 'danger', confirm: confirmContain(incident) };
  if (verb === 'skip') return { ...base, confirm: confirmSkip(incident) };
  if (verb !== 'approve') return base;
  const final = pendingSteps(incident).some(({ reversible }) => !reversible);
  return { ...base, style: final ? 'danger' : 'primary', confirm: confirmApprove(incident) };
}

function confirmContain(incident: Incident): ConfirmationDialog {
  const steps = pendingSteps(incident).filter(({ phase }) => phase === 'contain');
  const breaks = steps.map(({ title, breaks: what }) => `${title}. ${what}`).join(' ');
  return {
    title: text('Quarantine now?', 100),
    text: text(`${breaks} It can be undone.`, 300),
    confirm: text('Quarantine now', 30),
    deny: text('Not yet', 30),
    style: 'danger',
  };
}

function confirmSkip(incident: Incident): ConfirmationDialog {
  const left = listWithin(blockedIn(incident), 150);
  return {
    title: text('Go on without it?', 100),
    text: text(`${left}: not waited for any more, and not replaced. What still runs there is yours.`, 300),
    confirm: text('Skip and go on', 30),
    deny: text('Not yet', 30),
  };
}

function confirmApprove(incident: Incident): ConfirmationDialog {
  const pending = pendingSteps(incident);
  const final = pending.filter(({ reversible }) => !reversible).map(({ title }) => title);
  const words =
    final.length > 0
      ? `${final.length === 1 ? 'This' : 'These'} cannot be undone: ${listWithin(final, 260)}`
      : `All steps can be undone: ${listWithin(
          pending.map(({ title }) => title),
          260,
        )}`;
  return {
    title: text(`Run ${pending.length === 1 ? 'this step' : `these ${pending.length} steps`}?`, 100),
    text: text(words, 300),
    confirm: text('Approve', 30),
    deny: text('Not yet', 30),
    ...(final.length > 0 ? { style: 'danger' as const } : {}),
  };
}

/** As many titles as fit, and how many more there are. */
function listWithin(titles: readonly string[], max: number): string {
  let shown = plain(titles[0] ?? '', max - 30);
  for (const [index, title] of titles.entries()) {
    if (index === 0) continue;
    if (shown.length + title.length + 2 > max - 30) return `${shown}; and ${titles.length - index} more`;
    shown += `; ${plain(title, max)}`;
  }
  return shown;
}

/** Where every token is meant, the person can name the one Secret that leaked. */
function secretPicker(incident: Incident): StaticSelect | undefined {
  if (!offers(incident).includes('identify') || incident.identity?.kind !== 'every-token') return undefined;
  const several = incident.situations.length > 1;
  const options = secrets(incident).map(({ cluster, name, ref }) => ({
    text: text(several ? `${name} (${cluster})` : name, 75),
    value: ref,
  }));
  if (options.length === 0) return undefined;
  return {
    type: 'static_select',
    action_id: ACTIONS.pickSecret,
    placeholder: text('Only one Secret…', 150),
    options: options.slice(0, 100),
  };
}

/** The strategies that fit besides the planned one, each with what it kills. */
function wayPicker(incident: Incident): StaticSelect | undefined {
  if (!offers(incident).includes('choose')) return undefined;
  return {
    type: 'static_select',
    action_id: ACTIONS.pickWay,
    placeholder: text(LABELS.choose, 150),
    options: otherWays(incident).map((strategy) => ({
      text: text(STRATEGY_TEXTS[strategy].title, 75),
      description: text(STRATEGY_TEXTS[strategy].kills, 75),
      value: `${incident.id}/${strategy}`,
    })),
  };
}

/** Secret names may be longer than an option's value, so the value is a short hash that the next state is searched for. */
function secrets({ id, situations }: Incident): { cluster: string; name: string; ref: string }[] {
  return situations.flatMap(({ cluster, tokenSecrets }) =>
    tokenSecrets.map(({ name }) => ({
      cluster,
      name,
      ref: `${id}/${createHash('sha256').update(`${cluster}/${name}`).digest('hex').slice(0, 16)}`,
    })),
  );
}

export const pickedIncident = (option: string): string => option.split('/')[0] ?? '';

export const pickedWay = (option: string): Strategy | undefined =>
  STRATEGIES.find((strategy) => strategy === option.split('/')[1]);

export const pickedSecret = (incident: Incident, option: string) =>
  secrets(incident).find(({ ref }) => ref === option);
