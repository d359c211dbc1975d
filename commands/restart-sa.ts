// `/restart-sa`: replaces exactly the Pods that use a ServiceAccount or its tokens, in waves.
import type { Command } from '../src/contracts/command.ts';
import type { Goal } from '../src/domain/plan/goal.ts';
import { helpOf } from './text/help.ts';
import { locate, say } from './text/locate.ts';
import { parseRequest } from './text/request.ts';

const USAGE = '[cluster/]namespace/name [--dry-run] [--all] [reason]';

export const restartSa: Command = {
  name: 'restart-sa',
  help: {
    summary: 'Replace the Pods that use a ServiceAccount, in waves, and nothing else. Alone it opens a form.',
    usage: USAGE,
    whoCanUse: 'Everybody in this workspace, except guests. The plan needs an approver.',
    examples: ['/restart-sa', '/restart-sa payments/api', '/restart-sa prod/payments/api --dry-run'],
  },
  async run(tools, text) {
    const parsed = parseRequest(text, { command: 'restart-sa', usage: USAGE, strategies: false });
    if (parsed.kind === 'help') return say(helpOf(restartSa));
    if (parsed.kind === 'form') return { kind: 'request-form', command: 'restart-sa', ways: false };
    if (parsed.kind === 'invalid') return say(parsed.message);
    const { at, dryRun, all, reason } = parsed.request;
    const goal: Goal = { do: 'restart', ...(dryRun && { dryRun }), ...(all && { consent: all }) };
    return locate(tools, at, { command: 'restart-sa', goal, reason });
  },
};
