// The shapes that pass between the emulator's server and its page, and between the page's own modules.
import type { KnownBlock } from '@slack/types';

export interface Person {
  id: string;
  name: string;
  realName: string;
  title: string;
  isGuest: boolean;
  isDeactivated?: boolean;
  isBot: boolean;
}

export interface Channel {
  id: string;
  name: string;
  topic: string;
  isIm: boolean;
}

export interface SlashCommand {
  command: string;
  description: string;
  usageHint: string;
}

export interface PageMessage {
  ts: string;
  threadTs?: string;
  user: string;
  botName?: string;
  text: string;
  blocks?: KnownBlock[];
  edited: boolean;
  ephemeral: boolean;
  reactions: { name: string; users: string[] }[];
  replyCount: number;
}

export interface SlackView {
  id: string;
  type: 'modal' | 'home';
  title?: { text: string };
  submit?: { text: string };
  close?: { text: string };
  blocks: KnownBlock[];
}

export interface Notice {
  id: number;
  text: string;
  tone: 'info' | 'error';
}

export interface PageState {
  team: { id: string; name: string };
  people: Person[];
  viewer: string;
  channels: Channel[];
  userGroups?: { id: string; handle: string }[];
  commands: SlashCommand[];
  messages: Record<string, PageMessage[]>;
  views: SlackView[];
  viewErrors: Record<string, string>;
  home: SlackView | null;
  demos: { id: string; label: string; description: string }[];
  notices: Notice[];
}

/** What a person has entered into one element, in Slack's own words (`value`, `selected_option`, …). */
export type Entered = Record<string, unknown>;
export type Values = Record<string, Record<string, Entered>>;
export type BlockAction = { type: string; action_id: string; block_id: string } & Record<string, unknown>;

/** What was entered into the elements of one message or view; outlives a redraw of them. */
export interface Form {
  open(blockId: string, actionId: string, type: string, initial: Entered): Entered;
  set(blockId: string, actionId: string, entered: Entered): void;
  get(blockId: string, actionId: string): Entered | undefined;
  values(blocks: KnownBlock[]): Values;
}

/** What drawing text needs: the state, to turn ids into names. */
export type Names = Pick<PageState, 'people' | 'channels' | 'userGroups' | 'viewer'>;

/** What drawing blocks needs. */
export interface Surface {
  names: Names;
  form: Form;
  dispatch(action: BlockAction): Promise<void>;
  edited?(blockId: string): void;
}

/** Where one element stands: when it speaks to the app, and under which ids. */
export interface Placement {
  surface: Surface;
  blockId: string;
  /** Whether a change is sent to the app at once, or only kept for the form. */
  dispatches: boolean;
  /** The id of the label and hint that name the element, for input blocks. */
  labelledBy?: string;
  clearable?: boolean;
}

/** One item of a list that is redrawn only where it changed. */
export interface Entry {
  key: string;
  print: string;
  make(): HTMLElement;
  update?(node: HTMLElement): void;
}
