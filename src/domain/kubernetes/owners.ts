// Up the chain of owners: what a person would change so that a Pod is made anew.
import { controllerOf, type Meta, type OwnerReference, type WorkloadObject } from './objects.ts';

/** `kind` and `apiVersion` are of the list, because the items of a list do not say them. */
export interface Entry {
  kind: string;
  apiVersion: string;
  object: WorkloadObject;
}

/** By UID. */
export type KnownOwners = ReadonlyMap<string, Entry>;

export interface Top {
  kind: string;
  apiVersion: string;
  name: string;
  uid: string;
  /** Absent for kinds that nobody listed. */
  object?: WorkloadObject;
  /** `Kind/name` of a controller above it that is not known. */
  ownedBy?: string;
}

/** These only carry out what the one above them says. */
const BETWEEN = new Set(['ReplicaSet', 'ReplicationController', 'Job']);

export const knownBy = (entries: readonly Entry[]): KnownOwners =>
  new Map(entries.map((entry) => [entry.object.metadata.uid, entry]));

/** Longer chains are circles, which nothing forbids. */
const MAX_DEPTH = 10;

/** Undefined: nothing controls it. */
export function topOf(meta: Meta, known: KnownOwners, depth = 0): Top | undefined {
  const owner = controllerOf(meta);
  const entry = owner && known.get(owner.uid);
  if (entry === undefined || depth > MAX_DEPTH) return owner && byReference(owner);
  return topOfEntry(entry, known, depth + 1);
}

export function topOfEntry(entry: Entry, known: KnownOwners, depth = 0): Top {
  const { kind, apiVersion, object } = entry;
  const { name, uid } = object.metadata;
  const above = topOf(object.metadata, known, depth);
  const self: Top = { kind, apiVersion, name, uid, object };
  if (above === undefined) return self;
  // A Deployment of an operator is still what rolls its Pods; a ReplicaSet of one is not.
  if (above.object === undefined && !BETWEEN.has(kind))
    return { ...self, ownedBy: `${above.kind}/${above.name}` };
  return above;
}

const byReference = ({ kind, apiVersion, name, uid }: OwnerReference): Top => ({
  kind,
  apiVersion,
  name,
  uid,
});
