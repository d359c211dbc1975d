// A plug-in that is in no registry does nothing and nobody notices: every file beside an index is in it.
import { expect, test } from 'vitest';
import { importsOf } from './imports.ts';
import { filesIn, type SourceFile } from './tree.ts';

const REGISTRIES = ['src/sources', 'src/actions', 'commands'];

/** Siblings of an index that it does not import. Sub-folders hold helpers. */
function unregistered(folder: string, files: readonly SourceFile[]): string[] {
  const index = files.find(({ path }) => path === `${folder}/index.ts`);
  const imported = new Set(index && importsOf(index).map(({ target }) => target));
  return files
    .map(({ path }) => path)
    .filter((path) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/'))
    .filter((path) => path !== index?.path && !imported.has(path));
}

test.each(REGISTRIES)('every file in %s is in its index; helpers live in a sub-folder', (folder) => {
  const files = filesIn([folder], ['.ts']);
  expect(files.length).toBeGreaterThan(2);
  expect(unregistered(folder, files)).toEqual([]);
});

test('a file that was forgotten is named', () => {
  const files = [
    {
      path: 'commands/index.ts',
      text: "import { ping } from './ping.ts';\nexport const commands = [ping];\n",
    },
    { path: 'commands/ping.ts', text: '' },
    { path: 'commands/forgotten.ts', text: '' },
    { path: 'commands/text/help.ts', text: '' },
  ];
  expect(unregistered('commands', files)).toEqual(['commands/forgotten.ts']);
  expect(unregistered('commands', files.slice(1))).toEqual(['commands/ping.ts', 'commands/forgotten.ts']);
});
