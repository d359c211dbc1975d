// Which copies of tokens in other Secrets die with a way of revoking or rotating. Pure.

import type { CopyFact, Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import { type Approach, killsEveryToken } from './goal.ts';

/** Copies of what this way kills; every one where it kills every token of the ServiceAccount. */
export function copiesAtStake(
  approach: Approach,
  { kind, boundTo }: Pick<TokenIdentity, 'kind' | 'boundTo'>,
  { copies }: Pick<Situation, 'copies'>,
): CopyFact[] {
  if (copies === undefined || approach === 'restart' || approach === 'unbind') return [];
  if (killsEveryToken(approach, { kind })) return copies.found;
  return copies.found.filter(
    ({ holds, of }) =>
      holds === 'leaked' || (holds === 'secret' && (kind === 'every-token' || of === boundTo?.name)),
  );
}
