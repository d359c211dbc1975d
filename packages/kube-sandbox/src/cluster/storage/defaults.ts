// What the server adds to an object of some kinds, and the one kind of draft that it refuses here.
import type { Draft } from '../apimachinery/objects.ts';
import type { Resource } from '../apimachinery/resources.ts';
import { invalid } from '../apimachinery/status.ts';

export const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
export const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** Throws what the API would answer. */
export function checkDraft(resource: Resource, name: string, draft: Draft): void {
  if (resource.kind !== 'Secret' || draft.type !== TOKEN_SECRET_TYPE) return;
  if (draft.metadata?.annotations?.[SERVICE_ACCOUNT_NAME]) return;
  throw invalid(resource, name, `metadata.annotations[${SERVICE_ACCOUNT_NAME}]`, 'Required value');
}

export function withDefaults(resource: Resource, draft: Draft): Draft {
  switch (resource.kind) {
    case 'Secret':
      return secret(draft);
    case 'Pod': {
      const spec = { serviceAccountName: 'default', ...(draft.spec as object | undefined) };
      return { ...draft, spec, status: { phase: 'Pending', ...(draft.status as object | undefined) } };
    }
    case 'Namespace':
      return { ...draft, status: { phase: 'Active' } };
    default:
      return draft;
  }
}

function secret(draft: Draft): Draft {
  const { stringData = {}, data = {}, ...rest } = draft as Draft & Record<string, Record<string, string>>;
  const encoded = Object.entries(stringData).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  const all = { ...data, ...Object.fromEntries(encoded) };
  return { type: 'Opaque', ...rest, ...(Object.keys(all).length === 0 ? {} : { data: all }) };
}
