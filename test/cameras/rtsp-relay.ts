import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type CameraLogin, challenge, isAuthorized } from './rtsp-auth.js';
import { formatResponse, RtspParser, type RtspUnit } from './rtsp-message.js';

/** One path of the relay: what its publisher sends goes to each of its viewers. */
interface Path {
  sdp: string | undefined;
  publisher: Connection | undefined;
  viewers: Set<Connection>;
  frozen: boolean;
  refused: boolean;
  maxSessions: number | undefined;
}

export interface RtspRelay {
  readonly port: number;
  /** Number of connections that play the path at this moment. */
  sessions(path: string): number;
  /** Number of DESCRIBE requests that asked for the path since the start, refused ones included. */
  attempts(path: string): number;
  /** Whether a source is publishing the path. */
  isPublished(path: string): boolean;
  /** Frozen paths send no packets, but their connections stay open, as a hung camera's do. */
  setFrozen(path: string, frozen: boolean): void;
  /** Refused paths answer 503 and drop who was playing. */
  setRefused(path: string, refused: boolean): void;
  /** The number of simultaneous viewers above which 453 is answered; undefined for no limit. */
  setMaxSessions(path: string, limit: number | undefined): void;
  stop(): Promise<void>;
}

type Request = Extract<RtspUnit, { kind: 'request' }>;

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER';
const INERT_METHODS = ['RECORD', 'GET_PARAMETER'];
// A viewer that does not read must not make the relay hold its packets in memory for ever.
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

