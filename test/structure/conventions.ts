// Habits that neither the compiler nor the linter checks, as pure functions over a file's text.
import type { SourceFile } from './tree.ts';

export const MAX_LINES = 250;
export const MAX_FILES = 20;

const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const code = (text: string): string => text.replaceAll(COMMENTS, '');
const where = (files: readonly SourceFile[], broken: (file: SourceFile) => boolean): string[] =>
  files.filter(broken).map(({ path }) => path);

export const tooLong = (files: readonly SourceFile[]): string[] =>
  files
    .map(({ path, text }) => ({ path, lines: text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines`);

/** Folders with more files than somebody keeps in mind. */
export function tooFull(files: readonly SourceFile[]): string[] {
  const counted = new Map<string, number>();
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counted.set(folder, (counted.get(folder) ?? 0) + 1);
  }
  return [...counted]
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => `${folder}: ${count} files`);
}

/** The first line, after a `#!` or a TypeScript pragma, is a comment that says why the file exists. */
export const withoutOpening = (files: readonly SourceFile[]): string[] =>
  where(files, ({ text }) => {
    const first = text.split('\n').find((line) => !line.startsWith('#!') && line !== '// @ts-check') ?? '';
    return !/^\/\/ \S+( \S+){2,}/.test(first);
  });

/** TypeScript passes decorators, and Node crashes on them. */
export const withDecorators = (files: readonly SourceFile[]): string[] =>
  where(files, ({ text }) =>
    /^\s*@[A-Za-z_$][\w$.]*(\(|\s*$|\s+(export|class|static|readonly|get|set)\b)/m.test(code(text)),
  );

export const withEnums = (files: readonly SourceFile[]): string[] =>
  where(files, ({ text }) => /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/m.test(code(text)));

/** Only config.ts may read the environment; in whatever way it is written. */
export const readingEnvironment = (files: readonly SourceFile[]): string[] =>
  where(
    files.filter(({ path }) => path !== 'src/config/config.ts'),
    ({ text }) =>
      /\bprocess\s*(\?\.|\.|\[\s*['"])\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|\{[^}]*\benv\b[^}]*\}\s*from\s*['"](node:)?process['"]/.test(
        code(text),
      ),
  );
