// Several installations in one workspace: each has its own names of the slash commands, also in everything that it says.

export interface CommandNames {
  /** `/team-revoke-sa`, as a person typed it → `revoke-sa`; undefined where it is of another installation. */
  own(typed: string): string | undefined;
  /** The same text, or whatever Slack is sent, with the names of the commands as they are here. */
  told<T>(value: T): T;
}

/** Our own texts always write a command as code, at its beginning; that tells it from what else people write. */
export function commandNames(prefix: string, names: readonly string[]): CommandNames {
  const written = new RegExp(`\`/(?=(?:${names.join('|')})[ \`])`, 'g');
  const told = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(written, `\`/${prefix}`);
    if (Array.isArray(value)) return value.map(told);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, told(inner)]));
  };
  return {
    own: (typed) => (typed.startsWith(`/${prefix}`) ? typed.slice(prefix.length + 1) : undefined),
    told: <T>(value: T): T => (prefix === '' ? value : (told(value) as T)),
  };
}
