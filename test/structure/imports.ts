// What a TypeScript file imports, read from its text: enough for our own code, which imports in one style.
import { posix } from 'node:path';
import type { SourceFile } from './tree.ts';

export interface Import {
  /** A path from the root of the repository, or the name of a package. */
  target: string;
  own: boolean;
  typeOnly: boolean;
}

const FROM = /^(?:import|export)\s+(type\s+)?([\w$*{},\s]+?)\s+from\s*['"]([^'"]+)['"]/gm;
const FOR_EFFECT = /^import\s*['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*(?:['"]([^'"]+)['"])?/g;
const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** An import whose target is computed comes back as the target `?`, which no rule allows. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const code = text.replaceAll(COMMENTS, '');
  const found = (target: string, typeOnly = false): Import => {
    const own = /^[./?]/.test(target);
    return { target: own ? posix.join(posix.dirname(path), target) : target, own, typeOnly };
  };
  return [
    ...code
      .matchAll(FROM)
      .map(([, type, names = '', target = '']) => found(target, type !== undefined || onlyTypes(names))),
    ...code.matchAll(FOR_EFFECT).map(([, target = '']) => found(target)),
    ...code.matchAll(DYNAMIC).map(([, target = '?']) => found(target)),
  ];
}

function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  return inner.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}
