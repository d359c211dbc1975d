// What the Accept header asks for: whole objects, or their metadata alone so that no secret value leaves the server.
import type { KubeObject } from './objects.ts';
import { ApiError } from './status.ts';

type Form = 'PartialObjectMetadata' | 'PartialObjectMetadataList';

function formOf(range: string): Form | 'whole' | undefined {
  const [mediaType = '', ...parameters] = range.split(';').map((part) => part.trim());
  const as = parameters.find((each) => each.startsWith('as='))?.slice(3);
  if (as === undefined)
    return ['', '*/*', 'application/*', 'application/json'].includes(mediaType) ? 'whole' : undefined;
  const known = parameters.includes('g=meta.k8s.io') && parameters.includes('v=v1');
  if (mediaType !== 'application/json' || !known) return undefined;
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? as : undefined;
}

/** Whether to answer with metadata only; 406 when nothing acceptable is offered. */
export function wantsMetadataOnly(accept: string, form: Form): boolean {
  for (const range of accept.split(',')) {
    const asked = formOf(range);
    if (asked === 'whole') return false;
    if (asked === form) return true;
    // The first form that is known decides, even where it does not fit and another one would.
    if (asked !== undefined) {
      const isList = form.endsWith('List') ? 'a list' : 'not a list';
      throw notAcceptable(`you requested ${asked}, but the requested object is ${isList}`);
    }
  }
  throw notAcceptable('only the following media types are accepted: application/json');
}

function notAcceptable(message: string): ApiError {
  return new ApiError(406, 'NotAcceptable', message);
}

export function metadataOnly({ metadata }: KubeObject): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

export function represent(object: KubeObject, accept: string): unknown {
  return wantsMetadataOnly(accept, 'PartialObjectMetadata') ? metadataOnly(object) : object;
}
