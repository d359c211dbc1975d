// Annotations in which a tool keeps a copy of the whole object: of a Secret with its values, and of anything as it once was. Pure.
import { scrub } from '../text/scrub.ts';

/** What an adapter puts in place of one. */
export const COPY_REMOVED = '[removed]';

/** kubectl's, and those of everything that applies as it does: Hypershift, Rancher, kapp, KubeVela, operators. */
const APPLIED = /last-?applied|[/.-]applied$|\/original$/i;
/** gzip in base64. */
const PACKED = /^H4sI[\w+/]{60}/;
const BASE64 = /^[\w+/]{40,}=*\s*$/;

/** By its name, or by what it holds: the fields of an object, plain or in base64, or anything that looks like a token. */
export function isCopy(key: string, value: string): boolean {
  return (
    value === COPY_REMOVED ||
    APPLIED.test(key) ||
    PACKED.test(value) ||
    isObjectText(value) ||
    scrub(value) !== value
  );
}

export const withoutCopies = (annotations: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key, value]) => !isCopy(key, value)));

function isObjectText(value: string): boolean {
  const text = BASE64.test(value) ? Buffer.from(value, 'base64').toString('utf8') : value;
  return /^\s*[{[]/.test(text)
    ? /"(?:metadata|data|stringData)"\s*:/.test(text)
    : /^(?:metadata|data|stringData):[ \t]*$/m.test(text);
}
