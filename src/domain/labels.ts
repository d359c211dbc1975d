// The labels and annotations of Kubernetes that decide about legacy tokens (kubernetes.io, "Managing Service Accounts").

/** Any non-empty value makes API servers since 1.29 refuse the token in the Secret; removing it restores the token. */
export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
/** Day of last use, written by the API server; even a refused attempt or a TokenReview writes it. */
export const LAST_USED = 'kubernetes.io/legacy-token-last-used';
export const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
export const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';
export const SERVICE_ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Annotation on what takes an old identity's place: the name of the old one. */
export const REPLACES = 'tourniquet-replaces';
/** Ours: which try made it. Written down before it is used, so that nothing that somebody else made is taken for ours. */
export const MADE_BY = 'tourniquet-made-by';

/**
 * Annotation that an undo leaves, with its moment, on what is in use again: a kill or a deletion that was sent before it and
 * arrives after it, from a process that was stopped in between, must not undo the undo.
 */
export const RELEASED = 'tourniquet-released';

/** Annotation on an empty Secret that tokens are bound to: for which user outside the cluster. */
export const COLLECTED_FOR = 'tourniquet-collected-for';

/** Escapes a key for a JSON Pointer (RFC 6901). */
export const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Since this minor version an API server refuses tokens labelled legacy-token-invalid-since. */
export const QUARANTINE_SINCE_MINOR = 29;
