// The handle of a running workspace: people's hands on the one side, everything to look at on the other.

import type { Core } from './core.ts';
import { type ClickTarget, click, openHome, say, sendInteractive, slash } from './interactivity/client.ts';
import { type Answers, closeView, type Submission, submit } from './interactivity/modals.ts';
import type { DisconnectReason } from './sockets/socket-pool.ts';
import type { Faults } from './state/faults.ts';
import { transcript } from './state/transcript.ts';
import type { ApiCall, Delivery, Json, Message, Notice, Person, View } from './types.ts';

/** People go by id or handle, channels by id or name. */
export interface Workspace {
  apiUrl: string;
  pageUrl: string;
  botToken: string;
  appToken: string;
  teamId: string;
  appId: string;
  botUserId: string;
  people: Person[];
  faults: Faults;
  calls: ApiCall[];

  slash(user: string, channel: string, line: string): Promise<Delivery>;
  click(user: string, target: ClickTarget): Promise<Delivery>;
  /** Sends any payload as an interaction, checking nothing: for forged and stale clicks. */
  sendInteractive(payload: Json): Promise<Delivery>;
  /** Sends any event; true once it was acked, false if Slack gave up. */
  sendEvent(event: Json): Promise<boolean>;
  submit(user: string, viewId: string, answers: Answers): Promise<Submission>;
  closeView(user: string, viewId: string): Promise<void>;
  openHome(user: string): Promise<boolean>;
  say(user: string, channel: string, text: string, threadTs?: string): Message;
  /** Changes a user group and tells the app. */
  setGroupMembers(groupId: string, users: string[]): Promise<boolean>;

  /** What everybody in the channel sees, oldest first. */
  messages(channel: string): Message[];
  /** The root and its replies. */
  thread(channel: string, ts: string): Message[];
  ephemerals(user: string): Message[];
  views(user: string): View[];
  viewErrors(user: string): Record<string, string>;
  home(user: string): View | undefined;
  notices(user: string): Notice[];
  transcript(channel: string): string;
  /** Every byte the app ever sent, decoded: for a search for secrets. */
  dump(): string;

  onChange(listener: () => void): () => void;
  /** Resolves as soon as a change makes the predicate truthy. */
  waitFor<T>(predicate: () => T, ms?: number, what?: string): Promise<NonNullable<T>>;
  sockets(): number;
  /** Asks that many sockets to reconnect, as Slack does now and then; returns how many there were. */
  recycleSockets(reason?: DisconnectReason, count?: number): number;
  /** Delivers once more what was delivered last, as Slack does with what it believes undelivered. */
  redeliver(): Promise<Delivery>;
  close(): Promise<void>;
}

export function createHandle(core: Core, shutDown: () => Promise<void>): Workspace {
  const { state } = core;
  let closed: Promise<void> | undefined;
  return {
    apiUrl: `${core.origin}/api/`,
    pageUrl: `${core.origin}/`,
    botToken: state.botToken,
    appToken: state.appToken,
    teamId: state.team.id,
    appId: state.appId,
    botUserId: state.botUserId,
    people: state.people,
    faults: core.faults,
    calls: state.calls,
    ...hands(core),
    ...eyes(core),
    onChange: state.changes.onChange,
    waitFor: state.changes.waitFor,
    sockets: core.sockets.count,
    redeliver: () => core.sockets.redeliver(),
    recycleSockets: (reason = 'refresh_requested', count = 1) => core.sockets.recycle(reason, count),
    close: () => (closed ??= shutDown()),
  };
}

type Hands = Pick<
  Workspace,
  | 'slash'
  | 'click'
  | 'sendInteractive'
  | 'sendEvent'
  | 'submit'
  | 'closeView'
  | 'openHome'
  | 'say'
  | 'setGroupMembers'
>;

function hands(core: Core): Hands {
  return {
    slash: (user, channel, line) => slash(core, user, channel, line),
    click: (user, target) => click(core, user, target),
    sendInteractive: (payload) => sendInteractive(core, payload),
    sendEvent: core.sendEvent,
    submit: (user, viewId, answers) => submit(core, user, viewId, answers),
    closeView: (user, viewId) => closeView(core, user, viewId),
    openHome: (user) => openHome(core, user),
    say: (user, channel, text, threadTs) => say(core, user, channel, text, threadTs),
    async setGroupMembers(groupId, users) {
      const group = core.state.userGroups.find((candidate) => candidate.id === groupId);
      if (!group) throw new Error(`There is no user group ${groupId}.`);
      const before = group.users;
      group.users = [...users];
      return await core.sendEvent({
        type: 'subteam_members_changed',
        subteam_id: groupId,
        team_id: core.state.team.id,
        added_users: users.filter((user) => !before.includes(user)),
        removed_users: before.filter((user) => !users.includes(user)),
        event_ts: core.state.nextTs(),
      });
    },
  };
}

type Eyes = Pick<
  Workspace,
  'messages' | 'thread' | 'ephemerals' | 'views' | 'viewErrors' | 'home' | 'notices' | 'transcript' | 'dump'
>;

function eyes({ state, views }: Core): Eyes {
  const id = (user: string) => state.person(user).id;
  return {
    messages: (channel) => state.channelMessages(state.channel(channel).id),
    thread: (channel, ts) =>
      state
        .channelMessages(state.channel(channel).id)
        .filter((message) => message.ts === ts || message.threadTs === ts),
    ephemerals: (user) => state.messages.filter((message) => message.ephemeralTo === id(user)),
    views: (user) => views.stack(id(user)),
    viewErrors: (user) => views.errors(id(user)),
    home: (user) => views.home(id(user)),
    notices: (user) => state.notices.filter((notice) => notice.user === id(user)),
    transcript: (channel) => transcript(state, state.channel(channel).id),
    dump: () => state.received.join('\n'),
  };
}
