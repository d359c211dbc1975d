// List requests: selectors, pages that stay consistent, whole objects or metadata only.

import type { KubeObject } from '../apimachinery/objects.ts';
import { metadataOnly, wantsMetadataOnly } from '../apimachinery/representation.ts';
import { apiVersion, type Resource } from '../apimachinery/resources.ts';
import { selector } from '../apimachinery/selectors.ts';
import { badRequest, expired } from '../apimachinery/status.ts';
import type { Call, Target } from './call.ts';

interface Cursor {
  id: string;
  offset: number;
  revision: number;
}

const encode = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

function decode(text: string): Cursor {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Cursor;
  } catch {
    throw badRequest('continue key is not valid: it must come from the previous page');
  }
}

export function selectorOf({ query }: Call, { resource }: Target): (object: KubeObject) => boolean {
  return selector(resource, query.get('labelSelector'), query.get('fieldSelector'));
}

interface Page {
  items: KubeObject[];
  revision: number;
  next?: Cursor;
  remaining: number;
}

function pageOf(call: Call, target: Target): Page {
  const { store } = call.world;
  const limit = Number(call.query.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
  const token = call.query.get('continue');
  const cursor = token ? decode(token) : undefined;
  const revision = cursor?.revision ?? store.revision;
  const offset = cursor?.offset ?? 0;
  const all =
    cursor === undefined
      ? store.list(target.resource, target.namespace).filter(selectorOf(call, target))
      : store.restOf(cursor.id);
  if (all === undefined) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  }
  const items = all.slice(offset, offset + limit);
  const remaining = all.length - offset - items.length;
  if (remaining === 0) return { items, revision, remaining };
  const id = cursor?.id ?? store.keepRest(all);
  return { items, revision, remaining, next: { id, offset: offset + limit, revision } };
}

function listMeta(call: Call, { revision, next, remaining }: Page): object {
  const resourceVersion = String(revision);
  if (next === undefined) return { resourceVersion };
  const selected = call.query.has('labelSelector') || call.query.has('fieldSelector');
  // The real server does not count ahead where a selector filters.
  return { resourceVersion, continue: encode(next), ...(selected ? {} : { remainingItemCount: remaining }) };
}

function withoutType({ kind: _kind, apiVersion: _version, ...rest }: KubeObject): unknown {
  return rest;
}

function kindOfList(resource: Resource): object {
  return { kind: `${resource.kind}List`, apiVersion: apiVersion(resource) };
}

export function listObjects(call: Call, target: Target): unknown {
  const partial = wantsMetadataOnly(call.headers.accept, 'PartialObjectMetadataList');
  const page = pageOf(call, target);
  const metadata = listMeta(call, page);
  return partial
    ? {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
        items: page.items.map(metadataOnly),
      }
    : { ...kindOfList(target.resource), metadata, items: page.items.map(withoutType) };
}
