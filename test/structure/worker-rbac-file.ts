// Writes docs/worker-rbac.yaml anew from what the actions declare: node test/structure/worker-rbac-file.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { actions } from '../../src/actions/index.ts';
import { renderWorkerRbac } from '../../src/domain/kubernetes/rbac.ts';
import { ROOT } from './tree.ts';

export const FILE = 'docs/worker-rbac.yaml';

const HEADER = `# What the worker may do in one cluster: what the actions declare and the engine reads, and nothing else. The bot needs none
# of it. Generated, so do not edit it: node test/structure/worker-rbac-file.ts
#
#   kubectl apply -f docs/worker-rbac.yaml
#   kubectl -n payments create rolebinding tourniquet-worker \\
#     --clusterrole=tourniquet-worker-namespace --serviceaccount=tourniquet:worker      # once for each namespace
`;

export const rendered = (): string =>
  HEADER + renderWorkerRbac(actions, { namespace: 'tourniquet', serviceAccount: 'worker', actIn: [] });

if (import.meta.main) writeFileSync(join(ROOT, FILE), rendered());
