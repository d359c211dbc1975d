// Every remediation, in the order in which proposals of one phase run.
import type { Action } from '../contracts.ts';
import { deleteBoundPod } from './delete-bound-pod.ts';
import { deleteTokenSecret } from './delete-token-secret.ts';
import { quarantineToken } from './quarantine-token.ts';
import { recreateServiceAccount } from './recreate-service-account.ts';
import { replaceTokenSecret } from './replace-token-secret.ts';
import { repointWorkloads } from './repoint-workloads.ts';
import { restartWorkloads } from './restart-workloads.ts';

export const actions: Action[] = [
  quarantineToken,
  deleteTokenSecret,
  deleteBoundPod,
  recreateServiceAccount,
  replaceTokenSecret,
  repointWorkloads,
  restartWorkloads,
];
