// One press for many incidents: shows exactly which plans it would approve, and approves those, each by its own rule.
import type { BlockAction } from '@slack/bolt';
import type { KnownBlock, ModalView } from '@slack/types';
import { refuse } from '../../../domain/decision/approval.ts';
import type { Person } from '../../../domain/decision/click.ts';
import { needsReason } from '../../../domain/decision/needed.ts';
import type { Sameness } from '../../../domain/decision/together.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { counted, some } from '../../../words/pieces/counted.ts';
import { who } from '../../../words/standing/standing.ts';
import { classesOf, memberLine } from '../cards/burst-card.ts';
import type { Carried } from '../cards/buttons.ts';
import { notAMember } from '../connection/directory.ts';
import { type Memory, noticeView, togetherForm } from '../forms/forms.ts';
import { clean, mrkdwn } from '../mrkdwn/mrkdwn.ts';
import { section } from '../mrkdwn/sections.ts';
import { explain } from './answer.ts';
import { type Bot, openView, updateView } from './bot.ts';

type Member = { incident: Incident; same: Sameness };

/** A form remembers at most 3000 characters; what is left over is offered again after it. */
export const AT_ONCE = 40;
const LINES = 8;

export async function openTogether(bot: Bot, body: BlockAction, about: Carried): Promise<undefined> {
  const view = await openView(bot, body.trigger_id, noticeView('Approve together', 'Looking at each…'));
  const channel = body.channel?.id ?? bot.shelf.channel;
  const form = await formFor(bot, body.user.id, channel, about).catch((error) =>
    noticeView('Approve together', explain(error, bot.log)),
  );
  await updateView(bot, view, form);
}

async function formFor(
  bot: Bot,
  user: string,
  channel: string,
  { incidentId: burst, hash: key }: Carried,
): Promise<ModalView> {
  const by = await bot.directory.person(user);
  const stranger = notAMember(by, bot.roster.teamId);
  if (stranger) return noticeView('Not possible', stranger);
  const members = await waiting(bot, burst, key);
  const refused = members.flatMap((member) => refusalOf(bot, by, member) ?? []);
  const mine = members.filter((member) => refusalOf(bot, by, member) === undefined).slice(0, AT_ONCE);
  const [first] = mine;
  if (first === undefined) {
    const why = refused[0]?.message ?? 'Nothing of this burst waits for that any more. Nothing was changed.';
    return noticeView('Not possible', why);
  }
  const { verb } = first.same;
  const memory: Memory = {
    channel,
    together: { verb, plans: mine.map(({ incident, same }) => [incident.id, same.hash]) },
  };
  const reason = mine.some(({ incident }) => needsReason(incident, verb, bot.roster.policy, bot.clock.now()));
  return togetherForm(mine.length, [...plansIn(mine), ...refusedIn(refused)], memory, reason);
}

async function waiting(bot: Bot, burst: string, key: string | undefined): Promise<Member[]> {
  const ids = await bot.shelf.store.members(burst);
  const found = await Promise.all(ids.map((id) => bot.front.incident(id)));
  const members = found.filter((one) => one !== undefined);
  const alike = classesOf({ members, policy: bot.roster.policy });
  return alike.find(([one]) => one?.same.key === key) ?? [];
}

interface Refused {
  name: string;
  message: string;
}

function refusalOf(bot: Bot, by: Person, { incident, same }: Member): Refused | undefined {
  const { verb, hash } = same;
  const click = { verb, by, hash, reason: 'yet to be written', together: true as const };
  const refusal = refuse(incident, click, bot.roster, bot.clock.now());
  return refusal && { name: nameOf(incident), message: mrkdwn(refusal.message) };
}

const nameOf = (incident: Incident): string => clean(who(incident).replace(/^ · /, ''), 110);

/** Every single one is named: what is not seen is not approved. */
export function plansIn(members: readonly Member[]): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  for (let at = 0; at < members.length; at += LINES)
    blocks.push(section(`plans-${at}`, members.slice(at, at + LINES).map(memberLine)));
  return blocks;
}

function refusedIn(refused: readonly Refused[]): KnownBlock[] {
  const lines = refused.map(({ name, message }) => `${name}: ${message.slice(0, 300)}`);
  return lines.length === 0 ? [] : [section('refused', ['*Not these, by you:*', ...some(lines, 5, '')])];
}

/** Resolves to what the person is told. */
export async function approveTogether(
  bot: Bot,
  user: string,
  { verb, plans }: NonNullable<Memory['together']>,
  reason: string,
): Promise<string> {
  const by = await bot.directory.person(user);
  const refused: string[] = [];
  let running = 0;
  for (const [id, hash] of plans) {
    const click = { verb, by, hash, together: true as const, ...(reason && { reason }) };
    // One that fails must not hide that those before it count.
    const decided = await bot.front.decide(id, click).catch((error: unknown) => ({
      decided: false as const,
      why: explain(error, bot.log),
    }));
    if (!decided.decided) {
      const why = 'why' in decided ? decided.why : mrkdwn(decided.refusal.message);
      refused.push(`• \`${id}\`: ${why}`);
    } else if (decided.incident.decisions.at(-1)?.decision.awaiting === undefined) running += 1;
  }
  const counts = plans.length - refused.length;
  const waits = counts - running;
  return [
    `Your approval counts for ${counts} of ${plans.length}.`,
    ...(running > 0 ? [`${counted(running, 'plan runs', 'plans run')} now.`] : []),
    ...(waits > 0 ? [`${counted(waits, 'plan waits', 'plans wait')} for more people.`] : []),
    ...(refused.length > 0 ? ['*Not among them:*', ...some(refused, 8, '')] : []),
  ].join('\n');
}
