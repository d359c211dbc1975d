// Reads what the API servers wrote to their audit logs.
import { readFile } from 'node:fs/promises';

/** The fields that tests ask about, of audit.k8s.io/v1. */
export interface AuditEvent {
  auditID: string;
  level: string;
  stage: string;
  verb: string;
  requestURI: string;
  user: { username?: string; groups?: string[]; extra?: Record<string, string[]> };
  userAgent?: string;
  objectRef?: { resource?: string; namespace?: string; name?: string; subresource?: string };
  responseStatus?: { code?: number; reason?: string; message?: string };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  requestObject?: unknown;
  responseObject?: unknown;
  annotations?: Record<string, string>;
}

/** Of all servers, in order of time. */
export async function readAuditLogs(paths: string[]): Promise<AuditEvent[]> {
  const logs = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return logs
    .flatMap((log) => log.slice(0, log.lastIndexOf('\n') + 1).split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .sort((one, other) => (one.stageTimestamp < other.stageTimestamp ? -1 : 1));
}
