// Reads API paths: which kind, where, which object.

import { findResource } from '../apimachinery/resources.ts';
import type { Target } from './call.ts';

export interface Place {
  group: string;
  version: string;
  namespace?: string;
  plural: string;
  name?: string;
  subresource?: string;
}

/** Undefined: not a path of one kind. */
export function placeOf(path: string): Place | undefined {
  const [, core, group = '', groupVersion, rest = ''] =
    /^\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))(?:\/(.*))?$/.exec(path) ?? [];
  const version = core ?? groupVersion;
  if (version === undefined) return undefined;
  const segments = rest.split('/').filter(Boolean).map(decodeURIComponent);
  const inNamespace = segments[0] === 'namespaces' && segments.length > 2;
  const [plural, name, subresource, ...more] = inNamespace ? segments.slice(2) : segments;
  if (plural === undefined || more.length > 0) return undefined;
  return {
    group,
    version,
    plural,
    ...(inNamespace ? { namespace: segments[1] ?? '' } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** Undefined: not a kind that is modelled. */
export function findTarget(path: string): Target | undefined {
  const place = placeOf(path);
  if (place === undefined) return undefined;
  const { group, version, plural, ...where } = place;
  const resource = findResource(group, version, plural);
  if (resource === undefined || (where.namespace !== undefined && !resource.namespaced)) return undefined;
  return { resource, ...where };
}
