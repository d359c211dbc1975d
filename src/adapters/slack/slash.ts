// Runs a slash command for the person who typed it, and shows its answer to them alone.
import type { SlashCommand } from '@slack/bolt';
import type { Desktop } from '../../contracts.ts';
import type { Person } from '../../domain/approval.ts';
import type { Incident } from '../../domain/incident.ts';
import { scrub } from '../../domain/leak-material.ts';
import type { Front } from '../../engine/front.ts';
import { answering, sayTo } from './answer.ts';
import { type Bot, openView } from './bot.ts';
import { notAMember } from './directory.ts';
import { leakForm } from './forms.ts';
import { clean, counted } from './mrkdwn.ts';
import { replyText } from './replies.ts';

const SEARCHED = 200;
const TYPED_TOKEN =
  'What you typed holds a token, and Slack keeps the text of commands: treat it as leaked here too. Paste it into the form instead, where it is sealed and not shown.';

export async function onSlash(bot: Bot, typed: SlashCommand): Promise<void> {
  if (!(await bot.first(typed.trigger_id))) return;
  const addressee = { user: typed.user_id, channel: typed.channel_id, responseUrl: typed.response_url };
  const say = sayTo(bot, addressee);
  await answering(say, () => run(bot, typed), bot.log);
}

async function run(bot: Bot, typed: SlashCommand): Promise<string | undefined> {
  const called = bot.names.own(typed.command);
  const command = bot.commands.find(({ name }) => name === called);
  if (!command) return `There is no command ${typed.command} here. There are: ${names(bot)}.`;
  const person = await bot.directory.person(typed.user_id);
  const refusal = notAMember(person, bot.roster.teamId);
  if (refusal) return refusal;
  const reply = await command.run(desktop(bot, typed, person), typed.text ?? '');
  const warning = scrub(typed.text ?? '') === (typed.text ?? '') ? undefined : TYPED_TOKEN;
  if (reply.kind !== 'leak-form')
    return [warning, await replyText(bot.shelf, reply, bot.clock.now())].filter(Boolean).join('\n');
  const { at, reason } = reply;
  const prefill = { clusters: bot.front.clusters, ...(at && { at }), ...(reason && { reason }) };
  await openView(bot, typed.trigger_id, leakForm(prefill, { channel: typed.channel_id }));
  return warning;
}

const names = ({ commands }: Bot): string => commands.map(({ name }) => `\`/${name}\``).join(', ');

function desktop({ front, commands }: Bot, typed: SlashCommand, person: Person): Desktop {
  return {
    user: typed.user_id,
    channel: typed.channel_id,
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
  if (!switched.switched) return switched.refusal.message;
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
