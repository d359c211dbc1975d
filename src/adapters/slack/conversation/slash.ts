// Runs a slash command for the person who typed it, and shows its answer to them alone.
import type { SlashCommand } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import type { CommandTools, Reply } from '../../../contracts/command.ts';
import type { Person } from '../../../domain/decision/click.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { scrub } from '../../../domain/token/leak-material.ts';
import type { Front } from '../../../engine/ground/front.ts';
import { counted } from '../../../words/pieces/counted.ts';
import { notAMember } from '../connection/directory.ts';
import { leakForm } from '../forms/forms.ts';
import { restartForm, targetForm } from '../forms/request-forms.ts';
import { clean, mrkdwn } from '../mrkdwn/mrkdwn.ts';
import { answering, sayTo } from './answer.ts';
import { type Bot, openView } from './bot.ts';
import { replyText } from './replies.ts';

const SEARCHED = 200;
const TYPED_TOKEN =
  'What you typed holds a token, and Slack keeps the text of commands: treat it as leaked here too. Paste it into the form instead, where it is sealed and not shown.';

export async function onSlash(bot: Bot, typed: SlashCommand): Promise<void> {
  const addressee = { user: typed.user_id, channel: typed.channel_id, responseUrl: typed.response_url };
  const say = sayTo(bot, addressee);
  await bot.once(typed.trigger_id, () => answering(say, () => run(bot, typed), bot.log));
}

async function run(bot: Bot, typed: SlashCommand): Promise<string | undefined> {
  const { text = '', channel_id: channel, user_id: user } = typed;
  const name = bot.names.own(typed.command) ?? typed.command.replace(/^\//, '');
  const answer = await runCommand(bot, { name, text, user, channel });
  const warning = scrub(text) === text ? undefined : TYPED_TOKEN;
  if (typeof answer === 'string') return [warning, answer].filter(Boolean).join('\n');
  await openView(bot, typed.trigger_id, formOf(bot, answer, channel));
  return warning;
}

type FormReply = Extract<Reply, { kind: 'leak-form' | 'request-form' }>;

function formOf({ front: { clusters } }: Bot, reply: FormReply, channel: string): ModalView {
  if (reply.kind === 'request-form') {
    const memory = { channel, command: reply.command };
    return reply.ways ? targetForm(clusters, memory) : restartForm(clusters, memory);
  }
  const { at, reason } = reply;
  return leakForm({ clusters, ...(at && { at }), ...(reason && { reason }) }, { channel });
}

export interface Typed {
  /** Of the command, without the slash. */
  name: string;
  text: string;
  user: string;
  channel: string;
}

/** Resolves to what the person is told, or to the form that is to be opened. */
export async function runCommand(bot: Bot, typed: Typed): Promise<string | FormReply> {
  const command = bot.commands.find(({ name }) => name === typed.name);
  if (!command) return `There is no command /${typed.name} here. There are: ${names(bot)}.`;
  const person = await bot.directory.person(typed.user);
  const refusal = notAMember(person, bot.roster.teamId);
  if (refusal) return refusal;
  const reply = await command.run(tools(bot, typed, person), typed.text);
  if (reply.kind === 'leak-form' || reply.kind === 'request-form') return reply;
  return replyText(bot.shelf, reply, bot.clock.now());
}

const names = ({ commands }: Bot): string => commands.map(({ name }) => `\`/${name}\``).join(', ');

function tools({ front, commands }: Bot, { user, channel }: Typed, person: Person): CommandTools {
  return {
    user,
    channel,
    clusters: front.clusters,
    commands,
    ask: (question) => front.ask(question),
    report: (finding) => front.report(finding),
    incidents: (limit) => front.incidents(limit),
    incident: (id) => byId(front, id),
    pause: (reason) => pause(front, person, reason),
    health: () => health(front),
  };
}

async function pause(front: Front, person: Person, reason: string | undefined): Promise<string> {
  const switched = await front.pause(person, reason);
  if (!switched.switched) return mrkdwn(switched.refusal.message);
  const shown = counted(switched.told, 'open incident');
  return reason === undefined
    ? `Tourniquet goes on. What was waiting continues: ${shown}.`
    : `*Paused.* No step is started on any cluster until an approver types \`/tourniquet resume\`. A request that is under way is finished. Alerts are still taken. The cards of ${shown} say so.`;
}

async function health(front: Front): Promise<string[]> {
  const [problems, paused] = await Promise.all([front.health(), front.paused()]);
  if (!paused) return problems;
  const who = paused.by === '' ? '' : ` by <@${paused.by}>`;
  return [
    ...problems,
    `Paused${who}: ${clean(paused.reason)}. Nothing is done on any cluster until an approver types \`/tourniquet resume\`.`,
  ];
}

/** Cards show the beginning of an id, so that is what people type. */
async function byId(front: Front, id: string): Promise<Incident | undefined> {
  const exact = await front.incident(id);
  if (exact) return exact;
  const alike = (await front.incidents(SEARCHED)).filter((incident) => incident.id.startsWith(id));
  return alike.length === 1 ? alike[0] : undefined;
}
