// The review kinds: questions to the API server about a token or about permissions. Nothing is stored.

import { timestamp } from '../apimachinery/objects.ts';
import { badRequest, invalid } from '../apimachinery/status.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import { allowedBy, allowedPath, grantsOf, type ResourceAttributes } from '../authz/rbac.ts';
import type { World } from '../storage/world.ts';
import type { User } from '../tokens/claims.ts';

interface ReviewSpec {
  token?: string;
  audiences?: string[];
  user?: string;
  groups?: string[];
  namespace?: string;
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
}

interface ReviewCall {
  world: World;
  authenticator: Authenticator;
  caller: User;
  spec: ReviewSpec;
}

function tokenReview({ authenticator, spec }: ReviewCall): object {
  if (!spec.token) throw badRequest('token is required for TokenReview in authentication');
  const wanted = spec.audiences?.length ? spec.audiences : undefined;
  const verdict = authenticator.authenticate(spec.token, wanted);
  // `authenticated: false` is left out, as every false is.
  if (!verdict.authenticated) return { user: {}, error: verdict.error };
  return { authenticated: true, user: verdict.user, audiences: verdict.audiences };
}

function accessStatus(
  world: World,
  user: User,
  { resourceAttributes, nonResourceAttributes }: ReviewSpec,
): object {
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const why =
      'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', 'spec', why);
  }
  const grant =
    resourceAttributes === undefined
      ? allowedPath(world, user, nonResourceAttributes?.path ?? '', nonResourceAttributes?.verb ?? '')
      : allowedBy(world, user, resourceAttributes);
  return grant === undefined ? { allowed: false } : { allowed: true, reason: grant.reason };
}

function rulesStatus({ world, caller, spec }: ReviewCall): object {
  if (!spec.namespace) throw badRequest('no namespace on request');
  const rules = grantsOf(world, caller, spec.namespace).map(({ rule }) => rule);
  return {
    resourceRules: rules.filter((rule) => rule.resources !== undefined),
    nonResourceRules: rules.filter((rule) => rule.nonResourceURLs !== undefined),
    incomplete: false,
  };
}

const KINDS: Record<string, { kind: string; group: string; answer: (call: ReviewCall) => object }> = {
  tokenreviews: { kind: 'TokenReview', group: 'authentication.k8s.io', answer: tokenReview },
  selfsubjectreviews: {
    kind: 'SelfSubjectReview',
    group: 'authentication.k8s.io',
    answer: ({ caller }) => ({ userInfo: caller }),
  },
  subjectaccessreviews: {
    kind: 'SubjectAccessReview',
    group: 'authorization.k8s.io',
    answer: ({ world, spec }) =>
      accessStatus(world, { username: spec.user ?? '', groups: spec.groups ?? [] }, spec),
  },
  selfsubjectaccessreviews: {
    kind: 'SelfSubjectAccessReview',
    group: 'authorization.k8s.io',
    answer: ({ world, caller, spec }) => accessStatus(world, caller, spec),
  },
  selfsubjectrulesreviews: {
    kind: 'SelfSubjectRulesReview',
    group: 'authorization.k8s.io',
    answer: rulesStatus,
  },
};

/** The answered review, or undefined when the path names no review. */
export function review(
  group: string,
  plural: string,
  call: Omit<ReviewCall, 'spec'>,
  body: unknown,
): object | undefined {
  const known = KINDS[plural];
  if (known === undefined || known.group !== group) return undefined;
  const spec = (body as { spec?: ReviewSpec } | undefined)?.spec ?? {};
  const status = known.answer({ ...call, spec });
  return {
    kind: known.kind,
    apiVersion: `${group}/v1`,
    metadata: { creationTimestamp: timestamp(call.world.now()) },
    // As the real server does, this sends the token of a TokenReview back: callers must not log answers.
    spec,
    status,
  };
}
