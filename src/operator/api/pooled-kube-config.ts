import { createHash } from 'node:crypto';
import type { RequestOptions as HttpsRequestOptions } from 'node:https';
import { type Cluster, type Context, KubeConfig, type RequestContext, type User } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { type Clock, systemClock } from '../clock.js';
import { ApiError } from './error.js';

/** What a request needs to reach the API server. */
export interface Connection {
  /** 'https://host:port', without path. */
  readonly origin: string;
  /** Path before '/api': '' as a rule, more behind some proxies. */
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

export interface PoolOptions {
  clock?: Clock | undefined;
  /** Most connections at once, watches included. Default 64. */
  connections?: number | undefined;
}

/** How long credentials and CA are used before the files, or the plugin's cache, are looked at again. */
const credentialsMaxAgeMs = 10_000;
/** An authenticator is replaced at most so often, lest a permanent 401 runs an exec plugin with each request. */
const authenticatorMinAgeMs = 5_000;

type TlsOptions = Pick<HttpsRequestOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'servername'> & {
  rejectUnauthorized?: boolean | undefined;
};

/**
 * A KubeConfig whose requests share one connection pool. client-node 2.0.1 builds a new undici Agent, and so a new TCP
 * and TLS connection, for every request (kubernetes-client/javascript#2893 mended only its https.Agents).
 *
 * The pool is rebuilt when the CA or the client certificate changes. Service account tokens are bound and expire: the
 * file is read again every 60 s by client-node, and at once after a 401 (`renewCredentials`).
 */
export class PooledKubeConfig extends KubeConfig {
  readonly #clock: Clock;
  readonly #connections: number;
  /** Holds the authenticators with their caches; replaced to drop a token that is no longer taken. */
  #authority: KubeConfig | undefined;
  #authorityTime = Number.NEGATIVE_INFINITY;
  #current: (Connection & { readTime: number }) | undefined;
  #reading: Promise<Connection> | undefined;
  #pool: { fingerprint: string; dispatcher: Dispatcher } | undefined;

  constructor(options: PoolOptions = {}) {
    super();
    this.#clock = options.clock ?? systemClock;
    this.#connections = options.connections ?? 64;
  }

  /** The pooled form of a loaded configuration; itself when it already is one. */
  static from(kubeConfig: KubeConfig, options: PoolOptions = {}): PooledKubeConfig {
    if (kubeConfig instanceof PooledKubeConfig) return kubeConfig;
    const pooled = new PooledKubeConfig(options);
    pooled.loadFromOptions(optionsOf(kubeConfig));
    return pooled;
  }

  /** Server, headers and pool for a request now. Throws ApiError `transient` when credentials can't be had. */
  connection(): Promise<Connection> {
    const current = this.#current;
    if (current && this.#clock.monotonic() - current.readTime < credentialsMaxAgeMs) return Promise.resolve(current);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Looks at CA and credentials again before the next request; with `rejected`, drops cached tokens too. */
  renewCredentials(rejected: boolean): void {
    if (this.#current) this.#current = { ...this.#current, readTime: Number.NEGATIVE_INFINITY };
    if (rejected && this.#clock.monotonic() - this.#authorityTime >= authenticatorMinAgeMs) this.#authority = undefined;
  }

  /** client-node's own API classes come through here; they get the same pool. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const { headers, dispatcher } = await this.connection();
    for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value);
    context.setDispatcher(dispatcher);
  }

  /** Cuts all connections, watches included. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    this.#current = undefined;
    await pool?.dispatcher.destroy();
  }

  async #read(): Promise<Connection> {
    const cluster = this.getCurrentCluster();
    if (!cluster) {
      throw new ApiError('terminal', 'The kubeconfig names no current cluster: set current-context, or KUBECONFIG');
    }
    try {
      const options = await this.#applyAuthority();
      const server = new URL(cluster.server);
      const connection = {
        origin: server.origin,
        basePath: server.pathname.replace(/\/+$/, ''),
        headers: authHeaders(options),
        dispatcher: await this.#dispatcher(cluster, options),
        readTime: this.#clock.monotonic(),
      };
      this.#current = connection;
      return connection;
    } catch (cause) {
      // Token and CA files are replaced under us; what we have may still be good, and the server will tell.
      if (this.#current) return this.#current;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new ApiError('transient', `Can't get credentials for ${cluster.server}: ${text}`, {
        reason: 'CredentialsUnavailable',
        cause,
      });
    }
  }

  async #applyAuthority(): Promise<HttpsRequestOptions> {
    if (!this.#authority) {
      this.#authority = new KubeConfig();
      this.#authority.loadFromOptions(optionsOf(this));
      this.#authorityTime = this.#clock.monotonic();
    }
    const options: HttpsRequestOptions = {};
    await this.#authority.applyToHTTPSOptions(options);
    return options;
  }

  async #dispatcher(cluster: Cluster, options: HttpsRequestOptions): Promise<Dispatcher> {
    const tls = tlsOptions(options);
    const fingerprint = fingerprintOf(cluster, tls);
    if (this.#pool?.fingerprint === fingerprint) return this.#pool.dispatcher;
    const old = this.#pool;
    const dispatcher = this.#buildDispatcher(cluster, tls);
    this.#pool = { fingerprint, dispatcher };
    // Requests under way on the old pool end in their own time; a watch is ended by the server within 10 minutes.
    old?.dispatcher.close().catch(() => old.dispatcher.destroy());
    return dispatcher;
  }

  #buildDispatcher(cluster: Cluster, tls: TlsOptions): Dispatcher {
    const wanted = this.createDispatcherOptions(cluster, tls);
    const shared = {
      connections: this.#connections,
      pipelining: 1,
      // HTTP/2 would put all watches and writes on one TCP connection: one half-open connection would stop everything.
      allowH2: false,
      // Below the 90 s after which the API server closes idle connections.
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 60_000,
      // Every request has a time-out of its own, and a watch its silence limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const connect = { timeout: 5_000, keepAlive: true, keepAliveInitialDelay: 15_000 };
    if (wanted.type === 'socks') {
      throw new ApiError('terminal', `proxy-url ${cluster.proxyUrl}: SOCKS is not supported; use an HTTP proxy`);
    }
    if (wanted.type === 'proxy')
      return new ProxyAgent({
        ...shared,
        uri: wanted.uri,
        requestTls: wanted.requestTls as buildConnector.BuildOptions,
      });
    const tlsConnect = wanted.type === 'none' ? {} : (wanted.connect as buildConnector.BuildOptions);
    return new Agent({ ...shared, connect: { ...tlsConnect, ...connect } });
  }
}

function optionsOf(kubeConfig: KubeConfig): {
  clusters: Cluster[];
  users: User[];
  contexts: Context[];
  currentContext: string;
} {
  const { clusters, users, contexts, currentContext } = kubeConfig;
  return { clusters, users, contexts, currentContext };
}

function authHeaders(options: HttpsRequestOptions): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'understudy' };
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end with a newline, which is no legal header value.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

function tlsOptions(options: HttpsRequestOptions): TlsOptions {
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
  return { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
}

function fingerprintOf(cluster: Cluster, tls: TlsOptions): string {
  const parts = [cluster.server, cluster.proxyUrl, tls.ca, tls.cert, tls.key, tls.pfx, tls.passphrase, tls.servername];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part === undefined ? 'absent' : String(part)).update('\0');
  return hash.update(String(tls.rejectUnauthorized)).digest('hex');
}
