import type { IncomingMessage } from 'node:http';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** A request of an operator, as the fault proxy sees it. */
export interface ApiRequest {
  /** Which replica sent it. */
  readonly replica: string;
  readonly method: string;
  /** As the API server gets it, with its query. */
  readonly url: string;
  readonly verb: Verb;
  /** Plural of the kind, with '/status' for the subresource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  /** '' for a collection; for a create it comes from the body. */
  readonly name: string;
  readonly body: Buffer;
}

const writeVerbs: ReadonlySet<Verb> = new Set(['create', 'update', 'patch', 'delete']);

export function isWrite({ verb }: Pick<ApiRequest, 'verb'>): boolean {
  return writeVerbs.has(verb);
}

/** What is written or read, without its content: 'update failoverpools/status site'. */
export function identityOf({ verb, resource, name }: Pick<ApiRequest, 'verb' | 'resource' | 'name'>): string {
  return `${verb} ${resource}${name === '' ? '' : ` ${name}`}`;
}

interface Target {
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string;
}

/** Takes `/api/v1/...` or `/apis/group/version/...` apart. */
export function targetOf(path: string): Target {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name = '', subresource] = namespaced ? rest.slice(2) : rest;
  return {
    namespace: namespaced ? rest[1] : undefined,
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    name,
  };
}

function verbOf(method: string, { name }: Target, query: URLSearchParams): Verb {
  if (method === 'POST') return 'create';
  if (method === 'PUT') return 'update';
  if (method === 'PATCH') return 'patch';
  if (method === 'DELETE') return 'delete';
  if (query.get('watch') === 'true') return 'watch';
  return name === '' ? 'list' : 'get';
}

function nameInBody(body: Buffer): string {
  const object = JSON.parse(body.toString('utf8')) as { metadata?: { name?: string; generateName?: string } };
  return object.metadata?.name ?? object.metadata?.generateName ?? '';
}

/** Reads the whole request; `/<replica>` is the first part of its path. */
export async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const { method = 'GET' } = incoming;
  const full = incoming.url ?? '/';
  const slash = full.indexOf('/', 1);
  const [replica, url] = slash < 0 ? [full.slice(1), '/'] : [full.slice(1, slash), full.slice(slash)];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { pathname, searchParams } = new URL(url, 'http://proxy');
  const target = targetOf(pathname);
  const verb = verbOf(method, target, searchParams);
  const name = verb === 'create' ? nameInBody(body) : target.name;
  return { replica, method, url, verb, ...target, name, body };
}
