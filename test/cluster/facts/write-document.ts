// Writes docs/what-kills-which-token.md: node test/cluster/facts/write-document.ts
import { writeFile } from 'node:fs/promises';
import { kubernetesVersion } from 'kube-sandbox/controlplane';
import { factsDocument } from './facts.ts';

const root = new URL('../../../', import.meta.url);

export const DOCUMENT = new URL('docs/what-kills-which-token.md', root);

if (import.meta.main) await writeFile(DOCUMENT, factsDocument(await kubernetesVersion()));
