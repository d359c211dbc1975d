// Renders kubeconfigs, for the components and for whoever is to talk to this control plane.
import { stringify } from 'yaml';
import type { Certificate } from '../../certificate.ts';

type User = Certificate | { token: string } | Record<string, never>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export function kubeconfig(name: string, server: string, caPem: string | undefined, user: User): string {
  const credentials =
    'certPem' in user
      ? { 'client-certificate-data': base64(user.certPem), 'client-key-data': base64(user.keyPem) }
      : user;
  const trust = caPem === undefined ? {} : { 'certificate-authority-data': base64(caPem) };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, ...trust } }],
    users: [{ name, user: credentials }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
