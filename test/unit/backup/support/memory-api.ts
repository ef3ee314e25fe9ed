// A fake of the API client: these tests need the process to die before or after any one write, and answers to get lost.
import {
  ApiError,
  type Key,
  type KubeClient,
  type KubeObject,
  type ResourceType,
} from '../../../../src/operator/index.js';

type Verb = 'create' | 'delete' | 'patchStatus';

/** What befalls the n-th write (from 1): it is never sent, or it is done and its answer is lost. */
export interface Fault {
  readonly write: number;
  readonly when: 'before' | 'after';
}

type Stored = KubeObject & { status?: unknown; type?: string; immutable?: boolean; spec?: Record<string, unknown> };

/** The client, and a look behind it. */
export interface MemoryApi
  extends Pick<KubeClient, 'get' | 'list' | 'listPages' | 'create' | 'delete' | 'patchStatus'> {
  /** As if it had been there before; gives it a uid. */
  put<T extends KubeObject>(type: ResourceType, object: T): T;
  all<T extends KubeObject>(type: ResourceType): T[];
  /** Verbs and names of the writes that were done. */
  readonly writes: string[];
  fault: Fault | undefined;
  /** Thrown by creates of this kind instead of doing them. */
  refusal: { readonly plural: string; readonly error: ApiError } | undefined;
  /** Changes a stored object behind everybody's back. */
  corrupt(type: ResourceType, key: Key, change: (object: Stored) => void): void;
}

const kindText = ({ group, plural }: ResourceType): string => `${plural}.${group}/`;
const keyText = (type: ResourceType, { namespace = '', name }: Key): string => `${kindText(type)}${namespace}/${name}`;

export function memoryApi(): MemoryApi {
  const objects = new Map<string, Stored>();
  let uids = 0;
  let sent = 0;

  function stored(type: ResourceType, key: Key): Stored {
    const found = objects.get(keyText(type, key));
    if (!found)
      throw new ApiError('notFound', `${type.plural} "${key.name}" not found`, { status: 404, reason: 'NotFound' });
    return found;
  }

  async function write<T>(verb: Verb, name: string, action: () => T): Promise<T> {
    const fault = api.fault?.write === ++sent ? api.fault : undefined;
    if (fault?.when === 'before') throw new ApiError('transient', 'the connection was cut');
    const result = action();
    api.writes.push(`${verb} ${name}`);
    if (fault?.when === 'after') throw new ApiError('transient', 'the answer was lost');
    return structuredClone(result);
  }

  function selected(object: Stored, fieldSelector: string | undefined): boolean {
    if (!fieldSelector) return true;
    const [path = '', wanted] = fieldSelector.split('=');
    return (
      path.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)?.[name], object) === wanted
    );
  }

  const api: MemoryApi = {
    writes: [],
    fault: undefined,
    refusal: undefined,
    put(type, object) {
      const uid = object.metadata.uid ?? `uid-${++uids}`;
      const kept = { ...structuredClone(object), metadata: { generation: 1, ...object.metadata, uid } };
      objects.set(keyText(type, object.metadata), kept as Stored);
      return structuredClone(kept);
    },
    all: <T extends KubeObject>(type: ResourceType) =>
      [...objects]
        .filter(([key]) => key.startsWith(kindText(type)))
        .map(([, object]) => structuredClone(object) as unknown as T),
    corrupt: (type, key, change) => change(stored(type, key)),
    get: async <T extends KubeObject>(type: ResourceType, key: Key) =>
      structuredClone(stored(type, key)) as unknown as T,
    list: async <T extends KubeObject>(
      type: ResourceType,
      options?: { namespace?: string | undefined; fieldSelector?: string | undefined },
    ) => ({
      items: api
        .all<Stored>(type)
        .filter(
          (object) => object.metadata.namespace === options?.namespace && selected(object, options?.fieldSelector),
        ) as unknown as T[],
      resourceVersion: '1',
    }),
    async *listPages(type, options) {
      const { items, resourceVersion } = await api.list<KubeObject>(type, options);
      const limit = options?.limit ?? 500;
      for (let start = 0; start === 0 || start < items.length; start += limit) {
        yield { items: items.slice(start, start + limit), resourceVersion };
      }
    },
    create: <T extends KubeObject>(type: ResourceType, object: T) => {
      if (api.refusal?.plural === type.plural) return Promise.reject(api.refusal.error);
      return write('create', object.metadata.name, () => {
        if (objects.has(keyText(type, object.metadata))) {
          throw new ApiError('alreadyExists', `${type.plural} "${object.metadata.name}" already exists`, {
            status: 409,
          });
        }
        return api.put(type, object);
      });
    },
    delete: (type, key, options) =>
      write('delete', key.name, () => {
        const found = stored(type, key);
        if (options?.uid && options.uid !== found.metadata.uid)
          throw new ApiError('conflict', 'another uid', { status: 409 });
        objects.delete(keyText(type, key));
      }),
    patchStatus: <T extends KubeObject>(type: ResourceType, key: Key, patch: object) =>
      write('patchStatus', key.name, () => {
        const found = stored(type, key);
        found.status = merged(found.status, (patch as { status?: unknown }).status);
        return found as unknown as T;
      }),
  };
  return api;
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof target === 'object' && target !== null ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
