// The repository as the structure tests see it: pairs of path and text, so that every rule can also be fed planted violations.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  path: string;
  text: string;
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every file below these folders whose name ends so, but what was installed or built there. */
export function filesIn(folders: readonly string[], endings: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((path) => !/\/(node_modules|\.cache)\//.test(path))
      .sort()
      .map((path) => ({ path, text: read(path) })),
  );
}
