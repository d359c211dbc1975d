// What every handler of a command, click or form needs.
import type { ModalView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Command } from '../../../contracts/command.ts';
import type { Roster } from '../../../domain/decision/click.ts';
import type { Front } from '../../../engine/ground/front.ts';
import { AppError } from '../../../errors.ts';
import type { Log } from '../../../log.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { CommandNames } from '../connection/command-names.ts';
import type { Once } from '../connection/deliveries.ts';
import type { Directory } from '../connection/directory.ts';
import { slackCode, slackError } from '../connection/web-client.ts';
import type { Shelf } from './replies.ts';

export interface Bot {
  front: Front;
  commands: Command[];
  names: CommandNames;
  roster: Roster;
  shelf: Shelf;
  client: WebClient;
  directory: Directory;
  clock: Clock;
  log: Log;
  /** As configured: answers go where it belongs to. */
  apiUrl: string;
  /** Does the work of what Slack delivers once: it may deliver twice, to one bot or to two, and again where a bot died. */
  once: Once;
}

const LATE = ['expired_trigger_id', 'exchanged_trigger_id', 'invalid_trigger_id'];

/** Slack lets a form be opened for three seconds after the click: call this before anything slow. */
export async function openView(bot: Bot, triggerId: string, view: ModalView): Promise<string> {
  try {
    const opened = await bot.client.views.open({ trigger_id: triggerId, view });
    return opened.view?.id ?? '';
  } catch (error) {
    if (LATE.includes(slackCode(error) ?? ''))
      throw new AppError(
        'timeout',
        'Slack gives three seconds to open a form, and they were over. Try again.',
        { retry: true },
      );
    throw slackError(error);
  }
}

/** Replaces what a modal shows; false where the person has closed it. */
export async function updateView(bot: Bot, viewId: string, view: ModalView): Promise<boolean> {
  try {
    await bot.client.views.update({ view_id: viewId, view });
    return true;
  } catch (error) {
    bot.log.warn({ code: slackCode(error) }, 'slack: a form could not be updated');
    return false;
  }
}
