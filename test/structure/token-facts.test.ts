// The table of what kills which token says what the tests on the real control plane hold.
import { readFile } from 'node:fs/promises';
import { kubernetesVersion } from 'kube-sandbox/controlplane';
import { expect, it } from 'vitest';
import { factsDocument } from '../cluster/facts/facts.ts';
import { DOCUMENT } from '../cluster/facts/write-document.ts';

it('docs/what-kills-which-token.md is what `node test/cluster/facts/write-document.ts` writes', async () => {
  expect(await readFile(DOCUMENT, 'utf8')).toBe(factsDocument(await kubernetesVersion()));
});
