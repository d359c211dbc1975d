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

/** Rooms of a folder, in order: each may import those before it, and what lies beside them. docs/architecture.md says what lives where. */
export const ROOMS = {
  'src/domain': [
    'text',
    'kubernetes',
    'token',
    'situation',
    'plan',
    'proof',
    'incident',
    'owed',
    'afterwards',
    'rules',
    'decision',
  ],
  'src/words': ['pieces', 'standing', 'card', 'thread'],
  'src/engine': ['ground', 'look', 'act', 'prove', 'decide', 'intake', 'keep', 'door'],
  'src/adapters/slack': ['mrkdwn', 'connection', 'cards', 'forms', 'delivery', 'conversation'],
} as const;

const CONTRACTS = ['src/contracts/', 'src/ports/'];
/** Parts of the configuration that know nothing of the rest of it. */
const PLAIN_CONFIG = ['src/config/redis-url.ts', 'src/config/diagnosis.ts', 'src/config/own-secrets.ts'];

const ADAPTER: Omit<Rule, 'from'> = {
  may: [
    'src/engine/',
    'src/words/',
    'src/domain/',
    ...CONTRACTS,
    'src/log.ts',
    'src/log-fields.ts',
    'package.json',
    ...PLAIN_CONFIG,
  ],
  mayType: ['src/config/file-schema.ts'],
};

/** A rule for each room, and one for what lies beside the rooms: what that may import is the same for every room. */
function roomRules(folder: keyof typeof ROOMS, outside: Omit<Rule, 'from'>, beside: string[]): Rule[] {
  const rooms = ROOMS[folder].map((room, index) => ({
    ...outside,
    from: new RegExp(`^${folder}/${room}/`),
    may: [
      ...ROOMS[folder].slice(0, index + 1).map((one) => `${folder}/${one}/`),
      ...beside.map((file) => `${folder}/${file}`),
      ...outside.may,
    ],
  }));
  return rooms;
}

/** The first rule that fits a file decides. */
const RULES: readonly Rule[] = [
  ...roomRules('src/domain', { may: [], packages: ['zod', 'yaml', 'node:crypto'] }, [
    'outcome.ts',
    'duration.ts',
  ]),
  { from: /^src\/domain\/[^/]+\.ts$/, may: [], packages: ['zod'] },
  ...roomRules('src/words', { may: ['src/domain/'], packages: [] }, []),
  ...roomRules(
    'src/engine',
    {
      may: ['src/domain/', ...CONTRACTS, 'src/log-fields.ts'],
      packages: ['node:crypto'],
    },
    [],
  ),
  { from: /^(src\/sources|src\/actions|commands)\/index\.ts$/, may: ['$1/', 'src/contracts/'] },
  {
    // A plug-in and the sub-folders of helpers beside it.
    from: /^(src\/sources|src\/actions|commands)\//,
    may: ['$1/*/', 'src/domain/', ...CONTRACTS],
  },
  ...roomRules('src/adapters/slack', ADAPTER, []),
  { ...ADAPTER, from: /^src\/adapters\/([^/]+)\//, may: ['src/adapters/$1/', ...ADAPTER.may] },
  { from: /^src\/contracts\//, may: ['src/domain/', ...CONTRACTS] },
  { from: /^src\/ports\//, may: ['src/domain/', 'src/ports/'] },
  { from: /^src\/log\.ts$/, may: ['src/domain/', 'src/log-fields.ts'] },
  { from: /^src\/config\//, may: ['src/domain/', 'src/config/'] },
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
