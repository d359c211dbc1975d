// The tools of a command under test, which remember what was asked and reported.
import { commands } from '../../commands/index.ts';
import type { Finding } from '../../src/contracts/alert-source.ts';
import type { CommandTools } from '../../src/contracts/command.ts';
import type { Answer, Question } from '../../src/ports/desk.ts';

export interface TestCommandTools extends CommandTools {
  asked: Question[];
  reports: Finding[];
}

export function commandTools(
  answer: Partial<Answer> | Error = {},
  changes: Partial<CommandTools> = {},
): TestCommandTools {
  const asked: Question[] = [];
  const reports: Finding[] = [];
  return {
    asked,
    reports,
    user: 'UMAYA00001',
    channel: 'CINCIDENTS',
    clusters: ['prod', 'staging'],
    commands,
    async ask(question) {
      asked.push(question);
      if (answer instanceof Error) throw answer;
      return { found: [], near: [], problems: [], ...answer };
    },
    async report(finding) {
      reports.push(finding);
      return { incidentId: 'inc-0001', created: true };
    },
    incidents: async () => [],
    incident: async () => undefined,
    pause: async (reason) => (reason === undefined ? 'resumed' : `paused: ${reason}`),
    health: async () => [],
    ...changes,
  };
}
