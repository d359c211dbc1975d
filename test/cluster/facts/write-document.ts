// Writes docs/what-kills-which-token.md: node test/cluster/facts/write-document.ts
import { readFile, writeFile } from 'node:fs/promises';
import { factsDocument } from './facts.ts';

const root = new URL('../../../', import.meta.url);

export const DOCUMENT = new URL('docs/what-kills-which-token.md', root);

/** The version that the control plane of the tests is built from. */
export async function testedVersion(): Promise<string> {
  const modules = await readFile(new URL('packages/kube-sandbox/src/controlplane/go.mod', root), 'utf8');
  return /k8s\.io\/kubernetes v(\S+)/.exec(modules)?.[1] ?? 'unknown';
}

if (import.meta.main) await writeFile(DOCUMENT, factsDocument(await testedVersion()));
