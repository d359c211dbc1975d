// `/rotate-sa`: gives the workloads of a ServiceAccount something new, and retires the old with proof.
import type { Command } from '../src/contracts/command.ts';
import type { Goal } from '../src/domain/plan/goal.ts';
import { helpOf } from './text/help.ts';
import { locate, say } from './text/locate.ts';
import { parseRequest } from './text/request.ts';

const USAGE = '[cluster/]namespace/name [strategy] [--dry-run] [--all] [reason]';

export const rotateSa: Command = {
  name: 'rotate-sa',
  help: {
    summary:
      'Give the workloads of a ServiceAccount a new identity or token, and retire the old one with proof. Alone it opens a form.',
    usage: USAGE,
    whoCanUse: 'Everybody in this workspace, except guests. The plan needs an approver.',
    examples: [
      '/rotate-sa',
      '/rotate-sa payments/api',
      '/rotate-sa prod/payments/api new-secret yearly rotation',
      '/rotate-sa payments/api recreate --dry-run',
    ],
  },
  async run(tools, text) {
    const parsed = parseRequest(text, { command: 'rotate-sa', usage: USAGE, strategies: true });
    if (parsed.kind === 'help') return say(helpOf(rotateSa));
    if (parsed.kind === 'form') return { kind: 'request-form', command: 'rotate-sa', ways: true };
    if (parsed.kind === 'invalid') return say(parsed.message);
    const { at, strategy, dryRun, all, reason } = parsed.request;
    const goal: Goal = {
      do: 'rotate',
      ...(strategy && { strategy }),
      ...(dryRun && { dryRun }),
      ...(all && { consent: all }),
    };
    return locate(tools, at, { command: 'rotate-sa', goal, reason });
  },
};
