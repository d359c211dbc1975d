// The Dockerfile as data, and what must hold for it; without an engine, this is how the image is looked at.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read } from './tree.ts';

export interface Instruction {
  keyword: string;
  text: string;
}

export interface Stage {
  base: string;
  name: string | undefined;
  instructions: Instruction[];
}

export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, keyword = '', text = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') {
      const [base = '', , name] = text.split(/\s+/);
      stages.push({ base, name, instructions: [] });
    } else stages.at(-1)?.instructions.push({ keyword, text });
  }
  return stages;
}

export const textsOf = ({ instructions }: Stage, keyword: string): string[] =>
  instructions.filter((one) => one.keyword === keyword).map(({ text }) => text);

/** `["node", "x"]`; undefined where a shell would be needed. */
export function execForm(text: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((one) => typeof one === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export const healthCommand = (stage: Stage): string[] | undefined =>
  execForm(/\bCMD\s+(.*)$/.exec(textsOf(stage, 'HEALTHCHECK')[0] ?? '')?.[1] ?? '');

export interface Copied {
  sources: string[];
  target: string;
}

/** What this stage takes from the repository, not from another stage. */
export const copiedFrom = (stage: Stage): Copied[] =>
  ['COPY', 'ADD']
    .flatMap((keyword) => textsOf(stage, keyword))
    .filter((text) => !text.startsWith('--from='))
    .map((text) => text.split(/\s+/).filter((word) => !word.startsWith('--')))
    .map((words) => ({ sources: words.slice(0, -1), target: words.at(-1) ?? '' }));

/** Only the way of writing .dockerignore that we use: everything is left out but what is named. */
export const isSent = (ignore: string, path: string): boolean =>
  ignore.split('\n').includes('*') && ignore.split('\n').includes(`!${path.split('/')[0]}`);

/** Files of the repository that a stage holds, as [path here, path below WORKDIR]. */
export function filesOf(stage: Stage, ignore = read('.dockerignore')): [string, string][] {
  return copiedFrom(stage).flatMap(({ sources, target }) =>
    sources.flatMap((source): [string, string][] => {
      if (!isSent(ignore, source)) throw new Error(`${source} is copied, but .dockerignore leaves it out.`);
      if (!statSync(join(ROOT, source)).isDirectory()) return [[source, join(target, source)]];
      return readdirSync(join(ROOT, source), { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
        .map((path): [string, string] => [path, join(target, path.slice(source.length))]);
    }),
  );
}

/** What is wrong with it, in words. */
export function dockerfileProblems(stages: readonly Stage[]): string[] {
  const last = stages.at(-1);
  if (last === undefined) return ['there is no FROM'];
  const user = textsOf(last, 'USER').at(-1) ?? '';
  return [
    ...stages.flatMap(({ base }) => baseProblems(base)),
    ...(/^[1-9]\d*(:[1-9]\d*)?$/.test(user)
      ? []
      : [`USER ${user}: not the number of somebody other than root`]),
    ...(execForm(textsOf(last, 'ENTRYPOINT').at(-1) ?? '') ? [] : ['ENTRYPOINT is not in exec form']),
    ...(healthCommand(last) ? [] : ['HEALTHCHECK is missing or not in exec form']),
    ...(textsOf(last, 'CMD').every(execForm) ? [] : ['CMD is not in exec form']),
    ...(textsOf(last, 'RUN').length === 0 ? [] : ['RUN in the last stage leaves its tools behind']),
    ...stages.flatMap((stage) =>
      ['ARG', 'ENV']
        .flatMap((keyword) => textsOf(stage, keyword))
        .filter((text) => /TOKEN|SECRET|PASSWORD|_KEY/i.test(text))
        .map((text) => `${text}: a secret would stay in the image`),
    ),
  ];
}

function baseProblems(base: string): string[] {
  const [, registry, tag] = /^(?:([^/]*[.:][^/]*)\/)?[^:]+(?::(.+))?$/.exec(base) ?? [];
  return [
    ...(registry === undefined ? [] : [`${base}: names a registry`]),
    ...(tag === undefined || tag === 'latest' ? [`${base}: has no tag that says which`] : []),
  ];
}
