import { setTimeout as pause } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import type { Key, KubeObject, ResourceType } from '../../src/operator/objects.js';

// The tests look at the cluster through a client of their own: a fault in the product's client must not hide itself.

/** An answer of the API server that is not a success. */
export class AnswerError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'AnswerError';
    this.status = status;
  }
}

export interface ObservedEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** Plain access to the API server as the cluster's administrator. */
export interface Api {
  get<T>(type: ResourceType, key: Key): Promise<T>;
  /** Undefined when there is no such object. */
  find<T>(type: ResourceType, key: Key): Promise<T | undefined>;
  list<T>(type: ResourceType, namespace?: string): Promise<T[]>;
  /** Server-side apply as a person would do it. */
  apply(type: ResourceType, object: KubeObject): Promise<void>;
  /** Merge patch. */
  patch(type: ResourceType, key: Key, patch: object): Promise<void>;
  /** Does nothing when the object is gone already. */
  remove(type: ResourceType, key: Key): Promise<void>;
  /** Calls back for each version of each object until the signal; goes on after an outage of the API server. */
  observe<T>(type: ResourceType, namespace: string, signal: AbortSignal, seen: (event: ObservedEvent<T>) => void): void;
  close(): Promise<void>;
}

export function openApi(kubeconfigPath: string): Api {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  const { server, agent } = connectionOf(config);

  async function send(method: string, path: string, body?: { type: string; value: unknown }): Promise<string> {
    const answer = await request(`${server}${path}`, {
      method: method as 'GET',
      dispatcher: agent,
      headersTimeout: 20_000,
      ...(body ? { headers: { 'content-type': body.type }, body: JSON.stringify(body.value) } : {}),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new AnswerError(answer.statusCode, `${method} ${path}: ${messageOf(text)}`);
    return text;
  }

  async function list<T>(type: ResourceType, namespace?: string): Promise<T[]> {
    return (JSON.parse(await send('GET', pathOf(type, namespace))) as { items: T[] }).items;
  }

  return {
    get: async <T>(type: ResourceType, key: Key) =>
      JSON.parse(await send('GET', pathOf(type, key.namespace, key.name))) as T,
    find: async <T>(type: ResourceType, key: Key) => {
      try {
        return JSON.parse(await send('GET', pathOf(type, key.namespace, key.name))) as T;
      } catch (error) {
        if (error instanceof AnswerError && error.status === 404) return undefined;
        throw error;
      }
    },
    list,
    apply: async (type, object) => {
      const path = pathOf(type, object.metadata.namespace, object.metadata.name);
      const query = '?fieldManager=person&force=true&fieldValidation=Strict';
      await send('PATCH', path + query, { type: 'application/apply-patch+yaml', value: object });
    },
    patch: async (type, key, patch) => {
      await send('PATCH', pathOf(type, key.namespace, key.name), {
        type: 'application/merge-patch+json',
        value: patch,
      });
    },
    remove: async (type, key) => {
      try {
        await send('DELETE', pathOf(type, key.namespace, key.name));
      } catch (error) {
        if (!(error instanceof AnswerError && error.status === 404)) throw error;
      }
    },
    observe: <T>(
      type: ResourceType,
      namespace: string,
      signal: AbortSignal,
      seen: (event: ObservedEvent<T>) => void,
    ) => {
      void observeForEver(
        `${server}${pathOf(type, namespace)}`,
        agent,
        signal,
        seen as unknown as (event: ObservedEvent<Named>) => void,
      );
    },
    close: () => agent.destroy(),
  };
}

function connectionOf(config: KubeConfig): { server: string; agent: Agent } {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) throw new Error('the kubeconfig has no current context with a cluster and a user');
  const bytes = (data: string | undefined) => (data === undefined ? undefined : Buffer.from(data, 'base64'));
  const agent = new Agent({
    connect: {
      ...(cluster.caData ? { ca: bytes(cluster.caData) } : {}),
      ...(user.certData ? { cert: bytes(user.certData) } : {}),
      ...(user.keyData ? { key: bytes(user.keyData) } : {}),
    },
    bodyTimeout: 0,
  });
  return { server: cluster.server.replace(/\/$/, ''), agent };
}

function pathOf(type: ResourceType, namespace?: string, name?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${type.plural}${name === undefined ? '' : `/${name}`}`;
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}

type Named = KubeObject;

/**
 * Lists and watches, and begins anew whenever the watch ends: doubled events are welcome, missed ones are not. What
 * was deleted in between is told as such.
 */
async function observeForEver(
  url: string,
  agent: Agent,
  signal: AbortSignal,
  seen: (event: ObservedEvent<Named>) => void,
): Promise<void> {
  const known = new Map<string, Named>();
  const tell = (event: ObservedEvent<Named>) => {
    if (event.type === 'DELETED') known.delete(event.object.metadata.name);
    else known.set(event.object.metadata.name, event.object);
    seen(event);
  };
  while (!signal.aborted) {
    try {
      const version = await tellList(url, agent, signal, known, tell);
      await tellWatch(`${url}?watch=1&timeoutSeconds=300&resourceVersion=${version}`, agent, signal, tell);
    } catch {
      // The API server is away (some tests stop it), or the signal has ended the watch.
    }
    if (!signal.aborted) await pause(200);
  }
}

async function tellList(
  url: string,
  dispatcher: Agent,
  signal: AbortSignal,
  known: ReadonlyMap<string, Named>,
  tell: (event: ObservedEvent<Named>) => void,
): Promise<string> {
  const answer = await request(url, { dispatcher, signal });
  if (answer.statusCode !== 200) throw new AnswerError(answer.statusCode, await answer.body.text());
  const list = (await answer.body.json()) as { items: Named[]; metadata: { resourceVersion: string } };
  const present = new Set(list.items.map((item) => item.metadata.name));
  for (const [name, object] of [...known]) if (!present.has(name)) tell({ type: 'DELETED', object });
  for (const object of list.items) {
    const same = known.get(object.metadata.name)?.metadata.resourceVersion === object.metadata.resourceVersion;
    if (!same) tell({ type: known.has(object.metadata.name) ? 'MODIFIED' : 'ADDED', object });
  }
  return list.metadata.resourceVersion;
}

async function tellWatch(
  url: string,
  dispatcher: Agent,
  signal: AbortSignal,
  tell: (event: ObservedEvent<Named>) => void,
): Promise<void> {
  const answer = await request(url, { dispatcher, signal, bodyTimeout: 0 });
  answer.body.setEncoding('utf8');
  let rest = '';
  for await (const chunk of answer.body) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as ObservedEvent<Named> | { type: 'ERROR' };
      if (event.type === 'ERROR') return;
      tell(event);
    }
  }
}
