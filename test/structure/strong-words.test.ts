// Whoever writes "only", "never" or "every" about proof or security names the test that shows it, at the end of the sentence.
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesIn, read } from './tree.ts';

const documents = ['docs/how-proof-works.md', 'docs/security.md'];
const tests = new Set(filesIn(['test'], ['.test.ts', '.cluster.ts']).map(({ path }) => path));

describe.each(documents)('%s', (path) => {
  const claims = strongSentences(read(path));

  test('names a test for each sentence with only, never or every', () => {
    expect(claims.filter((sentence) => namedTests(sentence, path).length === 0)).toEqual([]);
  });

  test('names tests that exist', () => {
    expect(
      claims.flatMap((sentence) => namedTests(sentence, path)).filter((file) => !tests.has(file)),
    ).toEqual([]);
  });

  test('makes such claims at all', () => {
    expect(claims.length).toBeGreaterThan(5);
  });
});

const LINK = String.raw`\[test\]\(([^)#]+)\)`;
const LINKS_AT_END = new RegExp(String.raw`\(${LINK}(?:, ${LINK})*\)[.!?:;]?(?:\*\*)?$`);

/** From the root of the repository. */
function namedTests(sentence: string, path: string): string[] {
  const [links = ''] = LINKS_AT_END.exec(sentence) ?? [];
  return [...links.matchAll(new RegExp(LINK, 'g'))].map(([, link = '']) =>
    posix.join(posix.dirname(path), link),
  );
}

/** What links lead to is no word of ours. */
const isStrong = (sentence: string): boolean =>
  /\b(?:only|never|every)\b/i.test(sentence.replaceAll(/\]\([^)]*\)/g, ']'));

function strongSentences(text: string): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
  return prose
    .split(/\n\s*\n/)
    .flatMap(sentencesOf)
    .filter(isStrong);
}

/** A row of a table is one sentence; its header is none. */
function sentencesOf(block: string): string[] {
  const text = block.trim();
  if (text.startsWith('|'))
    return text
      .split('\n')
      .slice(2)
      .map((row) => row.replace(/\s*\|\s*$/, ''));
  return text
    .split(/\n(?= *(?:[-*]|\d+\.) )/)
    .flatMap((item) => item.split(/(?<=[.!?](?:\*\*|["”)])?)\s+(?=[^a-z\s])/))
    .map((sentence) => sentence.trim());
}

describe('a sentence', () => {
  const given = (text: string) =>
    strongSentences(text).map((sentence) => namedTests(sentence, 'docs/here.md'));

  test.each<[string, string, string[][]]>([
    ['without a strong word needs none', 'Some are. It is everything [alone](only.md).', []],
    ['with one and no test would be seen', 'Some are. Only one is. Some are not.', [[]]],
    ['whatever the case, and in bold', '**Every one** is so.', [[]]],
    ['may name a test', 'It never is ([test](../test/a.test.ts)).', [['test/a.test.ts']]],
    [
      'may name several, at its end',
      'It never is ([test](../test/a.test.ts), [test](../test/b.test.ts)). `That` is all.',
      [['test/a.test.ts', 'test/b.test.ts']],
    ],
    ['is not helped by the test of the next one', 'It never is. So it is ([test](../test/a.test.ts)).', [[]]],
    ['may be an item of a list', '- Only a.\n- b ([test](../test/b.test.ts)).', [[]]],
    [
      'may be a row of a table',
      '| only | b |\n|---|---|\n| never | c ([test](../test/c.test.ts)) |\n| only | d |',
      [['test/c.test.ts'], []],
    ],
    ['in a block of code is none', 'So:\n\n```sh\n# only this\n```', []],
  ])('%s', (_, text, named) => {
    expect(given(text)).toEqual(named);
  });
});
