// What a person must know, or do alone, where power is handed to a new ServiceAccount or taken away from the old one. Pure.

import { bindingPath } from '../situation/bindings.ts';
import { namedElsewhere } from '../situation/named-elsewhere.ts';
import type { Situation } from '../situation/situation.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { Approach } from './goal.ts';
import { packed } from './packed.ts';
import { bindCommand, hasRights, rightsNotes, sharedBinding, unbindCommand } from './rights.ts';
import { successionOf } from './succession.ts';

export function powerNotes(
  approach: Approach,
  identity: TokenIdentity,
  situation: Situation,
  today: string,
): string[] {
  const missing = rightsNotes(approach, situation);
  if (approach === 'new-service-account') return [...missing, ...successionNotes(identity, situation, today)];
  return approach === 'unbind' ? [...missing, ...unbindNotes(situation)] : [];
}

function successionNotes(identity: TokenIdentity, situation: Situation, today: string): string[] {
  const succession = successionOf(identity, situation, today);
  const { access, bindings, cluster, serviceAccount } = situation;
  if (succession === undefined || serviceAccount === null || access === undefined) return [];
  const { name } = succession;
  const account = `${identity.namespace}:${name}`;
  if (!hasRights(situation)) {
    const commands = succession.bindings.map(({ from, to }) => bindCommand(from, to, account, cluster));
    const opening = 'Or make these bindings yourself, and ask for the plan again on the same day (UTC):';
    return packed(opening, commands);
  }
  const forgotten = access.namesakes.filter(({ replaces }) => replaces === serviceAccount.name);
  const dangling = bindings.filter(({ sole }) => sole).map((binding) => unbindCommand(binding, cluster));
  return [
    ...forgotten.map(
      (one) =>
        `ServiceAccount ${identity.namespace}/${one.name} was made by an earlier try and is not used by this plan. Once nothing uses it: kubectl --context ${cluster} -n ${identity.namespace} delete serviceaccount ${one.name}`,
    ),
    ...namedElsewhere(identity, situation, name),
    ...finalizerNote(serviceAccount.finalizers),
    ...packed(
      'The old bindings are left in place: they name nobody then, and whoever makes a ServiceAccount of the old name would have their power. When all is well:',
      dangling,
    ),
  ];
}

const finalizerNote = (finalizers: readonly string[]): string[] =>
  finalizers.length > 0
    ? [
        `The old ServiceAccount is held by finalizers (${finalizers.join(', ')}): its tokens die within about a minute of its deletion all the same, and the object goes once these are removed.`,
      ]
    : [];

function unbindNotes({ bindings, cluster }: Situation): string[] {
  const shared = bindings.filter(({ as, sole }) => as !== 'Group' && !sole);
  const groups = bindings.filter(({ as }) => as === 'Group');
  return [
    'Taking the power away kills no token: it is still accepted, and lets its holder do what everybody authenticated may do. The incident stays open until the token itself is dead.',
    ...packed(
      'These bindings have other subjects too, so take this one out by hand (an update needs "bind" on the role as well):',
      shared.map((binding) => sharedBinding(binding, cluster)),
    ),
    ...(groups.length > 0
      ? [`Bound as a group, which cannot be taken from one alone: ${groups.map(bindingPath).join(', ')}.`]
      : []),
  ];
}
