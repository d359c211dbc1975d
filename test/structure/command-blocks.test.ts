// Commands that the documents show are typed by a test, or say on their first line that they are not; calls of ours are read by the program.
import { describe, expect, test } from 'vitest';
import { type CommandBlock, commandBlocks } from '../command-blocks.ts';
import { filesIn, read } from './tree.ts';

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...filesIn(['docs', 'packages'], ['.md']).map(({ path }) => path),
];

/** Named by a test, so typed there. */
const typed = new Set(
  filesIn(['test'], ['.ts']).flatMap(({ text }) =>
    [...text.matchAll(/commandBlock\(\s*'([^']+)',\s*'([\w-]+)'/g)].map(
      ([, document, name]) => `${document} ${name}`,
    ),
  ),
);

/** What .ci/run does too, whole. */
const BY_CI = ['npm ci', 'npm run demo', 'npm run types', 'npm run lint'];
const SUITES = ['npm test', 'npm run test:slow', 'npm run test:cluster'];
const byCi = new Set([...BY_CI, ...SUITES, 'bash .ci/run', '']);
const isRunByCi = ({ text }: CommandBlock): boolean =>
  text.split(/\n|&&/).every((line) => byCi.has(line.replace(/#.*/, '').trim()));

/** Examples with names and files of a reader's own: test/cli/documents.test.ts has the program read each call. */
const isOurs = ({ text }: CommandBlock): boolean =>
  text
    .trim()
    .split('\n')
    .every((line) =>
      /^(tourniquet|[^|]+\| tourniquet|export TOURNIQUET_\w+=|source <\(tourniquet|#) ?/.test(line),
    );

function problemOf(block: CommandBlock): string | undefined {
  const { document, name, text } = block;
  if (/^# not run by a test: \S/.test(text)) return undefined;
  if (name !== undefined && typed.has(`${document} ${name}`)) return undefined;
  if (isRunByCi(block) || isOurs(block)) return undefined;
  return `${document}: ${text.split('\n')[0]}`;
}

test.each(documents)('the commands of %s are typed by a test, or marked', (document) => {
  const blocks = commandBlocks(document, read(document), ['sh']);
  expect(blocks.flatMap((block) => problemOf(block) ?? [])).toEqual([]);
});

test.each(documents)('no command of %s hides in a block without a language', (document) => {
  expect(hidden(read(document))).toEqual([]);
});

/** First lines of blocks that should say sh. */
const hidden = (text: string): string[] => {
  const fences = [...text.matchAll(/^ *```(\w*).*\n(.*)\n(?:[\s\S]*?\n)?? *```$/gm)];
  return fences.flatMap(([, language, first = '']) =>
    language === '' && /^ *(npm|npx|node|kubectl|helm|docker|bash|curl|tourniquet) /.test(first)
      ? [first]
      : [],
  );
};

test('CI runs what it is said to run', () => {
  const script = read('.ci/run');
  expect(BY_CI.filter((command) => !script.includes(command))).toEqual([]);
  const [, suites] = /^suites=\((.*)\)$/m.exec(script) ?? [];
  expect(suites?.split(' ')).toEqual(SUITES.map((command) => command.replace(/^npm (run )?/, '')));
});

describe('what would be seen', () => {
  const problems = (text: string): (string | undefined)[] =>
    commandBlocks('docs/x.md', text, ['sh']).map(problemOf);

  test('a block that nobody types', () => {
    expect(problems('```sh\nrm -rf everything\n```\n')).toEqual(['docs/x.md: rm -rf everything']);
    expect(problems('```sh\ntourniquet plan < token\nls\n```\n')).toEqual([
      'docs/x.md: tourniquet plan < token',
    ]);
    expect(problems('<!-- block: gone -->\n```sh\nls\n```\n')).toEqual(['docs/x.md: ls']);
    expect(problems('```sh\n# not run by a test:\nls\n```\n')).toEqual(['docs/x.md: # not run by a test:']);
  });

  test('a command without a language', () => {
    expect(hidden('```sh\nnpm ci\n```\n\n```\nkubectl get pods\n```\n')).toEqual(['kubectl get pods']);
  });

  test('not one that says so, nor one that CI runs', () => {
    expect(problems('```sh\n# not run by a test: needs a container engine\ndocker build .\n```\n')).toEqual([
      undefined,
    ]);
    expect(problems('   ```sh\n   npm ci && npm test   # as CI does\n   ```\n')).toEqual([undefined]);
  });

  test('an indented block comes without its indent', () => {
    const [block] = commandBlocks(
      'docs/x.md',
      '1. So:\n\n   <!-- block: one -->\n   ```sh\n   a\n     b\n   ```\n',
    );
    expect(block).toEqual({ document: 'docs/x.md', name: 'one', language: 'sh', text: 'a\n  b\n' });
  });
});
