// What lies in packages/ could be published: it knows nothing of what is around it, and is entered by its exports alone.
import { posix } from 'node:path';
import { type Import, importsOf } from './imports.ts';
import type { SourceFile } from './tree.ts';

export interface Package {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  exports?: Record<string, string>;
}

/** Packages by their folder, like packages/slack-sandbox. */
export type Packages = Record<string, Package>;

/** A path from the file itself, as `new URL` and `import.meta.resolve` take it. */
const NEAR = /(?:new URL|import\.meta\.resolve)\(\s*['"`](\.[^'"`]*)['"`]/g;

/** One sentence for each file that leaves its package, or enters another but by its exports. */
export function packageViolations(files: readonly SourceFile[], packages: Packages): string[] {
  return files.flatMap((file) => {
    const home = homeOf(file.path, packages);
    const targets = [...importsOf(file), ...filesNear(file)];
    const refused = (one: Import): boolean =>
      one.own ? homeOf(one.target, packages) !== home : !mayImport(file.path, home, one.target, packages);
    return [
      ...targets.filter(refused).map(({ target }) => `${file.path} reaches ${target}`),
      ...(home === undefined ? [] : testsInSource(file.path, home, targets)),
    ];
  });
}

const homeOf = (path: string, packages: Packages): string | undefined =>
  Object.keys(packages).find((folder) => path === folder || path.startsWith(`${folder}/`));

const filesNear = ({ path, text }: SourceFile): Import[] =>
  [...text.matchAll(NEAR)].map(([, near = '']) => ({
    target: posix.join(posix.dirname(path), near),
    own: true,
    typeOnly: false,
  }));

/** Outside of packages/, what else may be imported is for other rules to say. */
function mayImport(path: string, home: string | undefined, target: string, packages: Packages): boolean {
  const [name, entry] = nameAndEntry(target);
  const entered = Object.values(packages).find((one) => one.name === name);
  if (entered !== undefined && !(entry in (entered.exports ?? {}))) return false;
  const manifest = home === undefined ? undefined : packages[home];
  if (manifest === undefined || target.startsWith('node:')) return true;
  const { dependencies, devDependencies } = manifest;
  return name in { ...dependencies, ...(path.startsWith(`${home}/src/`) ? {} : devDependencies) };
}

/** `@slack/bolt/x` is `@slack/bolt` and `./x`; an entry of a package is a key of its exports. */
function nameAndEntry(target: string): [name: string, entry: string] {
  const words = target.split('/');
  const name = words.slice(0, target.startsWith('@') ? 2 : 1).join('/');
  return [name, target === name ? '.' : `.${target.slice(name.length)}`];
}

const testsInSource = (path: string, home: string, targets: readonly Import[]): string[] =>
  targets
    .filter(({ own, target }) => own && path.startsWith(`${home}/src/`) && target.startsWith(`${home}/test/`))
    .map(({ target }) => `${path} reaches its test ${target}`);
