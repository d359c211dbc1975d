// What a click on a card does: decide at once, ask for a reason first, or show the details.
import type { BlockAction } from '@slack/bolt';
import { refuse } from '../../../domain/decision/approval.ts';
import type { Click } from '../../../domain/decision/click.ts';
import { needsReason } from '../../../domain/decision/needed.ts';
import type { Verb } from '../../../domain/incident/decision.ts';
import { goesOn } from '../../../domain/incident/going-on.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { hasQuarantine, openRun } from '../../../domain/incident/runs.ts';
import type { Secret } from '../../../secret.ts';
import { newTokenLines } from '../../../words/card/new-tokens.ts';
import { stillQuarantined } from '../../../words/card/now.ts';
import { counted } from '../../../words/pieces/counted.ts';
import { asksText } from '../../../words/standing/asks.ts';
import { backLines } from '../../../words/standing/back.ts';
import {
  ACTIONS,
  type Carried,
  pickedIncident,
  pickedSecret,
  pickedWay,
  readCarried,
} from '../cards/buttons.ts';
import { detailsLoading, detailsView } from '../cards/details.ts';
import { notAMember } from '../connection/directory.ts';
import { identifyForm, noticeView } from '../forms/forms.ts';
import { breakGlassForm, reasonForm } from '../forms/reason-form.ts';
import { mrkdwn } from '../mrkdwn/mrkdwn.ts';
import { answering, explain, sayTo } from './answer.ts';
import { type Bot, openView, updateView } from './bot.ts';
import { showHome } from './home.ts';
import { openTogether } from './together.ts';

const UNKNOWN_BUTTON =
  'This button says nothing that is known here, so nothing was done. Use the buttons of the newest card of the incident.';
const NO_INCIDENT =
  'There is no such incident any more, so nothing was done. `/tourniquet` lists those that are open.';

const DONE: Record<Verb, string> = {
  contain: 'Quarantining now. The card shows when it is done.',
  approve: 'Approved. The plan runs now, and the thread shows each step.',
  withdraw: 'Your approval is taken back.',
  'break-glass': 'The plan runs now. Everybody who was skipped is told, and somebody else must review it.',
  review: 'The review is closed.',
  decline: 'Declined. The plan will not run.',
  'not-a-leak': 'Closed as a false alarm.',
  undo: 'Undoing now. The thread shows each step.',
  retry: 'Trying again what is left. The thread shows each step.',
  skip: 'Going on without it. The thread shows each step.',
  'roll-back': 'Rolling back now. The thread shows each step.',
  'cancel-soak': 'The old Secret stays, switched off, until somebody approves its deletion.',
  outside: 'Thank you. It is in the log, and the incident closes when everything else is done.',
  'leave-out': 'Noted by name on the card and in the log. What was seen elsewhere decides now.',
  choose: 'A plan for that way follows on the card.',
  identify: 'Thank you. It is being looked into, and a new plan follows.',
};

export async function onClick(bot: Bot, body: BlockAction): Promise<void> {
  const [action] = body.actions;
  if (!action) return;
  const addressee = { user: body.user.id, channel: body.channel?.id, responseUrl: body.response_url };
  await bot.once(body.trigger_id, async () => {
    await answering(sayTo(bot, addressee), () => act(bot, body, action), bot.log);
    if (body.view?.type === 'home') await showHome(bot, body.user.id);
  });
}

async function act(
  bot: Bot,
  body: BlockAction,
  action: BlockAction['actions'][number],
): Promise<string | undefined> {
  const fields = action as { value?: unknown; selected_option?: { value?: unknown } | null };
  if (action.action_id === ACTIONS.pickSecret) return pick(bot, body, fields.selected_option?.value);
  if (action.action_id === ACTIONS.pickWay) return choose(bot, body, fields.selected_option?.value);
  const carried = readCarried(fields.value);
  if (!carried) return UNKNOWN_BUTTON;
  if (action.action_id === ACTIONS.details) return details(bot, body, carried);
  if (action.action_id === ACTIONS.together) return openTogether(bot, body, carried);
  if (action.action_id === ACTIONS.card) return askForCard(bot, body.user.id, carried);
  const verb = action.action_id.replace(`${ACTIONS.decide}:`, '');
  if (!isVerb(verb)) return UNKNOWN_BUTTON;
  const atOnce = AT_ONCE.includes(verb) && !carried.reason && !(await wantsReason(bot, verb, carried));
  if (atOnce) return press(bot, body.user.id, carried, { verb });
  return ask(bot, body, verb, carried);
}

/** What needs no reason in words. */
const AT_ONCE: readonly Verb[] = ['contain', 'approve', 'withdraw', 'retry', 'skip', 'cancel-soak'];

const isVerb = (word: string): word is Verb => Object.hasOwn(DONE, word);

/** Resolves to what the person is told. */
export async function press(
  bot: Bot,
  user: string,
  about: Carried,
  click: Pick<Click, 'verb' | 'reason' | 'at' | 'strategy'>,
  token?: Secret,
): Promise<string> {
  const by = await bot.directory.person(user);
  const whole: Click = { ...click, by, ...(about.hash === undefined ? {} : { hash: about.hash }) };
  const decided = await bot.front.decide(about.incidentId, whole, token);
  return decided.decided ? told(bot, click.verb, decided.incident) : mrkdwn(decided.refusal.message);
}

