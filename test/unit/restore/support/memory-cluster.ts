// A fake of the API server: these tests need a restore to be cut off before or after any one write, and answers to get lost.
import {
  type FailoverPoolStatus,
  failoverPools,
  type KindResource,
  type RecordingServer,
} from '../../../../src/crds/index.js';
import {
  ApiError,
  type ApplyOptions,
  type Key,
  type KubeClient,
  type KubeObject,
  type ResourceType,
} from '../../../../src/operator/index.js';

export type Stored = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> };

/** What befalls the n-th write (from 1), and every request after it: it is never sent, or its answer is lost. */
export interface Fault {
  readonly write: number;
  readonly when: 'before' | 'after';
}

type Client = Pick<KubeClient, 'get' | 'list' | 'create' | 'apply' | 'replaceStatus' | 'close'>;

export class MemoryCluster implements Client {
  readonly objects = new Map<string, Stored>();
  /** Verb, plural and name of each write that was done; no dry runs. */
  readonly writes: string[] = [];
  readonly dryRuns: string[] = [];
  fault: Fault | undefined;
  /** 'verb plural' that reviews answer with no. */
  readonly denied = new Set<string>();
  /** Thrown by applies of objects of this name, dry or not. */
  readonly refusals = new Map<string, ApiError>();
  /** Called after each write, as an operator that runs at the same time would act. */
  meanwhile: ((cluster: MemoryCluster) => void) | undefined;
  #versions = 0;
  #uids = 0;
  #cut = false;

  constructor(...namespaces: string[]) {
    for (const name of namespaces) this.put('namespaces', { metadata: { name }, spec: {} });
  }

  /** As if it had been there before. */
  put(plural: string, object: KubeObject & { spec?: unknown; status?: unknown }): Stored {
    const { namespace, name } = object.metadata;
    const known = this.objects.get(keyText(plural, { namespace, name }));
    const uid = object.metadata.uid ?? known?.metadata.uid ?? `uid-${++this.#uids}-of-${name}`;
    const resourceVersion = String(++this.#versions);
    const kept = structuredClone({ ...object, metadata: { ...object.metadata, uid, resourceVersion } }) as Stored;
    this.objects.set(keyText(plural, { namespace, name }), kept);
    return kept;
  }

  all<T>(type: Pick<ResourceType, 'plural'>): T[] {
    return [...this.objects]
      .filter(([key]) => key.startsWith(`${type.plural}/`))
      .map(([, object]) => structuredClone(object) as T);
  }

  find<T>(type: Pick<ResourceType, 'plural'>, key: Key): T | undefined {
    return structuredClone(this.objects.get(keyText(type.plural, key))) as T | undefined;
  }

  poolStatus(key: Key): FailoverPoolStatus | undefined {
    return this.find<{ status?: FailoverPoolStatus }>(failoverPools, key)?.status;
  }

  setPoolStatus(key: Key, status: FailoverPoolStatus): void {
    const pool = this.find<Stored>(failoverPools, key);
    if (pool) this.put(failoverPools.plural, { ...pool, status });
  }

  remove(type: KindResource, key: Key): void {
    this.objects.delete(keyText(type.plural, key));
  }

  /** The next process finds the network mended. */
  mend(): void {
    this.fault = undefined;
    this.#cut = false;
  }

  async get<T extends KubeObject>(type: ResourceType, key: Key): Promise<T> {
    this.#demandNetwork();
    const found = this.find<T>(type, key);
    if (found === undefined)
      throw new ApiError('notFound', `get ${type.plural} ${key.name}: HTTP 404`, { status: 404 });
    return found;
  }

  async list<T extends KubeObject>(type: ResourceType, options: { namespace?: string | undefined } = {}) {
    this.#demandNetwork();
    const items = this.all<T>(type).filter(({ metadata }) => metadata.namespace === options.namespace);
    return { items, resourceVersion: String(this.#versions) };
  }

  async create<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    this.#demandNetwork();
    if (type.plural !== 'selfsubjectaccessreviews') throw new Error('a restore creates by server-side apply only');
    const { resourceAttributes: asked } = (object as unknown as Review).spec;
    const what = `${asked.verb} ${asked.resource}${asked.subresource === undefined ? '' : `/${asked.subresource}`}`;
    return { ...object, status: { allowed: !this.denied.has(what) } };
  }

  async apply<T extends KubeObject>(type: ResourceType, object: T, options: ApplyOptions = {}): Promise<T> {
    this.#demandNetwork();
    const refusal = this.refusals.get(object.metadata.name);
    if (refusal !== undefined && !(options.force === true && refusal.kind === 'conflict')) throw refusal;
    if (options.dryRun === true) {
      this.dryRuns.push(`${type.plural} ${object.metadata.name}`);
      return structuredClone(object);
    }
    return this.#write(`apply ${type.plural} ${object.metadata.name}`, () => {
      const known = this.find<Stored>(type, object.metadata);
      const merged = merge(known ?? {}, object) as Stored;
      return this.put(type.plural, { ...merged, metadata: { ...merged.metadata } }) as unknown as T;
    });
  }

