// The one object store behind all API servers of a cluster: resource versions, history for watches, subscribers.
import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../apimachinery/objects.ts';
import { type Resource, resourceName } from '../apimachinery/resources.ts';

export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  revision: number;
  resource: Resource;
  object: KubeObject;
  /** The object before a change or deletion, so that watches with selectors know what left their view. */
  previous?: KubeObject;
}

const HISTORY = 5_000;
const LISTS = 200;

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** Stored objects are shared and never changed in place: every write puts a new object. */
export class Store {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #unfinishedLists = new Map<string, KubeObject[]>();
  #history: StoreEvent[] = [];
  #revision = 1_000;
  #oldest = 1_000;

  get revision(): number {
    return this.#revision;
  }

  get<T extends KubeObject>(
    resource: Resource,
    namespace: string | undefined,
    name: string | undefined,
  ): T | undefined {
    if (name === undefined) return undefined;
    return this.#of(resource).get(keyOf(resource.namespaced ? namespace : undefined, name)) as T | undefined;
  }

  list<T extends KubeObject>(resource: Resource, namespace?: string): T[] {
    const all = [...this.#of(resource).entries()]
      .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return all.map(([, object]) => object as T);
  }

  /** Adds or replaces; gives it the next resource version. */
  put(resource: Resource, object: KubeObject): KubeObject {
    const revision = ++this.#revision;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    const key = keyOf(stored.metadata.namespace, stored.metadata.name);
    const previous = this.#of(resource).get(key);
    this.#of(resource).set(key, stored);
    this.#publish(
      previous === undefined
        ? { type: 'ADDED', revision, resource, object: stored }
        : { type: 'MODIFIED', revision, resource, object: stored, previous },
    );
    return stored;
  }

  /** What a restore does: the object as it was, and revisions that go on after it. Its history is not known here. */
  restore(resource: Resource, object: KubeObject): void {
    this.#of(resource).set(keyOf(object.metadata.namespace, object.metadata.name), object);
    this.#revision = Math.max(this.#revision, Number(object.metadata.resourceVersion));
    this.#oldest = this.#revision;
  }

  remove(resource: Resource, object: KubeObject): void {
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const previous = this.#of(resource).get(key);
    if (previous === undefined || previous.metadata.uid !== object.metadata.uid) return;
    this.#of(resource).delete(key);
    const revision = ++this.#revision;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    this.#publish({ type: 'DELETED', revision, resource, object: last, previous });
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events after this revision, or undefined when that history is gone. */
  eventsSince(revision: number): StoreEvent[] | undefined {
    if (revision < this.#oldest) return undefined;
    return this.#history.filter((event) => event.revision > revision);
  }

  /** Keeps the rest of a paginated list, as it was when the list began. */
  keepRest(rest: KubeObject[]): string {
    const id = randomUUID();
    this.#unfinishedLists.set(id, rest);
    const [oldest] = this.#unfinishedLists.keys();
    if (this.#unfinishedLists.size > LISTS && oldest !== undefined) this.#unfinishedLists.delete(oldest);
    return id;
  }

  restOf(id: string): KubeObject[] | undefined {
    return this.#unfinishedLists.get(id);
  }

  /** What etcd's compaction does: older watches and unfinished lists get 410. */
  compact(): void {
    this.#history = [];
    this.#oldest = this.#revision;
    this.#unfinishedLists.clear();
  }

  /** The same objects, to which nothing is written. */
  dry(): Store {
    return new DryStore(this);
  }

  #of(resource: Resource): Map<string, KubeObject> {
    const name = resourceName(resource);
    const known = this.#objects.get(name) ?? new Map<string, KubeObject>();
    this.#objects.set(name, known);
    return known;
  }

  #publish(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length > HISTORY) {
      const dropped = this.#history.splice(0, HISTORY / 2);
      this.#oldest = dropped.at(-1)?.revision ?? this.#oldest;
    }
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** For a dry run: everything is checked as usual, and then forgotten. */
class DryStore extends Store {
  readonly #real: Store;

  constructor(real: Store) {
    super();
    this.#real = real;
  }

  override get<T extends KubeObject>(
    resource: Resource,
    namespace: string | undefined,
    name: string | undefined,
  ): T | undefined {
    return this.#real.get(resource, namespace, name);
  }

  override list<T extends KubeObject>(resource: Resource, namespace?: string): T[] {
    return this.#real.list(resource, namespace);
  }

  override put(_resource: Resource, object: KubeObject): KubeObject {
    return object;
  }

  override remove(): void {}
}
