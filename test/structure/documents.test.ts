// What the documents say and what the code does are the same: commands, variables, settings and their defaults.
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig, parseFileConfig } from '../../src/config/config.ts';
import { fileSchema } from '../../src/config/file-schema.ts';
import { duration } from '../../src/domain/duration.ts';
import { isAppError } from '../../src/errors.ts';
import { sources } from '../../src/sources/index.ts';
import { filesIn, read, type SourceFile } from './tree.ts';

describe('README.md', () => {
  test('tells the two commands, exactly', () => {
    const blocks = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = '']) =>
      code.trim(),
    );
    expect(blocks).toContain('npm ci && npm run demo');
    expect(blocks).toContain('npm ci && npm test');
  });
});

describe('links', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    ...filesIn(['docs', 'packages'], ['.md']).map(({ path }) => path),
  ];

  test.each(documents)('of %s lead to files that exist', (path) => {
    expect(linksOf({ path, text: read(path) }).filter((link) => !exists(link))).toEqual([]);
  });

  test.each(documents)('files that %s names exist', (path) => {
    expect(filesNamed(read(path)).filter((file) => !exists(file))).toEqual([]);
  });

  test('a file that is named and gone would be seen', () => {
    expect(filesNamed('See `test/gone.test.ts`, `src/config/config.ts` and `npm test`.')).toEqual([
      'test/gone.test.ts',
      'src/config/config.ts',
    ]);
    expect(exists('test/gone.test.ts')).toBe(false);
  });

  test('that lead nowhere would be seen', () => {
    const text = 'See [a](../README.md), [b](gone.md#part) and [c](https://example.com).';
    const links = linksOf({ path: 'docs/here.md', text });
    expect(links).toEqual(['README.md', 'docs/gone.md']);
    expect(links.map(exists)).toEqual([true, false]);
  });
});

/** Ours, by their path from the root of the repository. */
const filesNamed = (text: string): string[] =>
  [...text.matchAll(/`((?:src|test|bench|packages|sandbox|docs|helm|commands)\/[\w./-]+\.\w+)`/g)].map(
    ([, path = '']) => path,
  );

/** Of files, from the root of the repository. */
const linksOf = ({ path, text }: SourceFile): string[] =>
  [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) =>
    posix.join(posix.dirname(path), link),
  );

function exists(path: string): boolean {
  try {
    return read(path) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR';
  }
}

describe('.env.example', () => {
  test('names exactly the variables that config.ts reads, and one for each source', () => {
    const named = variablesNamed(read('.env.example'));
    const expected = [...variablesRead(), ...sources.map(({ name }) => variableOf(name))];
    expect(named).toEqual(expected.toSorted());
  });

  test('a variable too many or too few would be seen', () => {
    expect(variablesNamed('# A comment.\nA=1\n# B_C=\n#D=\nnot a line\n')).toEqual(['A', 'B_C', 'D']);
    expect(variablesRead()).toEqual(
      expect.arrayContaining(['REDIS_URL', 'TOURNIQUET_CONFIG', 'TOURNIQUET_KEY']),
    );
  });
});

/** Set or commented out. */
const variablesNamed = (text: string): string[] =>
  [...text.matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name).toSorted();

const variableOf = (source: string): string =>
  `TOURNIQUET_SOURCE_${source.toUpperCase().replaceAll('-', '_')}`;

/** Asked of the real code; NAME_FILE goes with NAME and is not told apart. */
function variablesRead(): string[] {
  const asked = new Set<string>();
  const environment = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get(_, name) {
        asked.add(String(name).replace(/_FILE$/, ''));
        return undefined;
      },
    },
  );
  try {
    loadConfig('all', environment);
  } catch (error) {
    if (!isAppError(error, 'bad-config')) throw error;
  }
  return [...asked].toSorted();
}

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
}

const schema = z.toJSONSchema(fileSchema, { io: 'input' }) as Schema;

/** Every setting by its path: `clusters[].name`. A list of plain values is one setting. */
function settings(
  { properties = {}, required = [] }: Schema,
  prefix = '',
): { path: string; required: boolean }[] {
  return Object.entries(properties).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    if (inner.properties) return settings(inner, `${path}.`);
    if (inner.items?.properties) return settings(inner.items, `${path}[].`);
    return [{ path, required: required.includes(name) }];
  });
}

describe('tourniquet.example.yaml', () => {
  const example: unknown = parse(read('tourniquet.example.yaml'));

  test('is a valid configuration', () => {
    const problems: string[] = [];
    parseFileConfig(example, 'tourniquet.example.yaml', problems);
    expect(problems).toEqual([]);
  });

  test('shows every top-level key', () => {
    expect(Object.keys(example as object).toSorted()).toEqual(
      Object.keys(schema.properties ?? {}).toSorted(),
    );
  });

  test('a key that does not exist would be refused', () => {
    const problems: string[] = [];
    parseFileConfig({ ...(example as object), autoContian: 'off' }, 'example', problems);
    expect(problems).toEqual([expect.stringContaining('autoContian')]);
  });
});

interface Row {
  path: string;
  byDefault: string;
}

/** Rows of the tables: | `path` | type | `default` or a word | meaning | */
const rows = (text: string): Row[] =>
  [...text.matchAll(/^\| `([a-z][\w.[\]]*)` \| [^|]+ \| ([^|]+) \|/gm)].map(
    ([, path = '', byDefault = '']) => ({
      path,
      byDefault: byDefault.trim(),
    }),
  );

/** Everything left out that may be. */
const defaults = parseFileConfig(
  {
    slack: { channel: 'C012ABCDEF' },
    people: { approvers: ['U012ABCDEF'] },
    clusters: [
      {
        name: 'prod',
        apiServers: [{ url: 'https://192.0.2.1' }],
        control: { namespace: 'a', serviceAccount: 'b' },
      },
    ],
  },
  'the smallest file',
  [],
);

function defaultOf(path: string): unknown {
  return path
    .replaceAll('[]', '.0')
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], defaults);
}

/** What a table says, as the program has it: durations in milliseconds. */
function documented(text: string): unknown {
  const written: unknown = text === 'none' ? undefined : parse(text.replaceAll('`', ''));
  const inMs = (value: unknown): unknown => duration.safeParse(value).data ?? value;
  return Array.isArray(written) ? written.map(inMs) : inMs(written);
}

describe('docs/configuration.md', () => {
  const table = rows(read('docs/configuration.md'));

  test('has one row for every setting, and none for what is not there', () => {
    const paths = settings(schema).map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(25);
    expect(table.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
  });

  test.each(settings(schema))('$path has the default that the document says', ({ path, required }) => {
    const said = table.find((row) => row.path === path)?.byDefault;
    if (required) expect(said).toBe('required');
    else expect(documented(said ?? '')).toEqual(defaultOf(path));
  });

  test('a wrong default would be seen', () => {
    expect(rows('| `a.b[].c` | duration | `5m` | How long. |\n')).toEqual([
      { path: 'a.b[].c', byDefault: '`5m`' },
    ]);
    expect(documented('`5m`')).toBe(300_000);
    expect(documented('`[5m, 1h]`')).toEqual([300_000, 3_600_000]);
    expect(documented('none')).toBeUndefined();
    expect(defaultOf('clusters[].timeout')).toBe(10_000);
  });
});
