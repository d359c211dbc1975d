// Who pressed the button: asked of Slack, remembered for a minute, and nobody where Slack does not say.
import type { WebClient } from '@slack/web-api';
import type { Person } from '../../domain/approval.ts';
import { AppError } from '../../errors.ts';
import { slackCode } from './web-client.ts';

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 1000;

export interface Directory {
  /** Throws AppError: who cannot be looked up may not decide. */
  person(id: string): Promise<Person>;
}

export function directory(client: WebClient, now: () => number): Directory {
  const known = new Map<string, { person: Person; until: number }>();
  return {
    async person(id) {
      const remembered = known.get(id);
      if (remembered && remembered.until > now()) return remembered.person;
      const person = await look(client, id);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(id, { person, until: now() + REMEMBERED_MS });
      return person;
    },
  };
}

async function look(client: WebClient, id: string): Promise<Person> {
  const { user } = await client.users.info({ user: id }).catch((error: unknown) => {
    const code = slackCode(error);
    throw new AppError(
      'slack-unavailable',
      `Slack did not say who you are${code ? ` (${code})` : ''}, so nothing was done. Press again in a minute.`,
      { retry: true },
    );
  });
  return {
    id,
    // A stranger reaches us through a shared channel and belongs to no workspace that we know.
    teamId: user?.is_stranger ? '' : (user?.team_id ?? ''),
    guest: (user?.is_restricted ?? true) || (user?.is_ultra_restricted ?? true),
    bot: user?.is_bot ?? true,
    deactivated: user?.deleted ?? true,
  };
}

/** Undefined: a full member of the workspace. */
export function notAMember(person: Person, teamId: string): string | undefined {
  if (person.teamId !== teamId)
    return 'You belong to another workspace, so this does nothing for you. Ask somebody of this workspace.';
  if (person.guest || person.bot || person.deactivated)
    return 'This is for full members of the workspace. Ask one of them to do it for you.';
  return undefined;
}
