// Turns what went wrong with a request into an AppError that a person can act on, without any body or header in it.
import { rbacIn } from '../../domain/kubernetes/denials.ts';
import { AppError } from '../../errors.ts';
import { byAdmission } from './admission.ts';
import type { Call } from './call.ts';

/** The parts of a Kubernetes Status that hold no values. */
interface StatusBody {
  reason?: unknown;
  message?: unknown;
  details?: { causes?: { field?: unknown }[] };
}

const READS = new Set(['get', 'list']);
const TRUST_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** What happened on the wire, in a few words and without the error's own text. */
export function networkWord(error: unknown): { kind: 'timeout' | 'unreachable'; word: string } {
  const { name, code } = (error ?? {}) as { name?: string; code?: unknown };
  const word = typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no answer';
  if (name === 'TimeoutError' || /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(word))
    return { kind: 'timeout', word: 'no answer in time' };
  if (word === 'ECONNREFUSED') return { kind: 'unreachable', word: 'connection refused' };
  if (word === 'UND_ERR_SOCKET' || word === 'ECONNRESET')
    return { kind: 'unreachable', word: 'connection cut' };
  if (TRUST_CODES.test(word)) return { kind: 'unreachable', word: `certificate not trusted (${word})` };
  return { kind: 'unreachable', word };
}

/** Whose credential is sent: what it lacks is said to them. */
export type Holder = 'worker' | 'person';

export function networkError(cluster: string, call: Call, address: string, error: unknown): AppError {
  const { kind, word } = networkWord(error);
  const next = READS.has(call.verb)
    ? 'Nothing was changed; it can be tried again.'
    : 'It may or may not have been carried out: look at the object before trying again.';
  return new AppError(kind, `Cannot ${describe(cluster, call)}: ${word} at ${address}. ${next}`, {
    retry: true,
  });
}

export function statusError(
  cluster: string,
  call: Call,
  status: number,
  body: unknown,
  retryAfter?: string,
  holder: Holder = 'worker',
): AppError {
  const parts = (typeof body === 'object' && body !== null ? body : {}) as StatusBody;
  const seen = `Cannot ${describe(cluster, call)}: ${status}${reasonIn(parts)}`;
  const admission = READS.has(call.verb)
    ? undefined
    : byAdmission(cluster, call, status, parts.message, seen);
  if (admission) return admission;
  switch (status) {
    case 401:
      return unauthorized(seen, holder);
    case 403:
      return new AppError('forbidden', `${seen}. ${forbiddenBy(parts, call, holder)}`);
    case 404:
      return new AppError('not-found', `${seen}. It does not exist (any more).`);
    case 409:
      return new AppError('conflict', `${seen}. ${TAKEN}`);
    case 410:
      return new AppError('gone', `${seen}. The list expired while it was read; start again.`, {
        retry: true,
      });
    case 400:
    case 422:
      return new AppError(
        call.verb === 'patch' && parts.message === DOES_NOT_APPLY ? 'does-not-apply' : 'invalid',
        `${seen}${fields(parts)}. Nothing was changed.`,
      );
    case 405:
    case 406:
    case 415:
    case 501:
      return new AppError('unsupported', `${seen}. This server does not offer it.`);
    default:
      return passing(seen, status, retryAfter);
  }
}

const reasonIn = ({ reason }: StatusBody): string =>
  typeof reason === 'string' && /^[A-Za-z]{1,40}$/.test(reason) ? ` ${reason}` : '';

/** What the same request may be spared when it is sent again. */
function passing(seen: string, status: number, retryAfter: string | undefined): AppError {
  const seconds = retryAfter === undefined ? Number.NaN : Number(retryAfter);
  const again = { retry: true, ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }) };
  switch (status) {
    case 429:
      return new AppError('throttled', `${seen}. The API server is busy; try again later.`, again);
    case 504:
      return new AppError(
        'timeout',
        `${seen}. It may or may not have been carried out; look before trying again.`,
        again,
      );
    default:
      return new AppError('unreachable', `${seen}. The API server did not do it; try again.`, again);
  }
}

const TAKEN = 'It exists already, or is not the object that was meant; read it again.';

const unauthorized = (seen: string, holder: Holder): AppError =>
  holder === 'person'
    ? new AppError('unauthorized', `${seen}. Your credential is not accepted: log in as for kubectl.`)
    : new AppError(
        'unauthorized',
        `${seen}. The worker's own credential is not accepted: renew it, and the work goes on by itself (a kubeconfig that holds the token itself is read when the worker starts).`,
        { retry: true },
      );

/** What API servers say of a JSON Patch whose operations cannot be carried out: neither which nor why. */
const DOES_NOT_APPLY = 'the server rejected our request due to an error in our request';

/** RBAC has sentences of its own; any other 403 is no want of permissions, and more of them would not help. */
function forbiddenBy(parts: StatusBody, call: Call, holder: Holder): string {
  const lacks = typeof parts.message === 'string' ? rbacIn(parts.message) : 'right';
  if (lacks === undefined)
    return "It is not RBAC that refused it: an admission policy or quota of the cluster did, or something on the way to it; see the API server's audit log.";
  const who = holder === 'person' ? 'You' : 'The worker';
  if (lacks === 'escalation')
    return `${who} may not hand out what this role gives without holding it: the verb "bind" on that role is missing.`;
  if (holder === 'person') {
    const role = call.namespace === undefined ? 'a ClusterRole' : `a Role in namespace ${call.namespace}`;
    return `You lack a right: ask for ${role} with the rule ${ruleFor(call)}.`;
  }
  const scope = call.namespace === undefined ? 'cluster-wide' : `in namespace ${call.namespace}`;
  return `The worker lacks the permission "${call.verb}" on ${call.resource} ${scope}; grant it by RBAC.`;
}

/** Nothing that is yet to be made can be named in a rule. */
function ruleFor({ path, resource, verb, name }: Call): string {
  const [, group = ''] = /^\/apis\/([^/]+)\//.exec(path) ?? [];
  const named = name === undefined ? '' : `, resourceNames: ["${name}"]`;
  return `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]${named}}`;
}

/** Names of the offending fields; their values stay out. */
function fields(parts: StatusBody): string {
  const causes = Array.isArray(parts.details?.causes) ? parts.details.causes : [];
  const names = causes.map(({ field }) => field).filter((field) => typeof field === 'string');
  const safe = names.filter((name) => /^[A-Za-z0-9.[\]/-]{1,80}$/.test(name)).slice(0, 5);
  return safe.length > 0 ? ` (${safe.join(', ')})` : '';
}

function describe(cluster: string, call: Call): string {
  const { metadata } = (call.body ?? {}) as { metadata?: { name?: string } };
  const object = [call.namespace, call.name ?? metadata?.name].filter((part) => part !== undefined).join('/');
  return `${call.verb} ${call.resource}${object ? ` ${object}` : ''} on cluster ${cluster}`;
}
