// What is so now and must be read first: trouble, pauses, what is closed, and what people still owe.
import type { Incident, Pause } from '../../domain/incident/incident.ts';
import { hasQuarantine, stepsInEffect } from '../../domain/incident/runs.ts';
import { people, strong, type Text, text } from '../../domain/text/pieces.ts';
import { counted, some } from '../pieces/counted.ts';
import { moment } from '../pieces/moments.ts';
import { plain } from '../pieces/plain.ts';
import { outsideLines } from './copies.ts';
import { newTokenLines } from './new-tokens.ts';

/** A false alarm gives nothing back by itself. */
export function stillQuarantined(incident: Incident): string {
  const steps = stepsInEffect(incident).filter(({ phase }) => phase === 'contain');
  const titles = some(
    steps.map(({ title }) => plain(title, 200)),
    3,
  ).join('; ');
  return `This was done and not undone: ${titles}. “Undo quarantine” on the card takes it back.`;
}

export function nowLines(incident: Incident): Text[] {
  const { troubles, runs, reopened, closed, liveAgain, autoContainSkipped, proof } = incident;
  const lines: Text[] = Object.entries(troubles)
    .filter(([work]) => work !== 'report')
    .map(
      ([, { message, count }]) =>
        text`${strong`Trouble:`} ${plain(message, 900)} Trying again (${counted(count, 'attempt')} so far).`,
    );
  if (liveAgain && reopened && !closed)
    lines.push(text`${strong`Live again`} (${moment(reopened.at)}): ${plain(reopened.reason, 400)}`);
  const stopped = runs.at(-1)?.stopped;
  if (stopped) lines.push(text`${strong`Stopped:`} ${plain(stopped, 900)} A person is needed.`);
  // Where the proof closed it, the proof says the rest.
  const why = closed && closed.reason !== proof?.outcome?.detail ? `: ${plain(closed.reason, 400)}` : '.';
  if (closed) lines.push(text`${strong`Closed`} ${moment(closed.at)}${why}`);
  if (closed?.as === 'false-alarm' && hasQuarantine(incident)) lines.push(stillQuarantined(incident));
  if (incident.paused) lines.unshift(pausedLine(incident.paused));
  lines.push(...reviewLines(incident));
  lines.push(...outsideLines(incident));
  if (!closed && !incident.outside) lines.push(...newTokenLines(incident));
  const first = runs[0];
  if (first?.kind === 'contain' && first.by === 'policy')
    lines.push(text`${strong`Contained by policy`} ${moment(first.at)}, without waiting for a person.`);
  else if (autoContainSkipped && runs.length === 0)
    lines.push(text`${strong`Not contained automatically:`} ${plain(autoContainSkipped, 400)}`);
  return lines;
}

function pausedLine({ by, reason, at }: Pause): Text {
  const who = by === '' ? '' : text` by ${people([by])} ${moment(at)}`;
  return text`${strong`PAUSED`}${who}: ${plain(reason, 400)}. No step is started until an approver types ${{ code: '/tourniquet resume' }}.`;
}

function reviewLines({ reviews }: Incident): Text[] {
  return reviews.map(({ by, reason, at, closed }) => {
    const broke = text`${strong`Break-glass`} by ${people([by])} ${moment(at)}: ${plain(reason, 400)}`;
    return closed
      ? text`${broke} Reviewed by ${people([closed.by])}: ${plain(closed.note, 400)}`
      : text`${broke} ${strong`A review is open:`} an approver other than ${people([by])} must close it.`;
  });
}
