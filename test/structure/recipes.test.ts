// The recipes of docs/recipes.md cannot rot: their code is compiled, and their tests are run, as if it had been added here.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundaryViolations } from './boundaries.ts';
import { withoutOpening } from './conventions.ts';
import { ROOT, read, type SourceFile } from './tree.ts';

const run = promisify(execFile);
const BIN = join(ROOT, 'node_modules', '.bin');
const LONG_MS = 120_000;

/** Code blocks that begin with ```ts recipe:<path>. */
const recipesIn = (text: string): SourceFile[] =>
  [...text.matchAll(/^```ts recipe:(\S+)\n([\s\S]*?)^```$/gm)].map(([, path = '', code = '']) => ({
    path,
    text: code,
  }));

const recipes = recipesIn(read('docs/recipes.md'));
const tests = recipes.filter(({ path }) => path.endsWith('.test.ts'));
let folder: string;

/** The repository again, made of links, with real folders where a recipe goes. */
function mirror(from: string, to: string, paths: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  const below = Map.groupBy(paths, (path) => path.split('/')[0] ?? '');
  for (const name of existsSync(from) ? readdirSync(from) : [])
    if (!below.has(name) && name !== 'node_modules' && !name.startsWith('.'))
      symlinkSync(join(from, name), join(to, name));
  for (const [name, inner] of below)
    if (!inner.includes(name))
      mirror(
        join(from, name),
        join(to, name),
        inner.map((path) => path.slice(name.length + 1)),
      );
}

beforeAll(() => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.cache', 'recipes-'));
  mirror(
    ROOT,
    folder,
    recipes.map(({ path }) => path),
  );
  for (const { path, text } of recipes) writeRecipe(path, text);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeRecipe(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** What the compiler says of these files; empty when it is content. */
async function compile(paths: readonly string[]): Promise<string> {
  const config = join(folder, 'recipes.json');
  writeFileSync(config, JSON.stringify({ extends: './tsconfig.json', include: [], files: paths }));
  return await run(join(BIN, 'tsc'), ['--noEmit', '-p', config]).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}

interface Report {
  numPassedTests: number;
  testResults: { name: string; message: string; assertionResults: { failureMessages: string[] }[] }[];
}

describe('the recipes of docs/recipes.md', () => {
  test('are a command, a source and an action, each with its test', () => {
    expect(recipes.map(({ path }) => dirname(path))).toEqual([
      'commands',
      'test/commands',
      'src/sources',
      'test/sources',
      'src/actions',
      'test/actions',
    ]);
  });

  test('keep to the boundaries and open with a sentence', () => {
    expect(boundaryViolations(recipes.filter((recipe) => !tests.includes(recipe)))).toEqual([]);
    expect(withoutOpening(recipes)).toEqual([]);
  });

  test('compile', { timeout: LONG_MS }, async () => {
    expect(await compile(recipes.map(({ path }) => path))).toBe('');
  });

  test('would not compile with a mistake in them', { timeout: LONG_MS }, async () => {
    const text = recipes.find(({ path }) => path.startsWith('commands/'))?.text ?? '';
    writeRecipe('commands/mistaken.ts', text.replace('tools.ask(', 'tools.guess('));
    expect(await compile(['commands/mistaken.ts'])).toMatch(/commands\/mistaken\.ts.*guess/);
    rmSync(join(folder, 'commands/mistaken.ts'));
  });

  test('pass their own tests', { timeout: LONG_MS }, async () => {
    const file = join(folder, 'report.json');
    const options = ['--root', folder, '--reporter=json', `--outputFile.json=${file}`];
    const paths = tests.map(({ path }) => path);
    await run(join(BIN, 'vitest'), ['run', ...options, ...paths]).catch(() => undefined);
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const failures = report.testResults.flatMap(({ message, assertionResults }) => [
      ...(message ? [message] : []),
      ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
    ]);
    expect(failures).toEqual([]);
    expect(report.testResults.map(({ name }) => name.slice(folder.length + 1)).toSorted()).toEqual(
      paths.toSorted(),
    );
    expect(report.numPassedTests).toBeGreaterThanOrEqual(6);
  });
});

test('only blocks that are marked are taken as recipes', () => {
  const text = '```ts\nnot this\n```\n\n```ts recipe:a/b.ts\nthis\n```\n';
  expect(recipesIn(text)).toEqual([{ path: 'a/b.ts', text: 'this\n' }]);
});
