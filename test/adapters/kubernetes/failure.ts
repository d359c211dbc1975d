// Catches what a call throws, and checks that it is one of ours and repeats no secret.
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { AppError } from '../../../src/errors.ts';

export const LEAKED = `leaked-${crypto.randomUUID()}`;
export const CREDENTIAL = `credential-${crypto.randomUUID()}`;

export async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => expect.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  const everything = inspect(error, { depth: 20, showHidden: true });
  expect(everything).not.toContain(LEAKED);
  expect(everything).not.toContain(CREDENTIAL);
  return error as AppError;
}
