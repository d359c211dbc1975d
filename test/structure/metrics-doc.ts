// Writes the table of metrics in docs/observability.md anew, from their definitions: node test/structure/metrics-doc.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFINITIONS, type Definition } from '../../src/adapters/prometheus/definitions.ts';
import { ROOT, read } from './tree.ts';

const PATH = 'docs/observability.md';
const BEGIN = '<!-- Generated, so do not edit it: node test/structure/metrics-doc.ts -->\n';
const END = '<!-- End of what is generated. -->\n';

/** The document with its table as the definitions say. */
export function withTable(text: string): string {
  const [before = '', rest = ''] = text.split(BEGIN);
  return `${before}${BEGIN}${table()}${END}${rest.split(END)[1] ?? ''}`;
}

const table = (): string =>
  [
    '| Metric | Kind | Labels | Meaning |',
    '|---|---|---|---|',
    ...Object.entries<Definition>(DEFINITIONS).map(
      ([name, { kind, labels, help, shared }]) =>
        `| \`${name}\` | ${kind}${shared ? ', shared' : ''} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    ),
    '',
  ].join('\n');

export const document = (): string => read(PATH);

if (import.meta.main) writeFileSync(join(ROOT, PATH), withTable(document()));
