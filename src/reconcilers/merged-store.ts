import type { Store } from '../operator/index.js';

function* chain<T>(parts: readonly Iterable<T>[]): Iterable<T> {
  for (const part of parts) yield* part;
}

/** Several stores of one kind, one per watched namespace, read as one. */
export function mergeStores<T>(parts: readonly Store<T>[]): Store<T> {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return {
    get(key) {
      for (const part of parts) {
        const found = part.get(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    list: () => chain(parts.map((part) => part.list())),
    byIndex: (index, value) => parts.flatMap((part) => part.byIndex(index, value)),
    keys: () => chain(parts.map((part) => part.keys())),
    get size() {
      return parts.reduce((sum, part) => sum + part.size, 0);
    },
    get synced() {
      return parts.every((part) => part.synced);
    },
  };
}
