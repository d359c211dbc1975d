// Whether who once made an object is still there to make it again: where to look for that one, and what the answer means. Pure.

import { managedBy, type Owner, type OwningObject } from './managed-by.ts';
import type { Meta } from './objects.ts';
import type { Resource } from './resources.ts';

/** Kinds of the objects that make Secrets in their own namespace; no value is in any of them. */
export const OWNING_KINDS: readonly { group: string; versions: string[]; kinds: Record<string, string> }[] = [
  {
    group: 'external-secrets.io',
    versions: ['v1', 'v1beta1'],
    kinds: { ExternalSecret: 'externalsecrets' },
  },
  { group: 'bitnami.com', versions: ['v1alpha1'], kinds: { SealedSecret: 'sealedsecrets' } },
  {
    group: 'secrets.hashicorp.com',
    versions: ['v1beta1'],
    kinds: {
      VaultStaticSecret: 'vaultstaticsecrets',
      VaultDynamicSecret: 'vaultdynamicsecrets',
      VaultPKISecret: 'vaultpkisecrets',
      HCPVaultSecretsApp: 'hcpvaultsecretsapps',
    },
  },
];

export interface Query {
  resource: Resource;
  namespace: string;
  fieldSelector: string;
  metadataOnly: true;
}

/** What a query found; undefined where nobody could tell: it may not be read, or its kind is not served in that version. */
export type List = (query: Query) => Promise<readonly { metadata: Meta }[] | undefined>;

/** More than anybody owns anything with; whoever wrote so many wants something else. */
const MOST = 8;

/**
 * Those that are there, or may be. By name and not by UID: one that was made anew under its name makes the object again as
 * well. Whose kind nobody here knows is believed to be there.
 */
export async function standing(owners: readonly Owner[], namespace: string, list: List): Promise<Owner[]> {
  if (owners.length > MOST) return owners.slice(0, MOST).map((owner) => ({ ...owner, stands: 'unknown' }));
  const looked = await Promise.all(owners.map((owner) => lookFor(owner, namespace, list)));
  return looked.flatMap((owner) => owner ?? []);
}

async function lookFor(owner: Owner, namespace: string, list: List): Promise<Owner | undefined> {
  for (const query of owner.of ? queriesFor(owner.of, namespace) : []) {
    const found = await list(query);
    if (found?.length === 0) return undefined;
    if (found?.[0]) {
      const keptBy = managedBy(found[0].metadata);
      return { ...owner, stands: 'seen', ...(keptBy.length > 0 ? { keptBy } : {}) };
    }
  }
  return { ...owner, stands: 'unknown' };
}

function queriesFor({ group, version, kind, name }: OwningObject, namespace: string): Query[] {
  const known = OWNING_KINDS.find((one) => one.group === group);
  const plural = known?.kinds[kind];
  if (known === undefined || plural === undefined) return [];
  const versions = [...new Set([...(version ? [version] : []), ...known.versions])];
  return versions.map((each) => ({
    resource: { group, version: each, plural, namespaced: true },
    namespace,
    fieldSelector: `metadata.name=${name}`,
    metadataOnly: true,
  }));
}
