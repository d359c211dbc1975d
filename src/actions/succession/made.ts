// Objects that one try makes: each is made once, and only what bears the mark of that try is ever taken for its own or deleted.
import { MADE_BY } from '../../domain/kubernetes/own-annotations.ts';
import type { BindingLike } from '../../domain/situation/bindings.ts';
import { isAppError } from '../../errors.ts';
import type { Cluster, ClusterView, KubernetesObject, ObjectRef } from '../../ports/cluster.ts';

export interface Item {
  /** As people are told: `ServiceAccount payments/api-r20261124`. */
  path: string;
  ref: ObjectRef;
  /** Without the mark. */
  manifest: {
    metadata: { name: string; labels?: Record<string, string>; annotations: Record<string, string> };
    [field: string]: unknown;
  };
  /** What somebody else made that does as well; it is used and never deleted. */
  fits?(found: Partial<BindingLike>): boolean;
}

export interface ItemState {
  item: Item;
  is: 'absent' | 'ours' | 'fits' | 'foreign';
  uid?: string;
  object?: KubernetesObject;
}

/** By list, because what is not a ServiceAccount or a Secret may be listed and not read one by one. */
export async function itemState(
  cluster: ClusterView,
  item: Item,
  mark: string | undefined,
): Promise<ItemState> {
  const { name, ...where } = item.ref;
  const [found] = await cluster.list<KubernetesObject>({
    ...where,
    fieldSelector: `metadata.name=${name}`,
    metadataOnly: item.fits === undefined,
  });
  if (found === undefined) return { item, is: 'absent' };
  const { uid, annotations } = found.metadata;
  const ours = mark !== undefined && annotations?.[MADE_BY] === mark;
  const is = ours ? 'ours' : item.fits?.(found as Partial<BindingLike>) ? 'fits' : 'foreign';
  return { item, is, uid, object: found };
}

/** Written first and looked at only where that is refused: a person may have made what the worker may not. */
export async function make(cluster: Cluster, item: Item, mark: string): Promise<ItemState> {
  const { name: _, ...where } = item.ref;
  const { metadata, ...rest } = item.manifest;
  const body = {
    ...rest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [MADE_BY]: mark } },
  };
  try {
    const object = await cluster.create(where, body);
    return { item, is: 'ours', uid: object.metadata.uid, object };
  } catch (error) {
    if (!isAppError(error, 'conflict', 'forbidden', 'denied')) throw error;
    const standing = await itemState(cluster, item, mark);
    if (standing.is === 'absent') throw error;
    return standing;
  }
}

/** Only what bears the mark, by its UID. */
export async function unmake(cluster: Cluster, item: Item, mark: string | undefined): Promise<boolean> {
  const { is, uid } = await itemState(cluster, item, mark);
  if (is !== 'ours' || uid === undefined) return false;
  try {
    await cluster.remove(item.ref, { uid });
    return true;
  } catch (error) {
    if (isAppError(error, 'not-found', 'conflict')) return false;
    throw error;
  }
}
