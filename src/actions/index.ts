// Every remediation, in the order in which proposals of one phase run.
import type { Action } from '../contracts/action.ts';
import { deleteBoundPod } from './delete-bound-pod.ts';
import { deleteServiceAccount } from './delete-service-account.ts';
import { deleteTokenSecret } from './delete-token-secret.ts';
import { quarantineToken } from './quarantine-token.ts';
import { recreateServiceAccount } from './recreate-service-account.ts';
import { recreateTokenSecrets } from './recreate-token-secrets.ts';
import { replaceServiceAccount } from './replace-service-account.ts';
import { replaceTokenSecret } from './replace-token-secret.ts';
import { repointWorkloads } from './repoint-workloads.ts';
import { restartWorkloads } from './restart-workloads.ts';
import { unbindRbac } from './unbind-rbac.ts';

export const actions: Action[] = [
  quarantineToken,
  unbindRbac,
  replaceServiceAccount,
  deleteTokenSecret,
  deleteBoundPod,
  recreateServiceAccount,
  replaceTokenSecret,
  repointWorkloads,
  deleteServiceAccount,
  // Before the workloads that mount them.
  recreateTokenSecrets,
  restartWorkloads,
];
