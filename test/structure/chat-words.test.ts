// The domain and the words know no chat, and each spelling of one is shown to be found.
import { describe, expect, test } from 'vitest';
import { chatSpellings } from './chat-words.ts';
import { filesIn } from './tree.ts';

/** Written with `#{` for what begins a placeholder. */
const planted = (path: string, line: string) => [{ path, text: line.replaceAll('#{', '$\x7b') }];

test('the domain and the words are written for no chat in particular', () => {
  const files = filesIn(['src/domain', 'src/words'], ['.ts']);
  expect(files.length).toBeGreaterThan(90);
  expect(chatSpellings(files)).toEqual([]);
});

describe('planted violations are found', () => {
  test.each([
    ['a mention of a person', 'const who = `<@#{id}>`;'],
    ['a mention of a group', 'const who = `<!subteam^#{id}>`;'],
    ['a date', 'const at = `<!date^#{s}^{date}|#{iso}>`;'],
    ['code in a template', 'const line = `type \\`/tourniquet\\``;'],
    ['code in a string', "const line = 'type `/tourniquet`';"],
    ['bold words', "const line = '*Stopped:* a person is needed';"],
    ['bold values', 'const line = `*#{title}* done`;'],
    ['an emoji by name', "const mark = ':red_circle:';"],
    ['an emoji', "const mark = '🔴';"],
    ['another mark', "const mark = '⚪';"],
    ['the first letter of an id', "const isGroup = (who: string) => who.startsWith('S');"],
    ['the same by a pattern', 'const isUser = (who: string) => /^[UW]/.test(who);'],
    ['the types of a chat', "import type { KnownBlock } from '@slack/types';"],
  ])('%s', (_, line) => {
    for (const path of ['src/domain/planted.ts', 'src/words/planted.ts'])
      expect(chatSpellings(planted(path, line))).toHaveLength(1);
  });

  test('the name of a chat, in what is read', () => {
    const text = "const line = 'Slack does not say who is in the group';\n";
    expect(chatSpellings([{ path: 'src/words/planted.ts', text }])).toHaveLength(1);
    expect(chatSpellings([{ path: 'src/domain/planted.ts', text }])).toEqual([]);
  });

  test.each([
    'const size = a * b * c;',
    '// A person is drawn as `<@U1>`, and *never* here.\nconst x = 1;',
    "const glob = text.replaceAll('*', '.*');",
    'const line = text`#{strong`Stopped:`} #{{ code: name }}`;',
    "const any = list.includes('*') && others.includes('*');",
  ])('none is seen in %s', (line) => {
    expect(chatSpellings(planted('src/domain/planted.ts', line))).toEqual([]);
  });
});
