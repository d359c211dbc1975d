// The small company of the demo: two clusters, a few ServiceAccounts, and ways in which their tokens leak.
import type { SimulatedCluster } from 'kube-sandbox';

/** A payment service whose token can read Secrets, a CI robot with an unbound token, and a Pod whose own token leaks. */
export async function seedHarbour(prod: SimulatedCluster, staging: SimulatedCluster): Promise<void> {
  for (const { seed } of [prod, staging]) {
    seed.namespace('payments');
    seed.namespace('ci');
  }
  const { seed } = prod;
  seed.clusterRole('secret-reader', [
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
  ]);
  seed.clusterRole('deployer', [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'patch', 'update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'create'] },
  ]);
  seed.serviceAccount('payments', 'checkout', { labels: { team: 'payments' } });
  seed.clusterRoleBinding('checkout-secrets', {
    role: { kind: 'ClusterRole', name: 'secret-reader' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'payments', name: 'checkout' }],
  });
  await seed.tokenSecret('payments', 'checkout-token', 'checkout');
  seed.deployment('payments', 'checkout', {
    serviceAccount: 'checkout',
    replicas: 3,
    secretMounts: ['checkout-token'],
  });
  seed.deployment('payments', 'refunds', { serviceAccount: 'checkout', replicas: 2 });
  seed.serviceAccount('ci', 'release-robot');
  seed.roleBinding('payments', 'release-robot', {
    role: { kind: 'ClusterRole', name: 'deployer' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'release-robot' }],
  });
  await seed.tokenSecret('ci', 'release-robot-token', 'release-robot');
  staging.seed.serviceAccount('payments', 'checkout');
  await seedLedger(prod);
}

/** What is rotated: many workloads mount one long-lived token, so that a roll-out takes several waves. */
export const LEDGER = { namespace: 'accounting', serviceAccount: 'ledger', secret: 'ledger-token' };

const LEDGER_USERS = {
  'ledger-api': 3,
  invoices: 3,
  payouts: 2,
  settlement: 3,
  statements: 2,
  reconcile: 2,
  exports: 2,
  archive: 1,
};

async function seedLedger({ seed }: SimulatedCluster): Promise<void> {
  const { namespace, serviceAccount, secret } = LEDGER;
  seed.namespace(namespace);
  seed.serviceAccount(namespace, serviceAccount);
  seed.roleBinding(namespace, 'ledger-secrets', {
    role: { kind: 'ClusterRole', name: 'secret-reader' },
    subjects: [{ kind: 'ServiceAccount', namespace, name: serviceAccount }],
  });
  const token = await seed.tokenSecret(namespace, secret, serviceAccount);
  // What a rotation must find besides them: somebody copied the token for a job of another team.
  const kubeconfig = `apiVersion: v1\nkind: Config\nusers:\n- name: ledger\n  user:\n    token: ${token}\n`;
  seed.secret('ci', 'ledger-kubeconfig', { config: kubeconfig });
  seed.deployment('ci', 'month-end', { secretMounts: ['ledger-kubeconfig'] });
  for (const [name, replicas] of Object.entries(LEDGER_USERS))
    seed.deployment(namespace, name, { serviceAccount, replicas, secretMounts: [secret] });
}

export type LeakKind = 'legacy' | 'pod' | 'unbound';

/** A token as a thief would find it, and where. Each call leaks a different one where that is possible. */
export async function leakToken(
  { seed, get }: SimulatedCluster,
  kind: LeakKind,
): Promise<{ token: string; where: string }> {
  if (kind === 'unbound') {
    const token = seed.requestToken('ci', 'release-robot', { expirationSeconds: 30 * 24 * 3600 });
    return { token, where: 'a build log of the release pipeline' };
  }
  if (kind === 'pod') {
    const name = `checkout-debug-${Date.now().toString(36)}`;
    const { metadata } = seed.pod('payments', name, { serviceAccount: 'checkout' });
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid: metadata.uid };
    return {
      token: seed.requestToken('payments', 'checkout', { boundObjectRef }),
      where: 'a crash dump on a public bucket',
    };
  }
  const name = `checkout-token-${Date.now().toString(36)}`;
  const first = get('/api/v1/namespaces/payments/secrets/checkout-token') as
    | { data?: { token?: string } }
    | undefined;
  const token = first?.data?.token;
  const usable =
    token !== undefined && !isQuarantined(get('/api/v1/namespaces/payments/secrets/checkout-token'));
  return {
    token: usable
      ? Buffer.from(token, 'base64').toString()
      : await seed.tokenSecret('payments', name, 'checkout'),
    where: 'a kubeconfig in a public gist',
  };
}

const isQuarantined = (secret: { metadata: { labels?: Record<string, string> } } | undefined): boolean =>
  Object.keys(secret?.metadata.labels ?? {}).includes('kubernetes.io/legacy-token-invalid-since');
