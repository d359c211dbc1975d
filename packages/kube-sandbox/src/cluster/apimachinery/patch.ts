// The three patch formats: JSON Patch is exact (the kill depends on it), the others are plain map merges.
import { isDeepStrictEqual } from 'node:util';
import { ApiError, badRequest, notModelled, patchDoesNotApply } from './status.ts';

type Json = unknown;
type JsonMap = Record<string, Json>;

interface Operation {
  op: string;
  path: string;
  value?: Json;
}

function isMap(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function segments(path: string): string[] {
  if (!path.startsWith('/')) throw patchDoesNotApply();
  return path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function arrayIndex(array: Json[], segment: string, forAdd: boolean): number {
  if (forAdd && segment === '-') return array.length;
  const index = Number(segment);
  const last = forAdd ? array.length : array.length - 1;
  if (!/^\d+$/.test(segment) || index > last) throw patchDoesNotApply();
  return index;
}

function child(container: Json, segment: string): Json {
  if (Array.isArray(container)) return container[arrayIndex(container, segment, false)];
  return isMap(container) && Object.hasOwn(container, segment) ? container[segment] : undefined;
}

function locate(document: Json, path: string): { parent: Json[] | JsonMap; key: string } {
  const steps = segments(path);
  const key = steps.pop() ?? '';
  const parent = steps.reduce(child, document);
  // A missing parent is the safety of `add /metadata/labels/<key>`: the map is never made up.
  if (!Array.isArray(parent) && !isMap(parent)) throw patchDoesNotApply();
  return { parent, key };
}

function apply(document: JsonMap, operation: Operation): void {
  const { parent, key } = locate(document, operation.path);
  if (operation.op === 'test') {
    // As the real server's library does: a missing member equals null.
    const same = isDeepStrictEqual(child(parent, key) ?? null, operation.value ?? null);
    if (!same) throw patchDoesNotApply();
    return;
  }
  // In a map, replacing what is not there adds it, as with the real server's library.
  const needed = operation.op === 'remove' || (operation.op === 'replace' && Array.isArray(parent));
  if (needed && child(parent, key) === undefined) throw patchDoesNotApply();
  if (Array.isArray(parent)) {
    const index = arrayIndex(parent, key, operation.op === 'add');
    if (operation.op === 'remove') parent.splice(index, 1);
    else parent.splice(index, operation.op === 'add' ? 0 : 1, operation.value);
  } else if (operation.op === 'remove') delete parent[key];
  else parent[key] = operation.value;
}

function jsonPatch<T>(document: T, patch: Json): T {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON Patch is a list of operations');
  const copy = structuredClone(document);
  for (const operation of patch as Operation[]) {
    if (typeof operation?.path !== 'string')
      throw badRequest('error decoding patch: an operation has no path');
    if (!['add', 'remove', 'replace', 'test'].includes(operation.op)) {
      throw notModelled(`the JSON Patch operation "${operation.op}"`);
    }
    apply(copy as JsonMap, operation);
  }
  return copy;
}

function mergePatch(document: Json, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const merged: JsonMap = isMap(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function holdsList(value: Json): boolean {
  if (Array.isArray(value)) return true;
  return isMap(value) && Object.entries(value).some(([key, each]) => key.startsWith('$') || holdsList(each));
}

/** The patched copy; the document itself is never touched. */
export function applyPatch<T>(document: T, contentType: string, patch: Json): T {
  const [mediaType = ''] = contentType.split(';');
  if (mediaType === 'application/json-patch+json') return jsonPatch(document, patch);
  if (!isMap(patch)) throw badRequest('error decoding patch: a merge patch is a JSON object');
  if (mediaType === 'application/merge-patch+json') return mergePatch(document, patch) as T;
  if (mediaType.startsWith('application/apply-patch+')) throw notModelled('server-side apply');
  if (mediaType !== 'application/strategic-merge-patch+json') {
    throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type');
  }
  if (holdsList(patch)) throw notModelled('strategic merge patches that hold lists or directives');
  return mergePatch(document, patch) as T;
}
