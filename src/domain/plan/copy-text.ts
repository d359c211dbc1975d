// What a person must know of a copy of a token in another Secret, and what exactly to do about it. Pure.

import type { CopyFact, CopySearch, CopyShape, Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import { copiesAtStake } from './copies-at-stake.ts';
import type { Approach } from './goal.ts';
import { packed } from './packed.ts';

const SHAPES: Record<CopyShape, { is: string; todo: string; after?: string }> = {
  plain: { is: 'the token alone', todo: 'write the new token there' },
  kubeconfig: { is: 'a kubeconfig', todo: 'put the new token into its users[].user.token' },
  flux: {
    is: 'a kubeconfig as Flux and Cluster API keep it',
    todo: 'put the new token into its users[].user.token',
    after: 'Flux reads it by itself.',
  },
  'argo-cd': {
    is: 'an Argo CD cluster Secret',
    todo: 'put the new token into bearerToken of that JSON',
    after: 'Argo CD reads it by itself.',
  },
  docker: { is: 'a registry login', todo: 'log in with the new token and write the result there' },
  text: { is: 'within a text', todo: 'put the new token in its place' },
};

const HOLDS: Record<CopyFact['holds'], (of: string | undefined) => string> = {
  leaked: () => '',
  secret: (of) => `, a copy of token Secret ${of}`,
  account: () => ', another token of this ServiceAccount by what it says of itself',
};

/** In few words: where, what it looks like, and who uses it. */
export function copyLine({ namespace, name, key, shape, holds, of, usedBy }: CopyFact): string {
  const users = usedBy.length > 0 ? `; used by ${usedBy.join(', ')}` : '';
  return `Secret ${namespace}/${name} key ${key} (${SHAPES[shape].is}${HOLDS[holds](of)}${users})`;
}

/** It was looked for, somewhere, and there is nothing to say of it but that. */
export const isQuiet = ({ searched, found, gaps }: CopySearch): boolean =>
  searched.length > 0 && found.length === 0 && gaps.length === 0;

/** How far the search went: nothing that was not looked at may be taken for empty. */
export function reachOf({ searched, found }: CopySearch): string {
  if (searched.length === 0) return 'not looked for; add namespaces to searchNamespaces';
  const count = found.length === 0 ? 'none' : String(found.length);
  return `${count} in ${searched.join(', ')}; not looked for elsewhere (searchNamespaces)`;
}

/** For the checklist of what a person must still move. */
export function copyTodo(copy: CopyFact): string {
  const { namespace, usedBy, managedBy } = copy;
  const { todo, after } = SHAPES[copy.shape];
  const source = `, and at its source too, because ${managedBy.join(' and ')} would write the old one again`;
  const restart = `Then restart ${usedBy.join(', ')} in ${namespace}.`;
  return [
    `${copyLine({ ...copy, usedBy: [] })}: ${todo}${managedBy.length > 0 ? source : ''}.`,
    ...(after === undefined ? [] : [after]),
    ...(usedBy.length > 0 ? [restart] : []),
  ].join(' ');
}

/** For the notes of a plan: Tourniquet changes no copy, so whoever uses one stops working. */
export function copyNotes(
  approach: Approach,
  identity: Pick<TokenIdentity, 'kind' | 'boundTo'>,
  situation: Situation,
): string[] {
  const broken = copiesAtStake(approach, identity, situation).map(copyLine);
  return packed(
    'Copies of the token in other Secrets die with it, and whatever uses them stops working. They are not changed here; a person must:',
    broken,
  );
}
