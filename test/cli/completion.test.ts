// The completion script does in a real bash what help promises.
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { commands } from '../../src/cli/index.ts';
import { typed } from './terminal.ts';

const completion = commands.find(({ name }) => name === 'completion');
if (completion === undefined) throw new Error('no completion');

const { out } = await typed(completion, ['bash']);

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const line = ['tourniquet', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${out}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _tourniquet; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

it.each([
  [[''], [...commands.map(({ name }) => name), '--help']],
  [['pl'], ['plan']],
  [['plan', '--k'], ['--kubeconfig']],
  [
    ['plan', '--goal', 'r'],
    ['revoke', 'rotate', 'restart'],
  ],
  [['audit', 'e'], ['export']],
  [
    ['report', '--format', ''],
    ['text', 'sarif', 'gitleaks', 'trufflehog', 'report'],
  ],
])('%j is completed', (words, expected) => {
  expect(offered(...words)).toEqual(expected);
});

it('knows no other shell', async () => {
  expect(await typed(completion, ['fish'])).toMatchObject({ code: 2, out: '' });
});
