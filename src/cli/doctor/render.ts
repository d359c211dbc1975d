// The findings as people read them: grouped, one line each, what to do below, and a summary at the end.
import type { Role } from '../../config/config.ts';
import type { Diagnosis, DiagnosisStatus } from '../../config/diagnosis.ts';

/** What `--json` prints; `version` changes where a field is taken away or means something else. */
export interface Report {
  version: 1;
  role: Role;
  summary: { fine: number; warning: number; broken: number; notChecked: number };
  groups: { group: string; checks: Diagnosis[] }[];
}

const MARKS: Record<DiagnosisStatus, string> = {
  fine: 'fine     ',
  warning: 'WARNING  ',
  broken: 'BROKEN   ',
  'not-checked': '-        ',
};
const INDENT = ' '.repeat(13);

export function renderPeople({ role, summary, groups }: Report): string {
  const sections = groups.map(({ group, checks }) => [group, ...checks.map(line)].join('\n'));
  const { fine, warning, broken, notChecked } = summary;
  const counts = `${broken} broken, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${fine} fine, ${notChecked} not checked (role ${role})`;
  return `${sections.join('\n\n')}\n\n${counts}\n`;
}

function line({ name, status, seen, remedy }: Diagnosis): string {
  const below = (remedy ?? '').split('\n').map((row, i) => `${INDENT}${i === 0 ? '→ ' : '  '}${row}`);
  return [`  ${MARKS[status]}  ${name}: ${seen}`, ...(remedy ? below : [])].join('\n');
}
