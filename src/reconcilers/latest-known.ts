import type { ObjectMeta } from '../operator/index.js';

/** What this process knows best of a kind: its own last write, until the watch has caught up with it. */
export interface LatestKnown<T> {
  get(key: string): T | undefined;
  /** Remembers what the API server answered to a write. */
  written(key: string, value: T): void;
  /** To be called for every change that the watch delivers. */
  observed(key: string, value: T | undefined): void;
}

interface Versioned {
  readonly metadata: Pick<ObjectMeta, 'resourceVersion' | 'uid'>;
}

/** Resource versions are decimal and comparable (KEP-5504); anything else counts as newer, so that the watch wins. */
function isOlder(candidate: string | undefined, than: string | undefined): boolean {
  if (!candidate || !than || !/^\d+$/.test(candidate) || !/^\d+$/.test(than)) return false;
  return BigInt(candidate) < BigInt(than);
}

/**
 * Reads through to `store`, except where an own write is newer. A projection that waited for its own commit to come back
 * over the watch would be late by a round trip, and could act on the state before the commit.
 */
export function createLatestKnown<T extends Versioned>(store: { get(key: string): T | undefined }): LatestKnown<T> {
  const ahead = new Map<string, T>();
  return {
    get(key) {
      const seen = store.get(key);
      return seen && (ahead.get(key) ?? seen);
    },
    written(key, value) {
      const seen = store.get(key);
      // The watch can be faster than the answer to the write itself, be it with a change or with the deletion.
      if (seen && isOlder(seen.metadata.resourceVersion, value.metadata.resourceVersion)) ahead.set(key, value);
    },
    observed(key, value) {
      const own = ahead.get(key);
      if (!own) return;
      if (value && isOlder(value.metadata.resourceVersion, own.metadata.resourceVersion)) return;
      ahead.delete(key);
    },
  };
}
