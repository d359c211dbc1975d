// The App Home: what is open, what waits for this person, and what was decided lately. Its buttons are those of the cards.
import type { HomeView, KnownBlock } from '@slack/types';
import { refuse } from '../../../domain/decision/approval.ts';
import type { Person } from '../../../domain/decision/click.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { pendingSteps } from '../../../domain/incident/runs.ts';
import { counted } from '../../../words/pieces/counted.ts';
import { VERBS } from '../../../words/pieces/verbs.ts';
import { who } from '../../../words/standing/standing.ts';
import { actionsBlock } from '../cards/buttons.ts';
import { headline } from '../cards/headline.ts';
import { notAMember } from '../connection/directory.ts';
import { slackCode } from '../connection/web-client.ts';
import { clean, code, moment, people } from '../mrkdwn/mrkdwn.ts';
import { section } from '../mrkdwn/sections.ts';
import type { Bot } from './bot.ts';
import { cardLink } from './replies.ts';

/** Each takes two blocks of the hundred that Slack allows, and a few lines. */
const SHOWN = 15;
const DECISIONS = 10;
const LOOKED_AT = 100;

export async function showHome(bot: Bot, user: string): Promise<void> {
  try {
    const view = await homeFor(bot, user);
    await bot.client.views.publish({ user_id: user, view });
  } catch (error) {
    // Opened again, it is drawn again; nothing hangs on it.
    bot.log.warn({ code: slackCode(error) }, 'slack: the App Home could not be shown');
  }
}

async function homeFor(bot: Bot, user: string): Promise<HomeView> {
  const person = await bot.directory.person(user);
  const refusal = notAMember(person, bot.roster.teamId);
  if (refusal) return home([section('refusal', [refusal])]);
  const [incidents, paused] = await Promise.all([bot.front.incidents(LOOKED_AT), bot.front.paused()]);
  const open = incidents.filter(({ closed }) => closed === undefined);
  const mine = open.filter((incident) => waitsFor(bot, incident, person));
  const others = open.filter((incident) => !mine.includes(incident));
  const blocks: KnownBlock[] = [
    ...(paused
      ? [section('paused', [`*PAUSED:* ${clean(paused.reason, 400)}. \`/tourniquet resume\` lets it go on.`])]
      : []),
    heading(
      'mine',
      mine.length === 0 ? 'Nothing waits for you' : `Waits for you: ${counted(mine.length, 'incident')}`,
    ),
    ...(await listed(bot, mine.slice(0, SHOWN), true)),
    heading(
      'open',
      others.length === 0 ? 'Nothing else is open' : `Also open: ${counted(others.length, 'incident')}`,
    ),
    ...(await listed(bot, others.slice(0, SHOWN), false)),
    heading('decided', 'Decided lately'),
    section('decisions', recent(incidents)),
  ];
  return home(blocks);
}

const home = (blocks: KnownBlock[]): HomeView => ({ type: 'home', blocks });

const heading = (id: string, text: string): KnownBlock => ({
  type: 'header',
  block_id: `home-${id}`,
  text: { type: 'plain_text', text },
});

/** Whether a press on Approve would count. */
function waitsFor({ roster, clock }: Bot, incident: Incident, by: Person): boolean {
  if (pendingSteps(incident).length === 0 || incident.plan === undefined) return false;
  const click = { verb: 'approve' as const, by, hash: incident.plan.hash, reason: 'yet to be written' };
  return refuse(incident, click, roster, clock.now()) === undefined;
}

async function listed(bot: Bot, incidents: readonly Incident[], buttons: boolean): Promise<KnownBlock[]> {
  const blocks = await Promise.all(
    incidents.map(async (incident): Promise<KnownBlock[]> => {
      const card = await cardLink(bot.shelf, incident.id);
      const where = card ? `, <${card}|card>` : '';
      const line = `*${clean(headline(incident, bot.clock.now()))}* (${code(incident.id.slice(0, 12))}, opened ${moment(Date.parse(incident.openedAt))}${where})`;
      const steps = buttons ? pendingSteps(incident).map(({ title }) => `• ${clean(title)}`) : [];
      const actions = {
        ...actionsBlock(incident, bot.roster.policy),
        block_id: `home-actions-${incident.id}`,
      };
      return [section(`home-${incident.id}`, [line, ...steps.slice(0, 8)]), ...(buttons ? [actions] : [])];
    }),
  );
  return blocks.flat();
}

function recent(incidents: readonly Incident[]): string[] {
  const made = incidents.flatMap((incident) =>
    incident.decisions.map(({ decision, at }) => ({ incident, decision, at })),
  );
  const latest = made.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, DECISIONS);
  if (latest.length === 0) return ['Nothing yet.'];
  return latest.map(
    ({ incident, decision, at }) =>
      `${moment(Date.parse(at))}: ${people([decision.by])} ${clean(`${VERBS[decision.verb]}${who(incident)}`, 200)} (${code(incident.id.slice(0, 12))})`,
  );
}
