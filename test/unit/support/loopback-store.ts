// A fake: the storage half of the loopback API server, with its version counter and watch history.
import type { KubeObject } from '../../../src/operator/objects.js';

export type StoredObject = KubeObject & Record<string, unknown>;
export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface Change {
  type: ChangeType;
  collection: string;
  object: StoredObject;
  version: number;
}

/** The refusal of a request, as HTTP status and reason. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** RFC 7386. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

/** Objects by collection ('apps/v1/deployments') and key, one version counter, and what happened so far. */
export class LoopbackStore {
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #history: Change[] = [];
  #version = 100;
  #oldestVersion = 0;
  #uids = 0;

  get version(): number {
    return this.#version;
  }

  /** Watches from before now answer 410. */
  expireHistory(): void {
    this.#oldestVersion = this.#version + 1;
    this.#version += 1;
  }

  isExpired(version: number): boolean {
    return version < this.#oldestVersion;
  }

  collection(name: string): Map<string, StoredObject> {
    const known = this.#objects.get(name);
    if (known) return known;
    const created = new Map<string, StoredObject>();
    this.#objects.set(name, created);
    return created;
  }

  since(collection: string, version: number): Change[] {
    return this.#history.filter((change) => change.collection === collection && change.version > version);
  }

  get(collection: string, key: string): StoredObject {
    const object = this.collection(collection).get(key);
    if (!object) throw new Refusal(404, 'NotFound', `${collection} "${key}" not found`);
    return object;
  }

  write(collection: string, key: string, object: StoredObject): Change {
    const before = this.collection(collection).get(key);
    const given = object.metadata.resourceVersion;
    if (before && given !== undefined && given !== before.metadata.resourceVersion) {
      throw new Refusal(409, 'Conflict', `${key}: the object has been modified`);
    }
    if (before && object.metadata.uid !== undefined && object.metadata.uid !== before.metadata.uid) {
      throw new Refusal(422, 'Invalid', `${key}: metadata.uid: field is immutable`);
    }
    this.#version += 1;
    const uid = before?.metadata.uid ?? `uid-${++this.#uids}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(this.#version) } };
    this.collection(collection).set(key, stored);
    return this.#record({ type: before ? 'MODIFIED' : 'ADDED', collection, object: stored, version: this.#version });
  }

  remove(collection: string, key: string): Change {
    const before = this.get(collection, key);
    this.#version += 1;
    this.collection(collection).delete(key);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(this.#version) } };
    return this.#record({ type: 'DELETED', collection, object, version: this.#version });
  }

  /** Drops a change from the history: what a watch that lost it never sees again. */
  forget(change: Change): void {
    this.#history.splice(this.#history.indexOf(change), 1);
  }

  #record(change: Change): Change {
    this.#history.push(change);
    return change;
  }
}
