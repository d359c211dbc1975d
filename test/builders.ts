// Builds incidents for tests by folding real events, so that no test sees a state which the product could not reach.
import type { z } from 'zod';
import type { EventBody, IncidentEvent } from '../src/domain/incident/events.ts';
import { fold } from '../src/domain/incident/fold.ts';
import type { Incident } from '../src/domain/incident/incident.ts';
import { done } from '../src/domain/outcome.ts';
import type { Plan, Step } from '../src/domain/plan/plan.ts';
import { makePlan } from '../src/domain/plan/plan-hash.ts';
import type { ProofRound } from '../src/domain/proof/evidence.ts';
import { createPolicy, type Policy, type PolicyGiven } from '../src/domain/rules/policy.ts';
import { policySchema } from '../src/domain/rules/schema.ts';
import type { BindingFact, Situation, WorkloadFact } from '../src/domain/situation/situation.ts';
import type { TokenIdentity } from '../src/domain/token/identity.ts';

export const T0 = Date.parse('2026-11-24T03:00:00Z');
const STEP_MS = 2000;

/** Events two seconds apart, numbered from 1. */
export function eventsOf(...bodies: EventBody[]): IncidentEvent[] {
  return bodies.map((body, index) => ({
    ...body,
    v: index + 1,
    at: new Date(T0 + index * STEP_MS).toISOString(),
  }));
}

export type PolicyInput = z.input<typeof policySchema>;

/** The default policy with these changes, as the configuration would make it. */
export const aPolicy = (
  section: PolicyInput = {},
  given: Partial<Omit<PolicyGiven, 'section'>> = {},
): Policy =>
  createPolicy({
    section: policySchema.parse(section),
    people: { responders: ['UMAYA00001'], approvers: ['UINES00001', 'UTOMAS0001'] },
    protectedNamespaces: ['kube-system'],
    approvalExpiry: 86_400_000,
    autoContain: 'off',
    ...given,
  });

export const anIncident = (bodies: EventBody[], id = 'inc-0001'): Incident => fold(id, eventsOf(...bodies));

export const reported = (reporter?: string): EventBody => ({
  type: 'alert-received',
  alert: {
    source: reporter ? 'slash' : 'gitguardian',
    subject: { kind: 'coordinates', at: { namespace: 'payments', serviceAccount: 'api' } },
    where: { text: 'a public gist', url: 'https://gist.example/1?a=1&b=2' },
    severity: 'critical',
    ...(reporter ? { reporter, reason: 'saw it in a log' } : {}),
  },
});

export const anIdentity = (changes: Partial<TokenIdentity> = {}): TokenIdentity => ({
  kind: 'legacy',
  clusters: ['prod'],
  namespace: 'payments',
  serviceAccount: { name: 'api', uid: 'uid-sa' },
  boundTo: { kind: 'Secret', name: 'api-token' },
  audiences: [],
  authenticity: 'signature',
  ...changes,
});

export const aWorkload = (changes: Partial<WorkloadFact> = {}): WorkloadFact => ({
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  name: 'api',
  uid: 'uid-deployment',
  references: { serviceAccount: true, secrets: ['api-token'] },
  replicas: 2,
  ready: 2,
  strategy: 'RollingUpdate',
  managedBy: [],
  budgets: [],
  ...changes,
});

export const aBinding = (changes: Partial<BindingFact> = {}): BindingFact => ({
  kind: 'ClusterRoleBinding',
  name: 'api',
  uid: 'uid-binding',
  role: { kind: 'ClusterRole', name: 'cluster-admin' },
  as: 'ServiceAccount',
  subjects: 1,
  sole: true,
  ...changes,
});

