// How a key is written in the path of a JSON Patch.

/** Escapes a key for a JSON Pointer (RFC 6901). */
export const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
