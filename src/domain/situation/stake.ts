// Which token Secrets an incident is about.

import type { TokenIdentity } from '../token/identity.ts';
import type { Situation, TokenSecretFact } from './situation.ts';

/** Those that hold what leaked: one, or all of the ServiceAccount; never what was made to take the place of one. */
export const secretsAtStake = (
  { kind, boundTo }: Pick<TokenIdentity, 'kind' | 'boundTo'>,
  { tokenSecrets }: Pick<Situation, 'tokenSecrets'>,
): TokenSecretFact[] =>
  tokenSecrets.filter(
    ({ name, deleting, replaces }) =>
      !deleting &&
      ((kind === 'every-token' && replaces === undefined) || (kind === 'legacy' && name === boundTo?.name)),
  );

/** What takes the place of this one already. */
export const successorOf = (
  { name }: Pick<TokenSecretFact, 'name'>,
  { tokenSecrets }: Pick<Situation, 'tokenSecrets'>,
): TokenSecretFact | undefined =>
  tokenSecrets.find(({ replaces, deleting }) => replaces === name && !deleting);