  async replaceStatus<T extends KubeObject>(type: ResourceType, object: T): Promise<T> {
    this.#demandNetwork();
    const known = this.find<Stored>(type, object.metadata);
    if (known === undefined) throw new ApiError('notFound', 'HTTP 404', { status: 404 });
    if (known.metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new ApiError('conflict', 'the object has been modified', { status: 409 });
    }
    const { status } = object as unknown as { status: FailoverPoolStatus };
    demandGrowingEpochs(known.status as FailoverPoolStatus | undefined, status);
    return this.#write(
      `status ${type.plural} ${object.metadata.name}`,
      () => this.put(type.plural, { ...known, status }) as unknown as T,
    );
  }

  async close(): Promise<void> {}

  #write<T>(what: string, action: () => T): T {
    const hit = this.fault?.write === this.writes.length + 1 ? this.fault : undefined;
    if (hit?.when === 'before') {
      this.#cut = true;
      this.#demandNetwork();
    }
    const result = action();
    this.writes.push(what);
    this.meanwhile?.(this);
    if (hit !== undefined) {
      this.#cut = true;
      this.#demandNetwork();
    }
    return structuredClone(result);
  }

  /** 'terminal', so that nothing is tried again: the process that restores is dead. */
  #demandNetwork(): void {
    if (this.#cut) throw new ApiError('terminal', 'the process that restored is dead');
  }
}

interface Review {
  readonly spec: {
    readonly resourceAttributes: { readonly verb: string; readonly resource: string; readonly subresource?: string };
  };
}

function keyText(plural: string, { namespace, name }: Key): string {
  return `${plural}/${namespace ?? ''}/${name}`;
}

/** As server-side apply merges what one manager says: objects by field, lists as a whole. */
function merge(known: unknown, said: unknown): unknown {
  if (!isObject(known) || !isObject(said)) return said;
  const merged: Record<string, unknown> = { ...known };
  for (const [key, value] of Object.entries(said)) merged[key] = merge(known[key], value);
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The CEL rules on status epochs. */
function demandGrowingEpochs(before: FailoverPoolStatus | undefined, after: FailoverPoolStatus): void {
  const falls = (before?.roles ?? []).some(({ name, epoch }) =>
    after.roles?.some((role) => role.name === name && role.epoch < epoch),
  );
  if (falls || (after.epoch ?? 0) < (before?.epoch ?? 0)) {
    throw new ApiError('invalid', 'status.epoch must not fall', { status: 422 });
  }
}

/** An operator that reads the mark of a restore at once, and says so. */
export function withOperator(cluster: MemoryCluster, pool: Key): MemoryCluster {
  cluster.meanwhile = () => {
    const status = cluster.poolStatus(pool);
    if (status?.restore === undefined) return;
    const ready = { type: 'Ready', status: 'False' as const, reason: 'Restoring', message: '', lastTransitionTime: '' };
    cluster.setPoolStatus(pool, { ...status, conditions: [ready] });
  };
  return cluster;
}

/** Marks a server as one that has been ready in this cluster and serves a role. */
export function serving(server: RecordingServer, servingRole: string, epoch: number): RecordingServer {
  return { ...server, status: { servingRole, epoch, everReadyTime: '2026-11-22T09:00:00Z' } };
}
