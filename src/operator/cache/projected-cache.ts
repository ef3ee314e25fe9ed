import type { Log } from '../log.js';
import type { Metrics } from '../metrics.js';
import { type KubeObject, objectKey } from '../objects.js';
import { IndexedStore } from './indexed-store.js';
import type { ReflectorOptions } from './types.js';

export interface ProjectedCacheParts<T> {
  readonly options: Pick<ReflectorOptions<T>, 'project' | 'indexes' | 'onChange'>;
  readonly label: { resource: string };
  readonly metrics: Metrics['reflector'];
  readonly log: Log;
}

/** Takes in objects as they come: projects, stores, tells. Whatever a callback throws is logged and counted. */
export class ProjectedCache<T> {
  readonly store: IndexedStore<T>;
  readonly #parts: ProjectedCacheParts<T>;
  /** Versions of objects that `project` threw on: known, though not held. */
  readonly #unprojected = new Map<string, string>();

  constructor(parts: ProjectedCacheParts<T>) {
    this.#parts = parts;
    this.store = new IndexedStore(parts.options.indexes);
  }

  /** The version that is known of a key, held or not. */
  version(key: string): string | undefined {
    return this.#unprojected.get(key) ?? this.store.version(key);
  }

  /** Projects and stores an object; returns its key. The same version again changes nothing. */
  upsert(raw: KubeObject): string {
    const { options, metrics, label } = this.#parts;
    const key = objectKey(raw.metadata);
    const version = raw.metadata.resourceVersion ?? '';
    if (version !== '' && this.version(key) === version) return key;
    try {
      const next = options.project(raw);
      const previous = this.store.set(key, next, version);
      this.#unprojected.delete(key);
      metrics.objects.set(label, this.store.size);
      this.#tell(key, next, previous);
    } catch (error) {
      this.#unprojected.set(key, version);
      this.#callbackFailed(key, error);
    }
    return key;
  }

  remove(key: string): void {
    const had = this.store.version(key) !== undefined;
    this.#unprojected.delete(key);
    const previous = this.store.delete(key);
    this.#parts.metrics.objects.set(this.#parts.label, this.store.size);
    if (had) this.#tell(key, undefined, previous);
  }

  /** Removes what is not among these keys: what was deleted while nobody watched. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of [...this.store.keys(), ...this.#unprojected.keys()]) if (!keys.has(key)) this.remove(key);
  }

  /** client-node swallows what a callback throws as if it were a parse error; here it is seen. */
  #tell(key: string, next: T | undefined, previous: T | undefined): void {
    try {
      this.#parts.options.onChange?.(key, next, previous);
    } catch (error) {
      this.#callbackFailed(key, error);
    }
  }

  #callbackFailed(key: string, error: unknown): void {
    this.#parts.metrics.callbackErrors.inc(this.#parts.label);
    this.#parts.log.error({ err: error, key }, 'a reflector callback threw; the reflector goes on');
  }
}
