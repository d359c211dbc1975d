// Commands as a person can paste them into a shell.

/** One word, whatever is in it (POSIX). */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Creates an object without a file. `kubectl`: with its context and namespace. */
export const createCommand = (kubectl: string, manifest: unknown): string =>
  `printf %s ${quoted(JSON.stringify(manifest))} | ${kubectl} create -f -`;
