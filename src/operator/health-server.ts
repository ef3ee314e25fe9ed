import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Reflector } from './cache/types.js';
import { type Clock, systemClock, type Timer } from './clock.js';
import { type Log, silentLog } from './log.js';
import type { Metrics } from './metrics.js';

/** Says what is wrong, one sentence each; nothing: all is well. */
export type HealthCheck = () => readonly string[];

export interface HealthServerOptions {
  port: number;
  /** Default: all addresses. */
  host?: string | undefined;
  metrics: Metrics;
  /** Wrong here: the kubelet restarts the process. Must never depend on the API server alone. */
  live: HealthCheck;
  /** Wrong here: no traffic, and a rollout waits. */
  ready: HealthCheck;
  log?: Log | undefined;
}

export interface HealthServer {
  /** The port that it listens on; useful when 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/healthz`, `/readyz` and `/metrics`. Rejects when the port can't be had. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const log = options.log ?? silentLog;
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      log.error({ err: error, url: request.url }, 'the health server could not answer');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  server.on('error', (error) => log.error({ err: error }, 'health server'));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path === '/healthz') sendCheck(response, options.live());
  else if (path === '/readyz') sendCheck(response, options.ready());
  else if (path === '/metrics') {
    const text = await options.metrics.scrape();
    response.writeHead(200, { 'content-type': options.metrics.registry.contentType }).end(text);
  } else response.writeHead(404, { 'content-type': 'text/plain' }).end('not found; try /healthz, /readyz, /metrics\n');
}

function sendCheck(response: ServerResponse, problems: readonly string[]): void {
  const text = problems.length === 0 ? 'ok' : problems.join('\n');
  response.writeHead(problems.length === 0 ? 200 : 503, { 'content-type': 'text/plain' }).end(`${text}\n`);
}

/**
 * Reflectors whose loop neither got data nor even tried to for `limitMs` (default 300,000). A reflector that tries and
 * fails because the API server is down is alive: a restart would not help it.
 */
export function stuckReflectors(
  reflectors: readonly Reflector<unknown>[],
  clock: Clock,
  limitMs = 300_000,
): HealthCheck {
  const startTime = clock.monotonic();
  return () =>
    reflectors.flatMap((reflector) => {
      const age = clock.monotonic() - (reflector.lastProgress() ?? startTime);
      return age <= limitMs ? [] : [`${reflector.type.plural}: no data and no attempt for ${Math.round(age / 1000)} s`];
    });
}

/** Reflectors that have not done their first list. */
export function unsyncedReflectors(reflectors: readonly Reflector<unknown>[]): HealthCheck {
  return () => reflectors.flatMap(({ store, type }) => (store.synced ? [] : [`${type.plural}: not listed yet`]));
}

/** A beat on the event loop: says so when the last one is older than `limitMs` (default 30,000). */
export function eventLoopBeat(clock: Clock = systemClock, limitMs = 30_000): { check: HealthCheck; stop(): void } {
  let lastTime = clock.monotonic();
  let timer: Timer;
  const beat = (): void => {
    lastTime = clock.monotonic();
    timer = clock.setTimer(1_000, beat);
  };
  beat();
  return {
    check: () => {
      const age = clock.monotonic() - lastTime;
      return age <= limitMs ? [] : [`the event loop hung for ${Math.round(age / 1000)} s`];
    },
    stop: () => timer.cancel(),
  };
}
