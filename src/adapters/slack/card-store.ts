// Where the reporter remembers which message shows which incident.

export interface StoredCard {
  channel: string;
  ts: string;
  /** Cursor from which a process began to write to the thread; it came to the end where the cursor has moved since. */
  telling?: number;
}

export interface CardStore {
  /** `posting`: a post was begun and its outcome never stored, so Slack itself must be asked. */
  get(incidentId: string): Promise<StoredCard | 'posting' | undefined>;
  put(incidentId: string, card: StoredCard): Promise<void>;
  mark(incidentId: string, state: 'posting'): Promise<void>;
}

/** Link to a message; `url` is that of the workspace, with its final slash. */
export const permalink = (url: string, { channel, ts }: StoredCard): string =>
  `${url}archives/${channel}/p${ts.replace('.', '')}`;
