// Errors as the Kubernetes API words them: a Status object with code, reason, message and details.
import { kindName, type Resource, resourceName } from './resources.ts';

export interface StatusObject {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: Record<string, unknown>;
  code?: number;
}

/** Thrown anywhere below the REST layer; becomes the answer of the request. */
export class ApiError extends Error {
  readonly body: StatusObject;
  readonly code: number;
  readonly headers: Record<string, string>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Record<string, unknown>,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.code = code;
    this.headers = headers;
    const base = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
    } as const;
    this.body = details === undefined ? { ...base, code } : { ...base, details, code };
  }
}

function about({ group, plural }: Resource, name: string, kind = plural): Record<string, unknown> {
  return group === '' ? { name, kind } : { name, group, kind };
}

export function notFound(resource: Resource, name: string): ApiError {
  const message = `${resourceName(resource)} "${name}" not found`;
  return new ApiError(404, 'NotFound', message, about(resource, name));
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${resourceName(resource)} "${name}" already exists`;
  return new ApiError(409, 'AlreadyExists', message, about(resource, name));
}

export function stillBeingDeleted(resource: Resource, name: string): ApiError {
  const message = `object is being deleted: ${resourceName(resource)} "${name}" already exists`;
  return new ApiError(409, 'AlreadyExists', message, about(resource, name));
}

export function conflict(resource: Resource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${resourceName(resource)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, about(resource, name));
}

/** A precondition that does not hold is reported by kind where other conflicts are reported by plural. */
export function preconditionFailed(resource: Resource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${kindName(resource)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, about(resource, name, resource.kind));
}

export function modified(resource: Resource, name: string): ApiError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(resource, name, why);
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function invalid(
  resource: Pick<Resource, 'group' | 'kind'>,
  name: string,
  field: string,
  why: string,
): ApiError {
  const { group, kind } = resource;
  const message = `${kindName(resource)} "${name}" is invalid: ${field}: ${why}`;
  const reason = why.startsWith('Required') ? 'FieldValueRequired' : 'FieldValueInvalid';
  const details = { ...(name !== '' && { name }), ...(group !== '' && { group }), kind };
  return new ApiError(422, 'Invalid', message, { ...details, causes: [{ reason, message: why, field }] });
}

/** What the real server answers when a JSON Patch does not apply: it names neither the operation nor a value. */
export function patchDoesNotApply(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

export function forbidden(message: string, details?: Record<string, unknown>): ApiError {
  return new ApiError(403, 'Forbidden', message, details);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function notModelled(what: string): ApiError {
  const message = `the simulated cluster does not model ${what}; try it on a real control plane`;
  return new ApiError(501, 'NotImplemented', message);
}

export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function deleted(resource: Resource, name: string, uid: string): StatusObject {
  const details = { ...about(resource, name), uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
