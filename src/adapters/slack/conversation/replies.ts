// Turns what a command answers into text, with links to the cards.
import type { Reply } from '../../../contracts/command.ts';
import type { Incident } from '../../../domain/incident/incident.ts';
import { counted } from '../../../words/pieces/counted.ts';
import { headline } from '../cards/headline.ts';
import { type CardStore, permalink, summaryOf } from '../delivery/card-store.ts';
import { clean, code, moment } from '../mrkdwn/mrkdwn.ts';

export interface Shelf {
  store: CardStore;
  /** Of the workspace. */
  url: string;
  /** The incident channel. */
  channel: string;
}

const MAX_LISTED = 15;

export async function cardLink({ store, url }: Shelf, incidentId: string): Promise<string | undefined> {
  const own = await store.get(incidentId);
  const burst = own === undefined ? await store.burstOf(incidentId) : undefined;
  const card = burst === undefined ? own : await store.get(summaryOf(burst));
  return card === undefined || card === 'posting' ? undefined : permalink(url, card);
}

const short = (id: string): string => code(id.slice(0, 12));

export async function openedText(shelf: Shelf, incidentId: string, created: boolean): Promise<string> {
  const card = await cardLink(shelf, incidentId);
  const where = card ? `<${card}|Open the card>` : `Its card appears in <#${shelf.channel}>`;
  return created
    ? `Incident ${short(incidentId)} is open. ${where}.`
    : `This is already known: your report was added to incident ${short(incidentId)}. ${where}.`;
}

export async function replyText(
  shelf: Shelf,
  reply: Exclude<Reply, { kind: 'leak-form' | 'request-form' }>,
  now: number,
): Promise<string> {
  if (reply.kind === 'text') return reply.text;
  if (reply.kind === 'opened') return openedText(shelf, reply.incidentId, reply.created);
  const { incidents, note } = reply;
  const lines = await Promise.all(incidents.slice(0, MAX_LISTED).map((each) => line(shelf, each, now)));
  const more = incidents.length - lines.length;
  return [
    ...(incidents.length === 0 ? ['No incident is open.'] : lines),
    ...(more > 0 ? [`… and ${counted(more, 'more incident')}`] : []),
    ...(note ? [note] : []),
  ].join('\n');
}

async function line(shelf: Shelf, incident: Incident, now: number): Promise<string> {
  const card = await cardLink(shelf, incident.id);
  const link = card ? `, <${card}|card>` : '';
  return `• ${clean(headline(incident, now))} (${short(incident.id)}, opened ${moment(Date.parse(incident.openedAt))}${link})`;
}
