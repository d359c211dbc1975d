// `/revoke-sa`: a person reports a leaked ServiceAccount token by name, or opens the form for it.
import type { Command, Reply } from '../src/contracts/command.ts';
import { helpOf } from './text/help.ts';
import { locate, say } from './text/locate.ts';
import { coordinates, readTarget, readWords, type Target } from './text/target.ts';

export type Parsed =
  | { kind: 'help' }
  /** `token`: the text held a token, which must be said and never repeated. */
  | { kind: 'form'; at?: Target; reason?: string; token: boolean }
  | { kind: 'target'; at: Target; reason?: string }
  | { kind: 'invalid'; message: string };

const USAGE = '[cluster/]namespace/name [reason]';

export const revokeSa: Command = {
  name: 'revoke-sa',
  help: {
    summary: 'Report a leaked ServiceAccount token, or open the form for it.',
    usage: USAGE,
    whoCanUse: 'Everybody in this workspace, except guests. What is destroyed needs an approver.',
    examples: [
      '/revoke-sa',
      '/revoke-sa payments/api found in a public gist',
      '/revoke-sa prod/payments/api sent to the wrong channel',
    ],
  },
  async run(tools, text) {
    const parsed = parse(text);
    if (parsed.kind === 'help') return say(helpOf(revokeSa));
    if (parsed.kind === 'invalid') return say(parsed.message);
    if (parsed.kind === 'form') return form(parsed);
    return locate(tools, parsed.at, {
      command: 'revoke-sa',
      goal: { do: 'revoke' },
      reason: parsed.reason,
    });
  },
};

/** Lenient about how Slack and people decorate names, strict about the names themselves. */
export function parse(text: string): Parsed {
  const { words, token } = readWords(text);
  const [word = '', ...others] = words;
  if (word === '' && !token) return { kind: 'form', token: false };
  if (word === 'help') return { kind: 'help' };
  const reason = others.join(' ').trim();
  const at = readTarget(word, { command: 'revoke-sa', usage: USAGE });
  if (token)
    return { kind: 'form', token, ...('problem' in at ? {} : { at }), ...(reason ? { reason } : {}) };
  if ('problem' in at) return { kind: 'invalid', message: at.problem };
  return { kind: 'target', at, ...(reason ? { reason } : {}) };
}

function form({ at, reason }: Extract<Parsed, { kind: 'form' }>): Reply {
  return {
    kind: 'leak-form',
    ...(at && { at: coordinates(at) }),
    ...(reason && { reason }),
  };
}
