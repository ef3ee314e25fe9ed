import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fingerprintOf, type PortIdentity } from './certificate.js';

/** What a peer with a certificate may do: fetch the segments of one role. */
export interface Offer {
  readonly role: string;
  /** SHA-256 of the peer's certificate, in hex. */
  readonly fingerprint: string;
}

export interface AgentPortOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly identity: PortIdentity;
  /** Whether disks and recording service allow to record. Must not depend on the API server. */
  readonly ready: () => boolean;
  /** What /status answers; without secrets. */
  readonly status: () => object;
  /** Who may fetch what right now. */
  readonly offers: () => readonly Offer[];
  /** Answers a request below /segments/ by a peer to whom these roles are offered. Must not reject. */
  readonly segments: (url: URL, request: IncomingMessage, response: ServerResponse, roles: ReadonlySet<string>) => void;
}

export interface AgentPort {
  readonly port: number;
  close(): Promise<void>;
}

/** First byte of a TLS handshake; no HTTP request begins with it. */
const TLS_HANDSHAKE = 0x16;
/** A connection that says nothing for so long is closed. Milliseconds. */
const SILENT_MS = 30_000;

/** Answers with text, or with JSON when it is an object. */
export function answer(response: ServerResponse, code: number, body: string | object): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body, undefined, 2)}\n`;
  response.writeHead(code, { 'Content-Type': typeof body === 'string' ? 'text/plain' : 'application/json' });
  response.end(text);
}

/** kubectl exec and port-forward end at the pod's loopback address, and Kubernetes has asked for their permission. */
function isLocal({ socket }: IncomingMessage): boolean {
  return /^(::1|(::ffff:)?127\.)/.test(socket.remoteAddress ?? '');
}

/** The roles that are offered to the peer's certificate, whose key it has proved to hold; undefined without one. */
function offeredRoles({ socket }: IncomingMessage, offers: readonly Offer[]): ReadonlySet<string> | undefined {
  const raw = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  if (raw === undefined) return undefined;
  const fingerprint = fingerprintOf(raw);
  const roles = offers.filter((offer) => offer.fingerprint === fingerprint).map(({ role }) => role);
  return roles.length > 0 ? new Set(roles) : undefined;
}

function handler(options: AgentPortOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://agent');
    const roles = offeredRoles(request, options.offers());
    if (url.pathname === '/healthz') answer(response, 200, 'ok\n');
    else if (url.pathname === '/readyz') {
      const ready = options.ready();
      answer(response, ready ? 200 : 503, ready ? 'ok\n' : 'not ready\n');
    } else if (url.pathname === '/status') {
      if (roles !== undefined || isLocal(request)) answer(response, 200, options.status());
      else answer(response, 403, 'forbidden: /status is read by kubectl port-forward or kubectl exec\n');
    } else if (!url.pathname.startsWith('/segments/')) {
      answer(response, 404, 'not found: there are /healthz, /readyz, /status and /segments\n');
    } else if (roles === undefined) {
      answer(response, 403, 'forbidden: segments are given to the recorder that a recovery was asked of\n');
    } else options.segments(url, request, response, roles);
  };
}

/** A request that can't be parsed must not end the agent. */
function guarded(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    try {
      handle(request, response);
    } catch {
      answer(response, 400, 'bad request\n');
    }
  };
}

/**
 * The agent's one port (docs/adr/0009). In plain text it answers /healthz and /readyz to the kubelet, whose probes can't
 * show a certificate, and /status to the pod's own loopback address. By TLS, with certificates that both sides pin, it
 * gives segments to the recorder that was named for it. Which of both a connection speaks shows in its first byte.
 *
 * That /healthz answers at all proves that the event loop turns, which is all that a restart of the container can mend.
 */
export async function startAgentPort(options: AgentPortOptions): Promise<AgentPort> {
  const handle = guarded(handler(options));
  const plain = createHttpServer(handle);
  const { key, certificate } = options.identity;
  // Whose certificate it is, not who signed it, decides: requests are judged one by one.
  const tls = { key, cert: certificate, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
  const secure = createHttpsServer(tls, handle);
  for (const part of [plain, secure]) part.setTimeout(SILENT_MS);
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: false }, (socket) => {
    sockets.add(socket);
    socket.setTimeout(SILENT_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (first: Buffer) => {
      // The server that takes it over has time-outs of its own, and this one would not see what goes through TLS.
      socket.setTimeout(0);
      socket.pause();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
      // After the listeners of the server that took it over are in place.
      process.nextTick(() => socket.resume());
    });
  });
  server.listen(options.port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