/** Of a button that was drawn while what was approved still counted. */
async function wantsReason(bot: Bot, verb: Verb, { incidentId }: Carried): Promise<boolean> {
  if (!goesOn(verb)) return false;
  const incident = await bot.front.incident(incidentId);
  return incident !== undefined && needsReason(incident, verb, bot.roster.policy, bot.clock.now());
}

/** The person's own decision is the last one: what they are told is what it brought about. */
function told(bot: Bot, verb: Verb, incident: Incident): string {
  const awaiting = incident.decisions.at(-1)?.decision.awaiting;
  if (awaiting === undefined) return doneText(verb, incident);
  const asks = asksText(incident, verb, bot.roster.policy);
  return `Your approval is counted. ${counted(awaiting, 'more person', 'more people')} must approve before anything runs: ${asks.map(mrkdwn).join('; ')}.`;
}

/** What was decided, and what of it is not so yet. */
function doneText(verb: Verb, incident: Incident): string {
  if (incident.paused && openRun(incident))
    return 'Counted, and in the log. Tourniquet is paused, so nothing runs yet: it starts when an approver types `/tourniquet resume`.';
  return verb === 'not-a-leak' && hasQuarantine(incident)
    ? `${DONE[verb]} ${mrkdwn(stillQuarantined(incident))}`
    : DONE[verb];
}

/** Opens the form at once, and takes it away again from a person whose answer would be refused. */
async function ask(bot: Bot, body: BlockAction, verb: Verb, about: Carried): Promise<undefined> {
  const memory = { channel: body.channel?.id ?? bot.shelf.channel, verb, about };
  const needed = ABOUT_STATE.includes(verb);
  const incident = needed ? await bot.front.incident(about.incidentId) : undefined;
  const form =
    verb === 'break-glass'
      ? breakGlassForm(incident, memory)
      : (reasonForm(verb, memory, incident && alsoSaid(incident, verb)) ??
        identifyForm({ clusters: bot.front.clusters }, memory));
  const view = await openView(bot, body.trigger_id, form);
  const refusal = await early(bot, body.user.id, verb, about).catch((error) => explain(error, bot.log));
  if (refusal) await updateView(bot, view, noticeView('Not possible', refusal));
}

/** Forms that say how things stand. */
const ABOUT_STATE: readonly Verb[] = ['break-glass', 'outside', 'undo', 'roll-back'];

const alsoSaid = (incident: Incident, verb: Verb): string[] =>
  (verb === 'outside' ? newTokenLines(incident) : backLines(incident, verb)).map(mrkdwn);

async function early(bot: Bot, user: string, verb: Verb, about: Carried): Promise<string | undefined> {
  const [by, incident] = await Promise.all([
    bot.directory.person(user),
    bot.front.incident(about.incidentId),
  ]);
  if (!incident) return NO_INCIDENT;
  const hash = about.hash === undefined ? {} : { hash: about.hash };
  const click = { verb, by, reason: 'yet to be written', ...hash };
  const refusal = refuse(incident, click, bot.roster, bot.clock.now());
  return refusal && mrkdwn(refusal.message);
}

async function askForCard(bot: Bot, user: string, { incidentId }: Carried): Promise<string> {
  const person = await bot.directory.person(user);
  const refusal = notAMember(person, bot.roster.teamId);
  if (refusal) return refusal;
  const known = await bot.front.askForCard(incidentId, person);
  return known ? 'Its card follows in the thread of the summary.' : NO_INCIDENT;
}

async function details(bot: Bot, body: BlockAction, about: Carried): Promise<undefined> {
  const view = await openView(bot, body.trigger_id, detailsLoading());
  const shown = await detailsFor(bot, body.user.id, about).catch((error) =>
    noticeView('Incident details', explain(error, bot.log)),
  );
  await updateView(bot, view, shown);
}

async function detailsFor(bot: Bot, user: string, about: Carried) {
  const [person, incident] = await Promise.all([
    bot.directory.person(user),
    bot.front.incident(about.incidentId),
  ]);
  const refusal = notAMember(person, bot.roster.teamId) ?? (incident ? undefined : NO_INCIDENT);
  return refusal || !incident
    ? noticeView('Incident details', refusal ?? NO_INCIDENT)
    : detailsView(incident, bot.clock.now());
}

function choose(bot: Bot, body: BlockAction, option: unknown): Promise<string> | string {
  const strategy = typeof option === 'string' ? pickedWay(option) : undefined;
  if (typeof option !== 'string' || strategy === undefined) return UNKNOWN_BUTTON;
  return press(bot, body.user.id, { incidentId: pickedIncident(option) }, { verb: 'choose', strategy });
}

/** "Only one Secret…": the same as identifying the token by the form. */
async function pick(bot: Bot, body: BlockAction, option: unknown): Promise<string> {
  if (typeof option !== 'string') return UNKNOWN_BUTTON;
  const incident = await bot.front.incident(pickedIncident(option));
  const secret = incident && pickedSecret(incident, option);
  if (!incident?.identity || !secret)
    return 'That Secret is not there any more, so nothing was done. The card shows those that are.';
  const { namespace, serviceAccount } = incident.identity;
  const at = { cluster: secret.cluster, namespace, serviceAccount: serviceAccount.name, secret: secret.name };
  return press(bot, body.user.id, { incidentId: incident.id }, { verb: 'identify', at });
}
