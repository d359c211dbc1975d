// Who may import whom: imports point inwards, and one plug-in or adapter never knows another.
import { type Import, importsOf } from './imports.ts';
import type { SourceFile } from './tree.ts';

interface Rule {
  from: RegExp;
  /** What may be imported; $1 and so on are what `from` captured. */
  may: string[];
  /** What may be imported as types alone. */
  mayType?: string[];
  /** The only packages, where not every package is fine. */
  packages?: string[];
}

/** May be imported from everywhere. */
const EVERYWHERE = ['src/errors.ts', 'src/secret.ts'];

/** The first rule that fits a file decides. */
const RULES: readonly Rule[] = [
  { from: /^src\/domain\//, may: ['src/domain/'], packages: ['zod', 'yaml', 'node:crypto'] },
  { from: /^src\/words\//, may: ['src/words/', 'src/domain/'], packages: [] },
  {
    from: /^src\/engine\//,
    may: [
      'src/engine/',
      'src/domain/',
      'src/contracts.ts',
      'src/ports.ts',
      'src/ports/witness.ts',
      'src/log-fields.ts',
    ],
    packages: ['node:crypto'],
  },
  { from: /^(src\/sources|src\/actions|commands)\/index\.ts$/, may: ['$1/', 'src/contracts.ts'] },
  {
    // A plug-in and the sub-folders of helpers beside it.
    from: /^(src\/sources|src\/actions|commands)\//,
    may: ['$1/*/', 'src/domain/', 'src/contracts.ts', 'src/ports.ts'],
  },
  {
    from: /^src\/adapters\/([^/]+)\//,
    may: [
      'src/adapters/$1/',
      'src/engine/',
      'src/words/',
      'src/domain/',
      'src/contracts.ts',
      'src/ports.ts',
      'src/ports/witness.ts',
      'src/log.ts',
      'src/log-fields.ts',
      'package.json',
    ],
    mayType: ['src/config/config.ts', 'src/config/file-schema.ts'],
  },
  { from: /^src\/contracts\.ts$/, may: ['src/domain/', 'src/ports.ts'] },
  { from: /^src\/(ports|witness)\.ts$/, may: ['src/domain/'] },
  { from: /^src\/log\.ts$/, may: ['src/domain/', 'src/log-fields.ts'] },
  {
    from: /^src\/config(-secrets|-schema)?\.ts$/,
    may: ['src/domain/', 'src/config/secrets.ts', 'src/config/file-schema.ts'],
  },
  { from: /^src\/(errors|secret|every|log-fields)\.ts$/, may: [] },
  {
    from: /^src\/main\.ts$/,
    may: ['src/config/config.ts', 'src/log.ts', 'src/compose.ts', 'src/domain/text/scrub.ts'],
  },
  { from: /^src\/(compose\.ts$|compose\/|cli\/)/, may: ['src/', 'commands/', 'package.json'] },
];

/** One sentence for each import that points the wrong way. */
export function boundaryViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const rule = RULES.find(({ from }) => from.test(file.path));
    if (rule === undefined)
      return [`${file.path}: no rule says what it may import; add one to boundaries.ts`];
    return importsOf(file)
      .filter((one) => !allowed(rule, file.path, one))
      .map(({ target }) => `${file.path} imports ${target}`);
  });
}

function allowed(rule: Rule, path: string, { target, own, typeOnly }: Import): boolean {
  if (isSandbox(target)) return false;
  if (!own) return rule.packages === undefined || rule.packages.includes(target);
  const captured = rule.from.exec(path) ?? [];
  const targets = [...EVERYWHERE, ...rule.may, ...(typeOnly ? (rule.mayType ?? []) : [])];
  return targets.some((pattern) => matches(pattern.replace('$1', captured[1] ?? ''), target));
}

/** The packages of packages/ are for tests and the demo. */
const isSandbox = (target: string): boolean => /^(packages\/)?(slack|kube)-sandbox(\/|$)/.test(target);

/** A folder with its final slash, a folder with any one below it, or a file. */
function matches(pattern: string, target: string): boolean {
  if (pattern.endsWith('/*/')) {
    const folder = pattern.slice(0, -2);
    return target.startsWith(folder) && target.slice(folder.length).includes('/');
  }
  return pattern.endsWith('/') ? target.startsWith(pattern) : target === pattern;
}
