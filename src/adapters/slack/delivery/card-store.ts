// Where the reporter remembers which message shows which incident, and which incidents share a summary.

export interface StoredCard {
  channel: string;
  ts: string;
  /** Cursor from which a process began to write to the thread; it came to the end where the cursor has moved since. */
  telling?: number;
  /** It stands in the thread of this message. */
  root?: string;
}

export interface BurstLimits {
  /** Incidents that may open `within` before a burst begins. */
  cards: number;
  within: number;
}

export interface CardStore {
  /** `posting`: a post was begun and its outcome never stored, so Slack itself must be asked. */
  get(incidentId: string): Promise<StoredCard | 'posting' | undefined>;
  put(incidentId: string, card: StoredCard): Promise<void>;
  mark(incidentId: string, state: 'posting'): Promise<void>;
  /** The burst that an incident belongs to, as `place` decided. */
  burstOf(incidentId: string): Promise<string | undefined>;
  /** Decides by the times at which incidents opened, once for each. `openedAt`: Unix milliseconds. */
  place(incidentId: string, openedAt: number, limits: BurstLimits): Promise<string | undefined>;
  /** Incidents of a burst, in the order in which they opened. */
  members(burst: string): Promise<string[]>;
  /** Its summary must be drawn again. */
  touch(burst: string): Promise<void>;
  touched(): Promise<string[]>;
  /** Tells one touch from the next; undefined: its summary is not due. */
  touchOf(burst: string): Promise<string | undefined>;
  /** Its summary shows all up to this touch: it is not due any more, unless it was touched since. */
  settle(burst: string, touch: string): Promise<void>;
}

/** Link to a message; `url` is that of the workspace, with its final slash. */
export const permalink = (url: string, { channel, ts, root }: StoredCard): string =>
  `${url}archives/${channel}/p${ts.replace('.', '')}${root ? `?thread_ts=${root}&cid=${channel}` : ''}`;

/** Under which name the summary of a burst is kept. */
export const summaryOf = (burst: string): string => `burst-${burst}`;
