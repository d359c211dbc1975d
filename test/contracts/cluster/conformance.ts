// One suite for simulated and real clusters: where they differ, the simulation is wrong.
import { access } from './access.ts';
import { dryRuns } from './dry-runs.ts';
import { lists } from './lists.ts';
import { objects } from './objects.ts';
import { patches } from './patches.ts';
import { removal } from './removal.ts';
import { restores } from './restores.ts';
import { sideBySide } from './side-by-side.ts';
import type { Start } from './subject.ts';
import { tokenLives } from './token-lives.ts';
import { tokenRequests } from './token-requests.ts';
import { tokenSecrets } from './token-secrets.ts';
import { watches } from './watches.ts';
import { workloads } from './workloads.ts';

const SUITES = [
  objects,
  removal,
  patches,
  dryRuns,
  lists,
  watches,
  access,
  tokenRequests,
  tokenLives,
  tokenSecrets,
  workloads,
];

/** `shared`: the cluster is not ours alone, so that nothing is stopped or cloned. */
export function clusterConformance(name: string, start: Start, { shared = false } = {}): void {
  sideBySide(`${name} conforms`, start, SUITES, shared ? [] : [restores]);
}
