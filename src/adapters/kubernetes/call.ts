// One request to an API server, in the words of RBAC.

export interface Call {
  /** As RBAC names it. */
  verb: 'get' | 'list' | 'create' | 'patch' | 'delete';
  /** As RBAC names it: `secrets`, `serviceaccounts/token`, or a path that is no resource. */
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  contentType?: string;
  accept?: string;
}
