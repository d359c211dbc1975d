// The vocabulary that the parts of the emulated workspace share.

export type Json = Record<string, unknown>;
export type Block = Json & { type: string; block_id?: string };

export interface Person {
  id: string;
  /** The handle, without the @. */
  name: string;
  realName: string;
  title: string;
  email?: string;
  /** Set for people of another workspace who are here through Slack Connect. */
  teamId?: string;
  isGuest?: boolean;
  isBot?: boolean;
  isDeactivated?: boolean;
}

export interface Channel {
  id: string;
  name: string;
  topic?: string;
  isPrivate?: boolean;
  isArchived?: boolean;
  isIm?: boolean;
  members: string[];
}

export interface UserGroup {
  id: string;
  handle: string;
  name: string;
  users: string[];
}

export interface SlashCommand {
  command: string;
  description: string;
  usageHint: string;
}

export interface Demo {
  id: string;
  label: string;
  description: string;
  run(user: string): Promise<void>;
}

export interface Reaction {
  name: string;
  users: string[];
}

export interface Message {
  ts: string;
  channel: string;
  user: string;
  text: string;
  blocks?: Block[];
  threadTs?: string;
  botId?: string;
  botName?: string;
  metadata?: Json;
  edited: boolean;
  /** The only person who sees it. */
  ephemeralTo?: string;
  reactions: Reaction[];
  isBroadcast?: boolean;
  isTombstone?: boolean;
}

export interface View extends Json {
  id: string;
  hash: string;
  type: 'modal' | 'home';
  blocks: Block[];
  root_view_id: string;
  previous_view_id: string | null;
}

/** Slack's `state.values`: block_id → action_id → value of the element. */
export type StateValues = Record<string, Record<string, Json>>;

export interface Notice {
  id: number;
  user: string;
  text: string;
  tone: 'info' | 'error';
}

export interface ApiCall {
  method: string;
  args: Json;
  at: number;
  status: number;
  result: Json;
}

export type DeliveryStatus = 'acked' | 'operation_timeout' | 'dispatch_failed';

/** What became of an envelope that was sent to the app. */
export interface Delivery {
  status: DeliveryStatus;
  /** What the app put into its ack. */
  payload: Json;
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
