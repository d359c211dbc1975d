// An `ok: false` answer of the Web API, thrown by whatever finds the fault.
import type { Json } from './types.ts';

export class SlackError extends Error {
  readonly code: string;
  readonly details: Json;

  constructor(code: string, details: Json = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }

  get body(): Json {
    return { ok: false, error: this.code, ...this.details };
  }
}

/** Slack names each faulty place twice: in `errors` and, tagged, in `response_metadata.messages`. */
export function schemaError(code: string, problems: string[]): SlackError {
  return new SlackError(code, {
    errors: problems,
    response_metadata: { messages: problems.map((problem) => `[ERROR] ${problem}`) },
  });
}
