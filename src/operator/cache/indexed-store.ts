import type { Store } from './types.js';

/** What an index is made of: which values it files an object under. */
export type IndexFunctions<T> = Record<string, (value: T) => readonly string[]>;

interface Entry<T> {
  value: T;
  /** resourceVersion: opaque, compared for equality only. */
  version: string;
  /** The values each index filed it under, in the order of the index names. */
  filed: readonly (readonly string[])[];
}

/** A Store that its reflector writes. Indexes are kept up with each change, never rebuilt. */
export class IndexedStore<T> implements Store<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #names: readonly string[];
  readonly #functions: readonly ((value: T) => readonly string[])[];
  readonly #buckets: readonly Map<string, Map<string, T>>[];
  #synced = false;

  constructor(indexes: IndexFunctions<T> = {}) {
    this.#names = Object.keys(indexes);
    this.#functions = Object.values(indexes);
    this.#buckets = this.#names.map(() => new Map());
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  *list(): Iterable<T> {
    for (const entry of this.#entries.values()) yield entry.value;
  }

  byIndex(index: string, value: string): readonly T[] {
    const buckets = this.#buckets[this.#names.indexOf(index)];
    if (!buckets) throw new Error(`The store has no index '${index}', only: ${this.#names.join(', ') || 'none'}`);
    const bucket = buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  get size(): number {
    return this.#entries.size;
  }

  get synced(): boolean {
    return this.#synced;
  }

  markSynced(): void {
    this.#synced = true;
  }

  /** The resourceVersion held for a key. */
  version(key: string): string | undefined {
    return this.#entries.get(key)?.version;
  }

  /** Puts a value in place and returns the one before. What an index function throws leaves the store unchanged. */
  set(key: string, value: T, version: string): T | undefined {
    const filed = this.#functions.map((indexOf) => indexOf(value));
    const before = this.#entries.get(key);
    if (before) this.#unfile(key, before.filed);
    this.#entries.set(key, { value, version, filed });
    this.#file(key, value, filed);
    return before?.value;
  }

  /** Takes a value out and returns it. */
  delete(key: string): T | undefined {
    const before = this.#entries.get(key);
    if (!before) return undefined;
    this.#unfile(key, before.filed);
    this.#entries.delete(key);
    return before.value;
  }

  #file(key: string, value: T, filed: readonly (readonly string[])[]): void {
    for (const [position, buckets] of this.#buckets.entries()) {
      for (const under of filed[position] ?? []) {
        const bucket = buckets.get(under);
        if (bucket) bucket.set(key, value);
        else buckets.set(under, new Map([[key, value]]));
      }
    }
  }

  #unfile(key: string, filed: readonly (readonly string[])[]): void {
    for (const [position, buckets] of this.#buckets.entries()) {
      for (const under of filed[position] ?? []) {
        const bucket = buckets.get(under);
        bucket?.delete(key);
        // An empty bucket of a name that is gone would stay for ever.
        if (bucket?.size === 0) buckets.delete(under);
      }
    }
  }
}
