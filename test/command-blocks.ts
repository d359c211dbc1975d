// The commands that the documents show, taken from them, so that a test types what a reader would.
import { read } from './structure/tree.ts';

export interface CommandBlock {
  document: string;
  /** From the comment before it: <!-- block: name -->. */
  name: string | undefined;
  language: string;
  text: string;
}

/** Every fenced block of these languages, with what an indented one is indented by taken off. */
export function commandBlocks(
  document: string,
  text = read(document),
  languages = ['sh', 'yaml'],
): CommandBlock[] {
  const fences =
    /(?:^ *<!-- block: (?<name>[\w-]+) -->\n(?:^ *\n)?)?^(?<indent> *)```(?<language>\w+)\n(?<body>[\s\S]*?)^\k<indent>```/gm;
  return [...text.matchAll(fences)].flatMap(({ groups = {} }) => {
    const { name, indent = '', language = '', body = '' } = groups;
    if (!languages.includes(language)) return [];
    return [{ document, name, language, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }];
  });
}

/** One of them by its name. */
export function commandBlock(document: string, name: string): string {
  const block = commandBlocks(document).find((one) => one.name === name);
  if (block === undefined) throw new Error(`${document} has no block named ${name}.`);
  return block.text;
}