/** Starts an RTSP relay over TCP that takes publishers (ANNOUNCE, RECORD) and viewers (DESCRIBE, PLAY) on one port. */
export async function startRelay(options: { host: string; port: number; login?: CameraLogin }): Promise<RtspRelay> {
  const paths = new Map<string, Path>();
  const attempts = new Map<string, number>();
  const connections = new Set<Connection>();
  const pathOf = (name: string): Path => {
    const known = paths.get(name) ?? newPath();
    paths.set(name, known);
    return known;
  };
  const server = createServer((socket) => {
    const connection = new Connection(socket, pathOf, attempts, options.login);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: portOf(server),
    sessions: (name) => pathOf(name).viewers.size,
    attempts: (name) => attempts.get(name) ?? 0,
    isPublished: (name) => pathOf(name).publisher !== undefined,
    setFrozen: (name, frozen) => {
      pathOf(name).frozen = frozen;
    },
    setRefused: (name, refused) => {
      pathOf(name).refused = refused;
      if (refused) for (const viewer of pathOf(name).viewers) viewer.close();
    },
    setMaxSessions: (name, limit) => {
      pathOf(name).maxSessions = limit;
    },
    stop: async () => {
      for (const connection of connections) connection.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function newPath(): Path {
  return {
    sdp: undefined,
    publisher: undefined,
    viewers: new Set(),
    frozen: false,
    refused: false,
    maxSessions: undefined,
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no TCP port');
  return address.port;
}

class Connection {
  readonly #socket: Socket;
  readonly #pathOf: (name: string) => Path;
  readonly #attempts: Map<string, number>;
  readonly #login: CameraLogin | undefined;
  readonly #session = Math.random().toString(16).slice(2, 10);
  #publishing: Path | undefined;
  #playing: Path | undefined;

  constructor(
    socket: Socket,
    pathOf: (name: string) => Path,
    attempts: Map<string, number>,
    login: CameraLogin | undefined,
  ) {
    this.#socket = socket;
    this.#pathOf = pathOf;
    this.#attempts = attempts;
    this.#login = login;
    const parser = new RtspParser();
    socket.setNoDelay(true);
    // Peers are killed at random: a reset is an ordinary end, and 'close' follows it.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave());
    socket.on('data', (bytes) => {
      try {
        for (const unit of parser.push(bytes)) this.#take(unit);
      } catch {
        socket.destroy();
      }
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#leave();
  }

  /** Hands a packet of the publisher to this viewer; the packet's own channel is kept. */
  send(packet: Buffer): void {
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.close();
    else this.#socket.write(packet);
  }

  #take(unit: RtspUnit): void {
    if (unit.kind === 'request') this.#answer(unit);
    else if (this.#publishing !== undefined && !this.#publishing.frozen) {
      for (const viewer of this.#publishing.viewers) viewer.send(unit.bytes);
    }
  }

  #answer(request: Request): void {
    const name = pathName(request.url);
    if (request.method === 'ANNOUNCE') this.#announce(request, name);
    else if (request.method === 'DESCRIBE') this.#describe(request, name);
    else if (request.method === 'SETUP') this.#setup(request, name);
    else if (request.method === 'PLAY') this.#play(request, name);
    else if (request.method === 'TEARDOWN') this.#tearDown(request);
    else if (request.method === 'OPTIONS') this.#reply(request, '200 OK', { Public: METHODS });
    else if (INERT_METHODS.includes(request.method)) this.#reply(request, '200 OK', { Session: this.#session });
    else this.#reply(request, '501 Not Implemented');
  }

  #tearDown(request: Request): void {
    this.#reply(request, '200 OK', { Session: this.#session });
    this.#leave();
    this.#socket.end();
  }

  #announce(request: Request, name: string): void {
    const path = this.#pathOf(name);
    // A killed publisher may not have been noticed yet: the newest one wins.
    path.publisher?.close();
    path.sdp = request.body;
    path.publisher = this;
    this.#publishing = path;
    this.#reply(request, '200 OK');
  }

  #describe(request: Request, name: string): void {
    this.#attempts.set(name, (this.#attempts.get(name) ?? 0) + 1);
    const path = this.#pathOf(name);
    const refusal = this.#refusal(request, path);
    if (refusal !== undefined) this.#reply(request, ...refusal);
    else
      this.#reply(
        request,
        '200 OK',
        { 'Content-Type': 'application/sdp', 'Content-Base': `${request.url}/` },
        path.sdp,
      );
  }

  #refusal(request: Request, path: Path): [status: string, headers?: Record<string, string>] | undefined {
    if (path.refused) return ['503 Service Unavailable'];
    if (this.#login !== undefined && !isAuthorized(request.headers.authorization, request.method, this.#login)) {
      return ['401 Unauthorized', { 'WWW-Authenticate': challenge(this.#login) }];
    }
    if (path.sdp === undefined || path.publisher === undefined) return ['404 Not Found'];
    return undefined;
  }

  #setup(request: Request, name: string): void {
    const asked = request.headers.transport ?? '';
    const path = this.#pathOf(name);
    const views = this.#publishing === undefined;
    if (!asked.includes('TCP')) {
      this.#reply(request, '461 Unsupported Transport');
    } else if (views && path.maxSessions !== undefined && path.viewers.size >= path.maxSessions) {
      this.#reply(request, '453 Not Enough Bandwidth');
    } else {
      const channels = /interleaved=\d+-\d+/.exec(asked)?.[0] ?? 'interleaved=0-1';
      const transport = `RTP/AVP/TCP;unicast;${channels}`;
      this.#reply(request, '200 OK', { Transport: transport, Session: `${this.#session};timeout=60` });
    }
  }

  #play(request: Request, name: string): void {
    this.#reply(request, '200 OK', { Session: this.#session, Range: 'npt=0.000-' });
    this.#playing = this.#pathOf(name);
    this.#playing.viewers.add(this);
  }

  #leave(): void {
    this.#playing?.viewers.delete(this);
    this.#playing = undefined;
    const path = this.#publishing;
    this.#publishing = undefined;
    if (path === undefined || path.publisher !== this) return;
    path.publisher = undefined;
    for (const viewer of path.viewers) viewer.close();
  }

  #reply(request: Request, status: string, headers: Record<string, string> = {}, body = ''): void {
    this.#socket.write(formatResponse(status, { CSeq: request.headers.cseq ?? '0', ...headers }, body));
  }
}

/** The camera's name: the first part of the URL's path, without the track that SETUP adds. */
function pathName(url: string): string {
  return /^rtsp:\/\/[^/]+\/([^/?]*)/.exec(url)?.[1] ?? '';
}
