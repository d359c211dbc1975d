// Issues the response_url of commands and clicks, and remembers for whom and how often it was used.
import { newSecret } from './random.ts';

export interface ResponseUrlGrant {
  user: string;
  channel: string;
  /** The message whose button was clicked. */
  messageTs?: string;
  threadTs?: string;
  /** When it was issued, in ms. */
  at: number;
  uses: number;
}

export interface ResponseUrls {
  issue(grant: { user: string; channel: string; messageTs?: string; threadTs?: string }): string;
  find(path: string): ResponseUrlGrant | undefined;
}

export function createResponseUrls(origin: string, now: () => number): ResponseUrls {
  const grants = new Map<string, ResponseUrlGrant>();
  return {
    issue(grant) {
      const path = `/actions/${newSecret('')}`;
      grants.set(path, { ...grant, at: now(), uses: 0 });
      return origin + path;
    },
    find: (path) => grants.get(path),
  };
}
