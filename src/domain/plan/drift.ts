// Warns of whoever would bring a deleted Secret back: a token Secret that is made again under its name revives a leaked RSA-signed token.

import { type Owner, type OwningObject, ownersOf, restorers } from '../kubernetes/managed-by.ts';
import type { ObjectFacts } from '../situation/judge-liveness.ts';
import type { Situation, TokenSecretFact } from '../situation/situation.ts';
import { secretsAtStake } from '../situation/stake.ts';
import type { TokenIdentity } from '../token/identity.ts';
import type { Approach } from './goal.ts';

/** How soon, where it is not at once; the quarantine holds meanwhile. */
const LATER: Record<string, string> = {
  'Argo CD': 'at its next sync',
  Flux: 'when it next reconciles',
  Helm: 'at the next upgrade',
};

/** Which of them let the label that switches the token off live, and for how long. */
const TAKES_OFF: Record<string, string> = {
  'Sealed Secrets': 'when the SealedSecret changes or its controller restarts',
  'Vault Secrets Operator': 'at its next sync',
};

/** It brings a Secret back within seconds, so that deleting it kills nothing. */
export const isPrompt = ({ tool }: Owner): boolean => LATER[tool] === undefined;

const pathOf = ({ kind, namespace, name }: OwningObject): string =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`;

/** `External Secrets (ExternalSecret api-token)`. */
export const ownerName = ({ tool, of }: Owner): string => (of ? `${tool} (${pathOf(of)})` : tool);

const soon = ({ tool }: Owner): string => LATER[tool] ?? 'within seconds';

/** What it does to a Secret that is deleted. */
function ownerDoes(owner: Owner): string {
  const { by, stands } = owner;
  const doubt =
    stands === 'unknown' && owner.of && isPrompt(owner) ? '; whether it is still there is not known' : '';
  return `${ownerName(owner)} makes it again ${soon(owner)}, without the label that switches its token off (seen by its ${by}${doubt})`;
}

export const bringsBack = (owner: Owner): string =>
  `${ownerName(owner)} would bring it and its token back ${soon(owner)}`;

/** What to remove where. */
export function ownerTodo(owner: Owner, secret: string, kubectl: string): string {
  const { tool, of, keptBy = [] } = owner;
  const kept = keptBy.length > 0 ? `; ${keptBy.join(' and ')} keeps that one, so take it out there` : '';
  switch (tool) {
    case 'Helm':
      return `take Secret ${secret} out of the chart or the values of ${of ? pathOf(of) : 'its release'}, and upgrade`;
    case 'Argo CD':
    case 'Flux':
      return `take Secret ${secret} out of the source of ${of ? pathOf(of) : tool}`;
    case 'Reflector':
      return `remove it at ${of ? pathOf(of) : 'the Secret that is reflected'}, or take ${secret} out of its reflections`;
    default:
      return of?.group
        ? `${kubectl} delete ${of.kind.toLowerCase()}.${of.group} ${of.name}${kept}`
        : `remove what makes Secret ${secret} in ${tool}`;
  }
}

/** Deleting it would only bring the token back; until its owners let go, it stays as it is, switched off. */
export const isKept = ({ owners = [] }: Pick<TokenSecretFact, 'owners'>, canSwitchOff: boolean): boolean =>
  owners.some((owner) => canSwitchOff || isPrompt(owner));

export function driftWarnings(
  { boundTo, kind }: TokenIdentity,
  { tokenSecrets = [], serviceAccount }: ObjectFacts,
): string[] {
  const affected = tokenSecrets.filter(({ name }) => kind === 'every-token' || name === boundTo?.name);
  const warnings = affected.flatMap(({ name, managers, owners }) => [
    ...(owners ?? []).map((owner) => `If Secret ${name} is deleted, ${ownerDoes(owner)}.`),
    ...(restorers(managers).includes('Velero')
      ? [
          `Velero has restored Secret ${name}: a backup that is restored again can bring the leaked token back to life.`,
        ]
      : []),
  ]);
  const finalizers = serviceAccount?.finalizers ?? [];
  if (finalizers.length > 0)
    warnings.push(
      `The ServiceAccount has finalizers (${finalizers.join(', ')}): deleting it would not complete until they are removed, so re-creating it is not offered.`,
    );
  return warnings;
}

/** For the notes of a plan: which deletions are not in it, why, and what a person must remove where instead. */
export function ownerNotes(
  approach: Approach,
  identity: Pick<TokenIdentity, 'namespace' | 'kind' | 'boundTo'>,
  situation: Situation,
  canSwitchOff: boolean,
): string[] {
  const { namespace } = identity;
  const kubectl = `kubectl --context ${situation.cluster} -n ${namespace}`;
  if (approach === 'new-service-account') return accountNotes(identity, situation);
  if (approach !== 'revoke' && approach !== 'new-secret') return [];
  if (situation.liveness.alive === 'dead') return [];
  if (approach === 'revoke' && identity.kind !== 'legacy') return [];
  return secretsAtStake(identity, situation).flatMap((secret) => {
    const { name, owners = [] } = secret;
    if (owners.length === 0) return [];
    const todo = owners.map((owner) => ownerTodo(owner, name, kubectl)).join('; and ');
    const back = owners.map(bringsBack);
    if (!isKept(secret, canSwitchOff))
      return [
        `Deleting Secret ${namespace}/${name} is not the end: ${back.join('; ')}. Before that: ${todo}.`,
      ];
    return [
      `Secret ${namespace}/${name} is not deleted by this plan: ${back.join('; ')}. ${hold(owners, canSwitchOff)} To end it: ${todo}. If the Secret is still there then: ${kubectl} delete secret ${name}`,
    ];
  });
}

function hold(owners: readonly Owner[], canSwitchOff: boolean): string {
  if (!canSwitchOff)
    return 'Its API servers ignore that label, so only this, or another way of rotating, kills the token.';
  const takers = owners.flatMap(({ tool }) =>
    TAKES_OFF[tool] ? [`${tool} takes it off ${TAKES_OFF[tool]}`] : [],
  );
  const unless = takers.length > 0 ? `, though ${takers.join(' and ')}` : '';
  return `It stays switched off by its label${unless}, and is looked at again.`;
}

/** Under another UID no old token is accepted, so that one is a nuisance and no danger. */
function accountNotes(
  { namespace }: Pick<TokenIdentity, 'namespace'>,
  { serviceAccount }: Situation,
): string[] {
  if (serviceAccount === null) return [];
  const { name, manifest } = serviceAccount;
  const { labels = {}, annotations = {} } = manifest.metadata;
  return ownersOf({ name, labels, annotations }).map(
    (owner) =>
      `${ownerName(owner)} makes ServiceAccount ${namespace}/${name} again ${soon(owner)} once it is deleted. Its old tokens stay dead, because its UID is another; take it out there too.`,
  );
}
