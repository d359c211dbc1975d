// The line to Slack: what there is of it once Slack has answered. Whoever needs some of it asks each time, for until then there is none.
import type { Publisher } from '../engine/keep/anchors.ts';
import type { Reporter } from '../ports/reporter.ts';

export interface Answered {
  /** Of the workspace, with its final slash. */
  url: string;
  sockets(): number;
  reporter: Reporter;
  /** Where the configuration wants anchors in the channel. */
  publishers: readonly Publisher[];
}

export interface SlackLine {
  /** Undefined: Slack has not answered yet. */
  answered(): Answered | undefined;
  /** Called once. */
  open(answered: Answered): void;
}

export function slackLine(): SlackLine {
  let now: Answered | undefined;
  return {
    answered: () => now,
    open: (answered) => {
      now = answered;
    },
  };
}
