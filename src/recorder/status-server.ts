import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StatusServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** Whether disks and recording service allow to record. Must not depend on the API server. */
  readonly ready: () => boolean;
  /** What /status answers; without secrets. */
  readonly status: () => object;
}

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers /healthz, /readyz and /status. That /healthz answers at all proves that the event loop turns, which is all
 * that a restart of the container can mend.
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') send(response, 200, 'ok\n');
    else if (path === '/readyz') send(response, options.ready() ? 200 : 503, options.ready() ? 'ok\n' : 'not ready\n');
    else if (path === '/status') send(response, 200, `${JSON.stringify(options.status(), undefined, 2)}\n`);
    else send(response, 404, 'not found: there are /healthz, /readyz and /status\n');
  });
  server.listen(options.port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function send(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'Content-Type': text.startsWith('{') ? 'application/json' : 'text/plain' });
  response.end(text);
}
