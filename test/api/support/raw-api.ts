import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

/** An answer of the API server, whatever its code. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
  /** `message` of a Status, such as the words of a refusal; '' for other bodies. */
  readonly message: string;
  /** Warning headers, as kubectl prints them. */
  readonly warnings: string;
}

export interface RawApi {
  call<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  close(): void;
}

interface KubeConfigFile {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/** Requests as they are on the wire: these tests are about the API server's own words, headers and query parameters. */
export function openRawApi(kubeconfigPath: string): RawApi {
  const config = parse(readFileSync(kubeconfigPath, 'utf8')) as KubeConfigFile;
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error(`${kubeconfigPath} names no cluster or no user`);
  const decoded = (text: string): Buffer => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });
  return {
    call: (method, path, body, headers) => send(new URL(path, cluster.server), agent, method, body, headers),
    close: () => agent.destroy(),
  };
}

function send<T>(
  url: URL,
  agent: Agent,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { 'content-type': type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const parsed = JSON.parse(Buffer.concat(chunks).toString() || '{}') as T & { message?: string };
        const warnings = response.headers.warning ?? '';
        resolve({
          status: response.statusCode ?? 0,
          body: parsed,
          message: parsed.message ?? '',
          warnings: Array.isArray(warnings) ? warnings.join('\n') : warnings,
        });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
