// What Kubernetes writes on a token Secret, and what makes it refuse a legacy token (kubernetes.io, "Managing Service Accounts").

/** Any non-empty value makes API servers since 1.29 refuse the token in the Secret; removing it restores the token. */
export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
/** Day of last use, written by the API server; even a refused attempt or a TokenReview writes it. */
export const LAST_USED = 'kubernetes.io/legacy-token-last-used';
export const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
export const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';
export const SERVICE_ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Since this minor version an API server refuses tokens labelled legacy-token-invalid-since. */
export const QUARANTINE_SINCE_MINOR = 29;