export const aSituation = (changes: Partial<Situation> = {}): Situation => ({
  cluster: 'prod',
  observedAt: new Date(T0).toISOString(),
  servers: [1, 2, 3].map((n) => ({ address: `https://10.0.0.${n}:6443`, minor: 37 })),
  serviceAccount: {
    name: 'api',
    uid: 'uid-sa',
    deleting: false,
    finalizers: [],
    manifest: { metadata: { name: 'api' } },
  },
  tokenSecrets: [
    {
      name: 'api-token',
      uid: 'uid-secret',
      resourceVersion: '1',
      deleting: false,
      lastUsed: '2026-11-23',
      hasLabels: false,
      managers: ['helm'],
    },
  ],
  boundObject: { kind: 'Secret', name: 'api-token', uid: 'uid-secret' },
  liveness: { alive: 'alive', reason: 'the Secret exists and is not quarantined' },
  pods: [
    { name: 'api-1', uid: 'uid-1', owner: 'Deployment/api', via: 'secret' },
    { name: 'api-2', uid: 'uid-2', owner: 'Deployment/api', via: 'secret' },
  ],
  workloads: [aWorkload()],
  radius: {
    tier: 'severe',
    lines: ['can read every Secret in all namespaces (ClusterRole cluster-admin)'],
    bindings: ['ClusterRoleBinding/api → ClusterRole/cluster-admin (as ServiceAccount)'],
  },
  bindings: [aBinding()],
  warnings: ['Argo CD owns this Secret and would bring it back'],
  unread: [],
  self: false,
  ...changes,
});

export const quarantine: Step = {
  id: 'quarantine-token-1',
  action: 'quarantine-token',
  phase: 'contain',
  cluster: 'prod',
  params: { namespace: 'payments', secret: 'api-token' },
  title: 'Quarantine Secret payments/api-token',
  breaks: 'Deployment/api gets 401 from the API server.',
  reversible: true,
  kubectl: [
    'kubectl --context prod -n payments label secret api-token kubernetes.io/legacy-token-invalid-since=2026-11-24',
  ],
};

export const remove: Step = {
  id: 'delete-token-secret-2',
  action: 'delete-token-secret',
  phase: 'revoke',
  cluster: 'prod',
  params: { namespace: 'payments', secret: 'api-token' },
  title: 'Delete Secret payments/api-token',
  breaks: 'Pods that mount it do not start again.',
  reversible: false,
  kubectl: ['kubectl --context prod -n payments delete secret api-token'],
};

export const aPlan = (steps: Step[] = [quarantine, remove], notes: string[] = []): Plan =>
  makePlan(steps, notes, []);

export const identified: EventBody = { type: 'identified', identity: anIdentity() };
export const observed: EventBody = { type: 'situation-observed', situations: [aSituation()] };
export const planned: EventBody = { type: 'plan-proposed', plan: aPlan() };

/** An alert, and a plan that waits for approval. */
export const waiting = (reporter?: string): EventBody[] => [
  reported(reporter),
  identified,
  observed,
  planned,
];

/** Quarantined by `by`, whose decision is the event after `waiting`. */
export const contained = (by = 'UINES00001', reporter?: string): EventBody[] => [
  ...waiting(reporter),
  { type: 'decided', decision: { verb: 'contain', by, hash: aPlan().containHash } },
  { type: 'step-started', run: 'contain-5', step: quarantine.id, attempt: 1 },
  { type: 'step-ended', run: 'contain-5', step: quarantine.id, outcome: done('The label is set.') },
];

export const collected: EventBody = {
  type: 'collected',
  collected: {
    cluster: 'prod',
    namespace: 'payments',
    serviceAccount: 'api',
    by: 'maya@example.test',
    anchor: 'api-ci',
    until: '2026-11-25T03:00:00Z',
  },
};

export const aRound = (changes: Partial<ProofRound> = {}): ProofRound => ({
  cluster: 'prod',
  level: 'each-server',
  at: new Date(T0 + 10_000).toISOString(),
  answers: [1, 2, 3].map((n) => ({
    server: `https://10.0.0.${n}:6443`,
    answer: 'refused',
    seen: '401',
    control: 'accepted',
  })),
  outcome: done('3 of 3 refused'),
  ...changes,
});

/** Contained, deleted after approval, refused twice. */
export const revoked = (
  rounds: ProofRound[] = [aRound(), aRound({ at: new Date(T0 + 25_000).toISOString() })],
): EventBody[] => [
  ...contained(),
  { type: 'decided', decision: { verb: 'approve', by: 'UTOMAS0001', hash: aPlan().hash } },
  { type: 'step-started', run: 'plan-8', step: remove.id, attempt: 1 },
  { type: 'step-ended', run: 'plan-8', step: remove.id, outcome: done('The Secret is gone.') },
  { type: 'probed', rounds },
  { type: 'proved', outcome: done('The token is refused.') },
];
