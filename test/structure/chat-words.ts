// What is spelled as one chat spells it, and so belongs into that chat's adapter alone.
import type { SourceFile } from './tree.ts';

const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

const EVERYWHERE: readonly [RegExp, string][] = [
  [/<@|<!(subteam|date|here|channel)/, 'a mention or a date as Slack writes it'],
  [/@slack\//, "Slack's packages"],
  [/\\`|`\/[a-z]+[^`\n]*`/, 'backticks in a text; say { code } and let the chat draw it'],
  [/(^|[\s'"`(])\*[\p{L}$][^*\n]*[\p{L}:.!}]\*(?=[\s'"`.,:;)]|$)/mu, 'stars around words; say strong'],
  [/:[a-z]{2,}_[a-z_]+:|:(warning|fire|lock|red_circle|rotating_light):/, 'an emoji by its name'],
  [/[\u{1F300}-\u{1FAFF}\u26AA\u26AB\u26D4\u2705\u274C]/u, 'a status mark'],
  [/\.startsWith\(\s*['"`][A-Z]['"`]\s*\)|\/\^\[?[UWSCT]{1,3}\]?[/[]/, 'the first letter of an id'],
];

/** What is read in any chat must not name one. */
const IN_WORDS: readonly [RegExp, string][] = [[/\bSlack\b/, 'the name of a chat; say CHAT']];

/** The configuration is written for Slack, and this is where ids are told apart. */
const CONFIGURATION = ['src/domain/rules/schema.ts'];

/** One sentence for each spelling that does not belong there. */
export function chatSpellings(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (CONFIGURATION.includes(path)) return [];
    const code = text.replaceAll(COMMENTS, '');
    const rules = path.startsWith('src/words/') ? [...EVERYWHERE, ...IN_WORDS] : EVERYWHERE;
    return rules.filter(([spelling]) => spelling.test(code)).map(([, what]) => `${path} has ${what}`);
  });
}
