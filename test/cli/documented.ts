// The JSON that docs/cli.md promises, as paths of keys, to compare with what a command prints.
import { read } from '../structure/tree.ts';

/** `steps[].kubectl[]`: each path once. */
export function keyPaths(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((inner) => keyPaths(inner, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...keyPaths(inner, here)];
  });
}

/** Of the block ```json keys:<command>. */
export function documentedKeys(command: string): string[] {
  const block = new RegExp(`\`\`\`json keys:${command}\\n([\\s\\S]*?)\`\`\``).exec(read('docs/cli.md'))?.[1];
  if (block === undefined) throw new Error(`docs/cli.md has no JSON of ${command}.`);
  return keyPaths(JSON.parse(block));
}
