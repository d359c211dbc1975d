// What the workspace holds: people, channels, messages and notices. Everything else reads and writes it here.

import type {
  ApiCall,
  Block,
  Channel,
  Demo,
  Json,
  Message,
  Notice,
  Person,
  SlashCommand,
  UserGroup,
} from '../types.ts';
import { type Changes, createChanges } from './changes.ts';
import { newId, newSecret } from './random.ts';

export interface Team {
  id: string;
  name: string;
  domain: string;
}

export interface StateSeed {
  team: Team;
  people: Person[];
  channels: Channel[];
  userGroups: UserGroup[];
  commands: SlashCommand[];
  demos: Demo[];
  /** What the app was given when it was installed. */
  scopes: readonly string[];
  now: () => number;
}

export type NewMessage = Omit<Message, 'ts' | 'edited' | 'reactions'>;

export interface State extends StateSeed {
  appId: string;
  botUserId: string;
  botId: string;
  botToken: string;
  appToken: string;
  verificationToken: string;
  changes: Changes;
  messages: Message[];
  notices: Notice[];
  calls: ApiCall[];
  /** Every text that the app ever sent, for a search for secrets. */
  received: string[];
  nextTs(): string;
  addMessage(message: NewMessage): Message;
  findMessage(channel: string, ts: string): Message | undefined;
  removeMessage(message: Message): void;
  channelMessages(channel: string): Message[];
  replies(root: Message): Message[];
  person(ref: string): Person;
  channel(ref: string): Channel;
  openIm(user: string): Channel;
  notify(user: string, text: string, tone?: Notice['tone']): void;
}

export function createState(seed: StateSeed): State {
  const bot = seed.people.find((person) => person.isBot);
  if (!bot) throw new Error('The workspace has no bot user: add a person with isBot to `people`.');
  const changes = createChanges();
  let lastNotice = 0;
  const people = seed.people.map((person) => ({ ...person }));
  const channels = seed.channels.map((channel) => ({ ...channel, members: [...channel.members] }));
  const state: State = {
    ...seed,
    people,
    channels,
    userGroups: seed.userGroups.map((group) => ({ ...group, users: [...group.users] })),
    appId: newId('A'),
    botUserId: bot.id,
    botId: newId('B'),
    botToken: newSecret('xoxb-'),
    appToken: newSecret('xapp-'),
    verificationToken: newSecret(''),
    changes,
    notices: [],
    calls: [],
    received: [],
    person: (ref) => findPerson(people, ref),
    channel: (ref) => findChannel(channels, ref),
    openIm: (user) => openIm(channels, user, bot.id),
    notify(user, text, tone = 'error') {
      lastNotice += 1;
      state.notices.push({ id: lastNotice, user, text, tone });
      changes.changed();
    },
    ...messageStore(seed.now, changes),
  };
  return state;
}

type MessageStore = Pick<
  State,
  'messages' | 'nextTs' | 'addMessage' | 'findMessage' | 'removeMessage' | 'channelMessages' | 'replies'
>;

function messageStore(now: () => number, changes: Changes): MessageStore {
  const messages: Message[] = [];
  let lastMicros = 0;
  /** A ts identifies its message, so two of the same instant must differ. */
  const nextTs = () => {
    lastMicros = Math.max(Math.floor(now() * 1000), lastMicros + 1);
    return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, '0')}`;
  };
  return {
    messages,
    nextTs,
    addMessage(message) {
      const stored: Message = { ...message, ts: nextTs(), edited: false, reactions: [] };
      messages.push(stored);
      changes.changed();
      return stored;
    },
    findMessage: (channel, ts) =>
      messages.find((message) => message.channel === channel && message.ts === ts),
    removeMessage(message) {
      const index = messages.indexOf(message);
      if (index >= 0) messages.splice(index, 1);
      changes.changed();
    },
    channelMessages: (channel) =>
      messages.filter((message) => message.channel === channel && message.ephemeralTo === undefined),
    replies: (root) =>
      messages.filter(
        (message) =>
          message.channel === root.channel &&
          message.threadTs === root.ts &&
          message.ephemeralTo === undefined,
      ),
  };
}

function findPerson(people: Person[], ref: string): Person {
  const handle = ref.replace(/^@/, '');
  const person = people.find((candidate) => candidate.id === ref || candidate.name === handle);
  if (!person)
    throw new Error(`Nobody here is called ${ref}; there are ${people.map((p) => p.name).join(', ')}.`);
  return person;
}

function findChannel(channels: Channel[], ref: string): Channel {
  const name = ref.replace(/^#/, '');
  const channel = channels.find((candidate) => candidate.id === ref || candidate.name === name);
  if (!channel)
    throw new Error(`There is no channel ${ref}; there are ${channels.map((c) => c.name).join(', ')}.`);
  return channel;
}

function openIm(channels: Channel[], user: string, bot: string): Channel {
  const id = `D${user.slice(1)}`;
  const existing = channels.find((channel) => channel.id === id);
  if (existing) return existing;
  const im: Channel = { id, name: `dm-${user}`, isIm: true, members: [user, bot] };
  channels.push(im);
  return im;
}

/** Slack fills in the ids that the app left out; without them a click could not name its element. */
export function withIds(blocks: Block[]): Block[] {
  const named = structuredClone(blocks);
  const nameElement = (element: unknown) => {
    if (typeof element !== 'object' || element === null) return;
    const fields = element as Json;
    const type = String(fields.type);
    if (!['image', 'mrkdwn', 'plain_text', 'raw_text'].includes(type) && !type.startsWith('rich_text'))
      fields.action_id ??= newId('').slice(0, 5);
  };
  for (const block of named) {
    block.block_id ??= newId('').slice(0, 5);
    if (block.type === 'section') nameElement(block.accessory);
    if (block.type === 'input') nameElement(block.element);
    if (block.type === 'actions' && Array.isArray(block.elements)) block.elements.forEach(nameElement);
  }
  return named;
}
