// Structured logs that cannot carry a token: every line is looked through before it is written, keys and values at any depth.
import { type DestinationStream, pino } from 'pino';
import { scrub } from './domain/token/leak-material.ts';
import { logFields } from './log-fields.ts';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object): Log;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Redacted whatever they hold. */
const SENSITIVE = new Set(['token', 'authorization', 'password', 'cookie', 'headers', 'body']);

export function createLog({ level, destination }: { level: LogLevel; destination?: DestinationStream }): Log {
  const describe = (error: unknown) => describeError(error, 0);
  const options = {
    level,
    base: null,
    mixin: () => ({ ...logFields() }),
    // What a line says itself wins over what its surroundings say.
    mixinMergeStrategy: (own: object, around: object) => ({ ...around, ...own }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describe, error: describe },
    // Not pino's `redact`: its wildcards throw on a URL object. Not a scrub of the line as text: it could cut an escape in two.
    hooks: { streamWrite: (line: string) => `${JSON.stringify(clean(JSON.parse(line)))}\n` },
  };
  return destination ? pino(options, destination) : pino(options);
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      scrub(name),
      SENSITIVE.has(name.toLowerCase()) ? '[redacted]' : clean(inner),
    ]),
  );
}

/** Code, message, stack and causes; what SDKs hang on their errors (bodies, headers, requests) stays behind. */
function describeError(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    message,
    stack,
    ...(cause !== undefined && depth < 3 && { cause: describeError(cause, depth + 1) }),
  };
}
