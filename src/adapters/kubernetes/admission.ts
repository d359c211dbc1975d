// Tells a denial by admission from every other failure, by what the API server says of it.
import { denialIn, deniedText } from '../../domain/kubernetes/denials.ts';
import { AppError } from '../../errors.ts';
import type { Call } from './call.ts';

/** Whatever the status, which policies and webhooks choose themselves: a denial with 404 is no object that is gone. */
export function byAdmission(
  cluster: string,
  call: Call,
  status: number,
  message: unknown,
  seen: string,
): AppError | undefined {
  if (typeof message !== 'string') return undefined;
  const refusal = denialIn(withoutSent(message, call), { cluster, namespace: call.namespace });
  if (refusal)
    return new AppError('denied', `${seen}. ${deniedText(refusal, ' Nothing was changed.')}`, {
      retry: refusal.passing || status === 429,
    });
  const [, silent] = /\bfailed calling webhook "([\w.:/-]{1,253})"/.exec(message) ?? [];
  if (silent !== undefined)
    return new AppError(
      'unreachable',
      `${seen}. The API server asks admission webhook ${silent} first, which did not answer as it should. Nothing was changed; see what runs it, or its webhook configuration.`,
      { retry: true },
    );
  const [, noDryRun] = /^admission webhook "([\w.:/-]{1,253})" does not support dry run/.exec(message) ?? [];
  return noDryRun === undefined
    ? undefined
    : new AppError('unsupported', `${seen}. Admission webhook ${noDryRun} does not support dry run.`);
}

/** A policy may repeat what it was shown, and a conditional write shows it the leaked token. */
function withoutSent(message: string, { body }: Call): string {
  const values = Array.isArray(body) ? (body as { op?: string; value?: unknown }[]) : [];
  const tested = values.flatMap(({ op, value }) =>
    op === 'test' && typeof value === 'string' && value.length > 40 ? [value] : [],
  );
  const both = tested.flatMap((value) => [value, Buffer.from(value, 'base64').toString()]);
  return both.reduce((text, value) => text.replaceAll(value, '[value removed]'), message);
}
