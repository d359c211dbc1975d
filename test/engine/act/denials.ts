// What API servers were seen to answer where admission refuses a write, by who refuses it; the statuses are part of the record.

export interface Denial {
  status: number;
  body: Record<string, unknown>;
}

export const WORDS = 'hands cannot touch this';

const failure = (status: number, message: string, reason?: string): Denial => ({
  status,
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    code: status,
  },
});

const vap = (object: string, status: number, reason: string): Denial =>
  failure(
    status,
    `${object} is forbidden: ValidatingAdmissionPolicy 'frozen' with binding 'frozen-all' denied request: ${WORDS}`,
    reason,
  );

/** `object`: as the API server names it, `secrets "api-token"`. */
export const denials = (object: string): Record<string, Denial> => ({
  'ValidatingAdmissionPolicy frozen': vap(object, 422, 'Invalid'),
  'ValidatingAdmissionPolicy frozen (binding frozen-all)': vap(object, 403, 'Forbidden'),
  'webhook validate.kyverno.svc-fail (policy frozen)': failure(
    400,
    `admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource ${object} was blocked due to the following policies \n\nfrozen:\n  by-hand: '${WORDS}'\n`,
  ),
  'webhook validation.gatekeeper.sh (constraint frozen)': failure(
    403,
    `admission webhook "validation.gatekeeper.sh" denied the request: [frozen] ${WORDS}`,
    'Forbidden',
  ),
  'webhook guard.example.test': failure(
    404,
    `admission webhook "guard.example.test" denied the request: ${WORDS}`,
    'NotFound',
  ),
  'webhook other.example.test': failure(
    409,
    `admission webhook "other.example.test" denied the request: ${WORDS}`,
    'Conflict',
  ),
});

export const NO_TOKEN_SECRETS: Denial = failure(
  403,
  `secrets "api-token" is forbidden: ValidatingAdmissionPolicy 'no-token-secrets' with binding 'no-token-secrets' denied request: Secret api-token would hold a token that never ends.`,
  'Forbidden',
);

export const noDryRun = (webhook: string): Denial =>
  failure(400, `admission webhook "${webhook}" does not support dry run`, 'BadRequest');

export const rbac = (verb: string, resource: string): Denial =>
  failure(
    403,
    `${resource} "x" is forbidden: User "system:serviceaccount:tourniquet:worker" cannot ${verb} resource "${resource}" in API group "" in the namespace "payments"`,
    'Forbidden',
  );
