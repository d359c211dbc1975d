// Turns an authenticated request into an answer: finds the kind its path names and carries out the verb.

import { type Draft, type KubeObject, timestamp } from '../apimachinery/objects.ts';
import { applyPatch } from '../apimachinery/patch.ts';
import { represent } from '../apimachinery/representation.ts';
import { type Resource, serviceAccounts } from '../apimachinery/resources.ts';
import { badRequest, deleted, invalid, noSuchPath, notFound, notModelled } from '../apimachinery/status.ts';
import { type DeleteOptions, deleteObject } from '../storage/deletion.ts';
import { createObject, replaceObject } from '../storage/lifecycle.ts';
import { type Answer, type Call, managerOf, parseBody, type Streaming, type Target } from './call.ts';
import { discovery } from './discovery.ts';
import { listObjects } from './list.ts';
import { findTarget, placeOf } from './paths.ts';
import { review } from './reviews.ts';
import { requestToken, type TokenRequestSpec } from './token-request.ts';
import { watchObjects } from './watch.ts';

function existing(call: Call, { resource, namespace, name = '' }: Target): KubeObject {
  const object = call.world.store.get(resource, namespace, name);
  if (object === undefined) throw notFound(resource, name);
  return object;
}

function ok(call: Call, object: KubeObject, status = 200): Answer {
  return { status, body: represent(object, call.headers.accept) };
}

function create(call: Call, { resource, namespace }: Target): Answer {
  const draft = draftFrom(call, resource);
  const inBody = draft.metadata?.namespace;
  if (inBody !== undefined && inBody !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return ok(call, createObject(call.world, resource, namespace, draft, managerOf(call)), 201);
}

function draftFrom(call: Call, resource: Resource): Draft {
  const draft = parseBody(call) as Draft | undefined;
  if (typeof draft !== 'object' || draft === null) throw badRequest('the request has no object in its body');
  const kind = draft.kind ?? resource.kind;
  if (kind !== resource.kind) throw badRequest(`the object provided is a ${kind}, not a ${resource.kind}`);
  return draft;
}

function update(call: Call, target: Target): Answer {
  const current = existing(call, target);
  const { metadata = {}, ...rest } = draftFrom(call, target.resource);
  const { name, namespace } = current.metadata;
  const place = namespace === undefined ? { name } : { name, namespace };
  const next = { ...rest, metadata: { ...place, ...metadata } } as KubeObject;
  return ok(call, replaceObject(call.world, target.resource, current, next, managerOf(call)));
}

function patch(call: Call, target: Target): Answer {
  const current = existing(call, target);
  const next = applyPatch(current, call.headers.contentType, parseBody(call));
  if (typeof next.metadata !== 'object') throw badRequest('a patch may not remove the metadata of an object');
  const { uid } = next.metadata;
  if (uid && uid !== current.metadata.uid) {
    const why = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
    throw invalid(target.resource, current.metadata.name, 'metadata.uid', why);
  }
  return ok(call, replaceObject(call.world, target.resource, current, next, managerOf(call)));
}

function remove(call: Call, target: Target): Answer {
  const options = (parseBody(call) as DeleteOptions | undefined) ?? {};
  const grace = call.query.get('gracePeriodSeconds');
  if (grace !== null) options.gracePeriodSeconds = Number(grace);
  const current = existing(call, target);
  const { object, removed } = deleteObject(call.world, target.resource, current, options);
  if (!removed || target.resource.returnsDeleted) return ok(call, object);
  return { status: 200, body: deleted(target.resource, object.metadata.name, object.metadata.uid) };
}

function issueToken(call: Call, { namespace = '', name = '' }: Target): Answer {
  const request = parseBody(call) as { spec?: TokenRequestSpec } | undefined;
  if (request === undefined)
    throw badRequest('the object provided is unrecognized (must be of type TokenRequest)');
  const { spec = {} } = request;
  const issued = requestToken(call.world, namespace, name, spec);
  const { token, expirationTimestamp } = issued;
  const metadata = { name, namespace, creationTimestamp: timestamp(call.world.now()) };
  const base = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata };
  return { status: 201, body: { ...base, spec: issued.spec, status: { token, expirationTimestamp } } };
}

function reviewAnswer(call: Call): Answer | undefined {
  const place = placeOf(call.path);
  if (call.method !== 'POST' || place?.version !== 'v1' || place.name !== undefined) return undefined;
  const { world, authenticator, caller } = call;
  const body = review(place.group, place.plural, { world, authenticator, caller }, parseBody(call));
  return body === undefined ? undefined : { status: 201, body };
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1';
}

/** Of what is modelled for one: making and patching objects. */
function dryRun(call: Call, target: Target): Answer {
  const asked = `${call.method} ${call.path} with dryRun=${call.query.get('dryRun')}`;
  if (call.query.get('dryRun') !== 'All' || target.subresource !== undefined) throw notModelled(asked);
  const dry: Call = { ...call, world: { ...call.world, store: call.world.store.dry() } };
  if (call.method === 'POST' && target.name === undefined) return create(dry, target);
  if (call.method === 'PATCH' && target.name !== undefined) return patch(dry, target);
  throw notModelled(asked);
}

/** A group of somebody else's: as in a cluster where that is not installed. */
const isForeign = (path: string): boolean => /^\/apis\/(?!.*k8s\.io\/)[^/]+\.[^/]+\//.test(path);

/** The answer to a request whose token was accepted; throws ApiError. */
export function handle(call: Call): Answer | Streaming {
  const reviewed = reviewAnswer(call);
  if (reviewed !== undefined) return reviewed;
  const document = call.method === 'GET' ? discovery(call.path) : undefined;
  if (document !== undefined) return { status: 200, body: document };
  const target = findTarget(call.path);
  const asked = `${call.method} ${call.path}`;
  if (target === undefined) throw isForeign(call.path) ? noSuchPath() : notModelled(asked);
  if (call.query.has('dryRun')) return dryRun(call, target);
  const { resource, namespace, name, subresource } = target;
  if (subresource !== undefined) {
    if (resource === serviceAccounts && subresource === 'token' && call.method === 'POST') {
      return issueToken(call, target);
    }
    throw notModelled(asked);
  }
  const addressed = !resource.namespaced || namespace !== undefined;
  if (call.method === 'GET' && name === undefined) {
    return isTrue(call.query.get('watch'))
      ? watchObjects(call, target)
      : { status: 200, body: listObjects(call, target) };
  }
  if (call.method === 'POST' && name === undefined && addressed) return create(call, target);
  if (name === undefined || !addressed) throw notModelled(asked);
  if (call.method === 'GET') return ok(call, existing(call, target));
  if (call.method === 'PUT') return update(call, target);
  if (call.method === 'PATCH') return patch(call, target);
  if (call.method === 'DELETE') return remove(call, target);
  throw notModelled(asked);
}
