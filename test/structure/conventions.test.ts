// The habits hold everywhere, and each check is shown to find what it looks for.
import { describe, expect, test } from 'vitest';
import {
  MAX_FILES,
  MAX_LINES,
  readingEnvironment,
  tooFull,
  tooLong,
  withDecorators,
  withEnums,
  withoutOpening,
} from './conventions.ts';
import { filesIn, type SourceFile } from './tree.ts';

const product = filesIn(['src', 'commands'], ['.ts', '.js']);
const packages = filesIn(['packages'], ['.ts', '.js']);
const isTest = ({ path }: SourceFile): boolean => /^packages\/[^/]+\/test\//.test(path);
const sandbox = [...filesIn(['sandbox'], ['.ts', '.js']), ...packages.filter((file) => !isTest(file))];
const tests = [...filesIn(['test', 'bench'], ['.ts']), ...packages.filter(isTest)];
const all = [...product, ...sandbox, ...tests];

test('there is something to check', () => {
  for (const files of [product, sandbox, tests]) expect(files.length).toBeGreaterThan(20);
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  expect(tooLong([...product, ...sandbox, ...filesIn(['packages', 'sandbox'], ['.css', '.html'])])).toEqual(
    [],
  );
});

test(`no folder has more than ${MAX_FILES} files`, () => {
  expect(tooFull([...product, ...sandbox])).toEqual([]);
});

test('every file opens with a sentence that says why it exists', () => {
  expect(withoutOpening(all)).toEqual([]);
});

test('nothing that type stripping cannot run: decorators, enums', () => {
  expect(withDecorators(all)).toEqual([]);
  expect(withEnums(all)).toEqual([]);
});

test('only config.ts reads the environment', () => {
  expect(readingEnvironment(product)).toEqual([]);
});

describe('planted violations are found', () => {
  const file = (text: string) => [{ path: 'src/planted.ts', text }];

  test('a file that is too long, and none that is just as long as allowed', () => {
    expect(tooLong(file('x\n'.repeat(MAX_LINES)))).toEqual([]);
    expect(tooLong(file('x\n'.repeat(MAX_LINES + 1)))).toEqual([`src/planted.ts: ${MAX_LINES + 1} lines`]);
  });

  test('a folder that is too full, and none that is just as full as allowed', () => {
    const files = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ path: `src/room/file-${i}.ts`, text: '' }));
    expect(tooFull([...files(MAX_FILES), { path: 'src/room/inner/one.ts', text: '' }])).toEqual([]);
    expect(tooFull(files(MAX_FILES + 1))).toEqual([`src/room: ${MAX_FILES + 1} files`]);
  });

  test.each([
    ['no comment', 'const x = 1;\n'],
    ['an empty file', ''],
    ['two words', '// Some helpers\nconst x = 1;\n'],
    ['a block comment', '/* Why this file is here. */\n'],
    ['a pragma alone', '// @ts-check\nconst x = 1;\n'],
  ])('opening: %s', (_, text) => {
    expect(withoutOpening(file(text))).toEqual(['src/planted.ts']);
  });

  test.each([
    ['a sentence', '// Says why this is here.\n'],
    ['after a shebang', '#!/usr/bin/env node\n// Says why this is here.\n'],
    ['after a pragma', '// @ts-check\n// Says why this is here.\n'],
  ])('no opening is missed: %s', (_, text) => {
    expect(withoutOpening(file(text))).toEqual([]);
  });

  test.each([
    '@sealed\nclass A {}',
    'class A {\n  @bound() run() {}\n}',
    '  @log.all\n  run() {}',
    '@sealed class A {}',
  ])('decorator: %s', (text) => {
    expect(withDecorators(file(text))).toEqual(['src/planted.ts']);
  });

  test('no decorator is seen in comments and strings', () => {
    const text =
      "/**\n * @param name\n */\n// @ts-expect-error\nconst at = 'a@b';\nconst mention = '<@U1>';\n";
    expect(withDecorators(file(text))).toEqual([]);
  });

  test.each(['enum A { B }', 'export enum A {}', 'export const enum A {}', 'declare enum A {}'])(
    'enum: %s',
    (text) => {
      expect(withEnums(file(text))).toEqual(['src/planted.ts']);
    },
  );

  test('no enum is seen in z.enum and comments', () => {
    expect(withEnums(file("const x = z.enum(['a']);\n// enum A\nconst enumerate = 1;\n"))).toEqual([]);
  });

  test.each([
    'const x = process.env.HOME;',
    "const x = process['env'];",
    'const x = process?.env;',
    'const { env } = process;',
    "import { env } from 'node:process';",
  ])('environment: %s', (text) => {
    expect(readingEnvironment(file(text))).toEqual(['src/planted.ts']);
  });

  test('config.ts may, and a comment is no reading', () => {
    expect(readingEnvironment([{ path: 'src/config/config.ts', text: 'process.env' }])).toEqual([]);
    expect(
      readingEnvironment(file('// process.env is read elsewhere\nconst env = 1; process.exit(env);')),
    ).toEqual([]);
  });
});
