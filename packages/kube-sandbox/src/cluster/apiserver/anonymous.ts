// Answers somebody who shows no credential: RBAC lets system:anonymous read health and version, and nothing else.

import { type ApiError, forbidden } from '../apimachinery/status.ts';
import { type Place, placeOf } from './paths.ts';

const VERBS: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

function verbOf(method: string, url: URL, { name }: Partial<Place>): string {
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete';
  if (method !== 'GET') return VERBS[method] ?? method.toLowerCase();
  if (name !== undefined) return 'get';
  return url.searchParams.has('watch') ? 'watch' : 'list';
}

export function forbiddenToAnonymous(method: string, url: URL): ApiError {
  const place = placeOf(url.pathname);
  const may = 'User "system:anonymous" cannot';
  if (place === undefined) {
    const verb = method === 'GET' ? 'get' : verbOf(method, url, {});
    return forbidden(`forbidden: ${may} ${verb} path "${url.pathname}"`, {});
  }
  const { group, namespace, plural, name, subresource } = place;
  const what = `${group === '' ? plural : `${plural}.${group}`}${name === undefined ? '' : ` "${name}"`}`;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message = `${what} is forbidden: ${may} ${verbOf(method, url, place)} resource "${resource}" in API group "${group}" ${scope}`;
  const details = { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: plural };
  return forbidden(message, details);
}
