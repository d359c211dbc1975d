// How long was any workload without a Ready Pod? Counted from a watch on Pods. Pure: events in, gaps out.
import { isReady, type PodObject } from '../src/domain/kubernetes/objects.ts';

export interface PodEvent {
  type: string;
  object: PodObject;
}

export interface Readiness {
  /** `at`: milliseconds on any one clock. */
  see(event: PodEvent, at: number): void;
  /** Workloads of a namespace that have this many Ready Pods now. */
  withReady(namespace: string, count: number): number;
  /** From the first time that a workload had a Ready Pod; those that have none now count up to `at`. */
  longestGap(namespace: string, at: number): { ms: number; workload: string };
}

interface Track {
  namespace: string;
  ready: Set<string>;
  /** Since when it has none; undefined before the first and while there is one. */
  emptySince?: number;
  longest: number;
}

/** A workload is all Pods with one label `app` in a namespace. A Pod that terminates serves nobody any more. */
export function createReadiness(): Readiness {
  const tracks = new Map<string, Track>();
  return {
    see({ type, object }, at) {
      const { uid, namespace = '', labels = {}, deletionTimestamp } = object.metadata;
      const key = `${namespace}/${labels.app}`;
      const track: Track = tracks.get(key) ?? { namespace, ready: new Set(), longest: 0 };
      tracks.set(key, track);
      const before = track.ready.size;
      if (type !== 'DELETED' && deletionTimestamp === undefined && isReady(object)) track.ready.add(uid);
      else track.ready.delete(uid);
      const { size } = track.ready;
      if (before > 0 && size === 0) track.emptySince = at;
      if (size > 0 && track.emptySince !== undefined) {
        track.longest = Math.max(track.longest, at - track.emptySince);
        delete track.emptySince;
      }
    },
    withReady: (namespace, count) =>
      [...tracks.values()].filter((track) => track.namespace === namespace && track.ready.size === count)
        .length,
    longestGap: (namespace, at) =>
      [...tracks]
        .filter(([, track]) => track.namespace === namespace)
        .map(([workload, { longest, emptySince }]) => ({
          workload,
          ms: Math.max(longest, emptySince === undefined ? 0 : at - emptySince),
        }))
        .reduce((worst, next) => (next.ms > worst.ms ? next : worst), { ms: 0, workload: '' }),
  };
}
