// Writes what the components read: keys, certificates, kubeconfigs and the audit policy, in a directory of their own.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, createAuthority } from '../../certificate.ts';
import { kubeconfig } from '../client/kubeconfig.ts';

export type SigningAlgorithm = 'RS256' | 'ES256';

export interface FilesRequest {
  directory: string;
  name: string;
  serverUrl: string;
  signing: SigningAlgorithm;
  /** A service account signing key to share, instead of a fresh one. */
  signingKeyPath: string | undefined;
  auditWebhook: string | undefined;
}

export interface Files {
  caPem: string;
  admin: Certificate;
  /** Text of the administrator's kubeconfig. */
  adminKubeconfig: string;
}

export const SIGNING_KEY = 'service-account.key';
export const SERVICE_NETWORK = '10.0.0.0/24';
const SERVICE_ADDRESS = '10.0.0.1';
const HOSTS = [
  '127.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  SERVICE_ADDRESS,
];

/** User and group of each client; its kubeconfig is `<component>.kubeconfig`. */
const CLIENTS: Record<string, [user: string, group?: string]> = {
  admin: ['admin', 'system:masters'],
  kwok: ['kwok', 'system:masters'],
  'kube-controller-manager': ['system:kube-controller-manager'],
  'kube-scheduler': ['system:kube-scheduler'],
};

/** Tokens pass through TokenReview and Secret bodies: whom and what, never the body. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

export async function writeFiles(request: FilesRequest): Promise<Files> {
  const { directory, name, serverUrl, auditWebhook } = request;
  await mkdir(join(directory, 'etcd'), { mode: 0o700, recursive: true });
  const write = (file: string, text: string): Promise<void> =>
    writeFile(join(directory, file), text, { mode: 0o600 });
  const authority = createAuthority(`${name} CA`);
  const { caPem } = authority;
  const serving = authority.serving('kube-apiserver', HOSTS);
  await Promise.all([
    write('ca.crt', caPem),
    write('serving.crt', serving.certPem),
    write('serving.key', serving.keyPem),
    write('audit-policy.json', JSON.stringify(AUDIT_POLICY)),
    writeSigningKey(request),
  ]);
  if (auditWebhook !== undefined)
    await write('audit-webhook.kubeconfig', kubeconfig('audit', auditWebhook, undefined, {}));
  const certificates: Record<string, Certificate> = {};
  for (const [client, [user, group]] of Object.entries(CLIENTS)) {
    const certificate = authority.client(user, group);
    certificates[client] = certificate;
    await write(`${client}.kubeconfig`, kubeconfig(name, serverUrl, caPem, certificate));
  }
  const admin = certificates.admin as Certificate;
  return { caPem, admin, adminKubeconfig: kubeconfig(name, serverUrl, caPem, admin) };
}

async function writeSigningKey({ directory, signing, signingKeyPath }: FilesRequest): Promise<void> {
  const path = join(directory, SIGNING_KEY);
  if (signingKeyPath !== undefined) return copyFile(signingKeyPath, path);
  // Kubernetes reads PKCS#1 and SEC 1; the public half is read from the same file.
  const pem = (key: KeyObject, type: 'pkcs1' | 'sec1'): string =>
    key.export({ type, format: 'pem' }).toString();
  const text =
    signing === 'RS256'
      ? pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'pkcs1')
      : pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'sec1');
  await writeFile(path, text, { mode: 0o600 });
}
