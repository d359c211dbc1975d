// Reads YAML and says what is wrong with it where it stands: file, line, key, and what to write instead.
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** The line on which a path of keys begins, or the nearest above it that is there. */
export type Lines = (path: readonly PropertyKey[]) => number | undefined;

export interface ReadYaml {
  raw: unknown;
  /** Undefined where the text is no YAML; the problems say so. */
  lines: Lines | undefined;
}

export function readYaml(text: string, path: string, problems: string[]): ReadYaml {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  if (document.errors.length > 0) {
    problems.push(...document.errors.map((error) => `${path}: ${error.message.split('\n')[0]}`));
    return { raw: undefined, lines: undefined };
  }
  const lines: Lines = (keys) => {
    for (let length = keys.length; length > 0; length--) {
      const node = document.getIn(keys.slice(0, length), true) as
        | { range?: [number, ...unknown[]] }
        | undefined;
      if (node?.range) return counter.linePos(node.range[0]).line;
    }
    return undefined;
  };
  return { raw: document.toJS(), lines };
}

type Issue = z.core.$ZodIssue;

export function tellIssues(issues: readonly Issue[], file: string, problems: string[], lines?: Lines): void {
  for (const issue of issues.flatMap(innermost)) {
    const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    const line = lines?.(keys);
    const where = issue.path.length > 0 ? issue.path.join('.') : '(top level)';
    problems.push(`${file}: ${line === undefined ? '' : `line ${line}: `}${where}: ${issue.message}`);
  }
}

/** Of the ways to write something, the one that was meant: it complains about a part, and not about the whole. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((branch) =>
    branch.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return meant ? meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) : [issue];
}
