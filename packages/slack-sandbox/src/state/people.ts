// The default cast of the workspace: one person for every kind of right or lack of it.
import type { Channel, Person, SlashCommand, UserGroup } from '../types.ts';

export const BOT_ID = 'UTOURNIQUET';
export const TEAM = { id: 'T0HARBOUR1', name: 'Harbour', domain: 'harbour' };
export const PARTNER_TEAM_ID = 'T0PARTNER1';

export const defaultPeople: Person[] = [
  { id: 'UMAYA00001', name: 'maya', realName: 'Maya Okafor', title: 'On-call engineer, platform' },
  { id: 'UINES00001', name: 'ines', realName: 'Ines Duarte', title: 'Security engineer, approver' },
  { id: 'UTOMAS0001', name: 'tomas', realName: 'Tomas Varga', title: 'Security lead, approver' },
  { id: 'UDAN000001', name: 'dan', realName: 'Dan Whitlow', title: 'Developer, payments' },
  { id: 'UGAIL00001', name: 'gail', realName: 'Gail Moss', title: 'Contractor (guest)', isGuest: true },
  { id: 'UROLF00001', name: 'rolf', realName: 'Rolf Hansen', title: 'Left the company', isDeactivated: true },
  {
    id: 'UPETRA0001',
    name: 'petra',
    realName: 'Petra Kline',
    title: 'Partner company (Slack Connect)',
    teamId: PARTNER_TEAM_ID,
  },
  { id: BOT_ID, name: 'tourniquet', realName: 'Tourniquet', title: 'App', isBot: true },
];

export const defaultChannels: Channel[] = [
  {
    id: 'CINCIDENTS',
    name: 'incidents',
    topic: 'Leaks and outages. One thread per incident.',
    members: ['UMAYA00001', 'UINES00001', 'UTOMAS0001', 'UDAN000001', 'UGAIL00001', 'UPETRA0001', BOT_ID],
  },
  {
    id: 'CGENERAL01',
    name: 'general',
    topic: 'Everybody is here, the bot is not',
    members: ['UMAYA00001', 'UINES00001', 'UTOMAS0001', 'UDAN000001'],
  },
  {
    id: 'CSECPRIV01',
    name: 'security-private',
    isPrivate: true,
    topic: 'Private, without the bot',
    members: ['UINES00001', 'UTOMAS0001'],
  },
];

export const defaultUserGroups: UserGroup[] = [
  {
    id: 'SSECONCALL',
    handle: 'sec-oncall',
    name: 'Security on call',
    users: ['UINES00001', 'UTOMAS0001'],
  },
  { id: 'SPLATFORM1', handle: 'platform-oncall', name: 'Platform on call', users: ['UMAYA00001'] },
];

export const defaultCommands: SlashCommand[] = [
  {
    command: '/revoke-sa',
    description: 'Revoke a leaked service account token',
    usageHint: '[cluster/namespace/name] [reason]',
  },
];

/** As in manifest.yml. */
export const defaultScopes: readonly string[] = [
  'commands',
  'chat:write',
  'users:read',
  'usergroups:read',
  'channels:history',
  'groups:history',
];
