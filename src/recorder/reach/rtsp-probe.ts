import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Credentials } from '../engine/engine.js';
import { authorization } from './rtsp-login.js';

/**
 * - Reached: the camera describes its stream, or says that it has no session left for it.
 * - Rejected: it answers, but not so: the login, the path, a fault of its own.
 * - Unreachable: no connection, or no answer in time.
 */
export type ProbeOutcome = 'Reached' | 'Rejected' | 'Unreachable';

export interface ProbeRequest {
  /** RTSP address without credentials. */
  readonly url: string;
  readonly credentials: Credentials | undefined;
  /** For the whole probe. Milliseconds. */
  readonly timeoutMs: number;
  /** Ends the probe at once. */
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly challenges: readonly string[];
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'rtsp:': 554, 'rtsps:': 322 };
const HEADER_END = '\r\n\r\n';
const MOST_BYTES = 256 * 1024;
/** Not Enough Bandwidth and Service Unavailable: what cameras say when all their sessions are taken. */
const FULL = [453, 503];

function open(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 554);
  if (url.protocol !== 'rtsps:') return connectTcp({ host, port });
  // Cameras have certificates of their own making; the recording engine does not ask for more either.
  return connectTls({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

/** Cuts answers out of what a camera sends. */
class Answers {
  #pending = '';

  /** The next answer that is complete with its body; undefined while it is not. Throws on what is not RTSP. */
  take(bytes: Buffer): Answer | undefined {
    this.#pending += bytes.toString('latin1');
    if (this.#pending.length > MOST_BYTES) throw new Error('not an RTSP camera: the answer does not end');
    const end = this.#pending.indexOf(HEADER_END);
    if (end < 0) return undefined;
    const [first = '', ...lines] = this.#pending.slice(0, end).split('\r\n');
    const status = Number(/^RTSP\/\d\.\d (\d{3})/.exec(first)?.[1]);
    if (!Number.isInteger(status)) throw new Error('not an RTSP camera');
    const header = (name: string) =>
      lines
        .filter((line) => line.toLowerCase().startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trim());
    const rest = end + HEADER_END.length + (Number(header('content-length')[0]) || 0);
    if (this.#pending.length < rest) return undefined;
    this.#pending = this.#pending.slice(rest);
    return { status, challenges: header('www-authenticate') };
  }
}

function describe(url: string, sequence: number, login: string | undefined): string {
  const lines = [`DESCRIBE ${url} RTSP/1.0`, `CSeq: ${sequence}`, 'Accept: application/sdp', 'User-Agent: Understudy'];
  if (login !== undefined) lines.push(`Authorization: ${login}`);
  return `${lines.join('\r\n')}${HEADER_END}`;
}

function outcomeOf({ status }: Answer): ProbeOutcome {
  return status < 400 || FULL.includes(status) ? 'Reached' : 'Rejected';
}

/**
 * Asks a camera to describe its stream, with its login, and hangs up. Neither SETUP nor PLAY: it takes none of the
 * camera's sessions, so that a standby can ask what another records. Never rejects.
 */
export function probeCamera(request: ProbeRequest): Promise<ProbeOutcome> {
  return new Promise((resolve) => new Probe(request, resolve).start());
}

/** One probe: a question, and after a challenge the same with the login. */
class Probe {
  readonly #request: ProbeRequest;
  readonly #resolve: (outcome: ProbeOutcome) => void;
  readonly #deadline: NodeJS.Timeout;
  readonly #aborted = () => this.#finish('Unreachable');
  #socket: Socket | undefined;
  #login: string | undefined;
  #asked = 0;
  #over = false;

  constructor(request: ProbeRequest, resolve: (outcome: ProbeOutcome) => void) {
    this.#request = request;
    this.#resolve = resolve;
    // For all of it: a camera that trickles must not hold it up for ever.
    this.#deadline = setTimeout(this.#aborted, request.timeoutMs);
    this.#deadline.unref();
    request.signal.addEventListener('abort', this.#aborted, { once: true });
  }

  start(): void {
    if (this.#request.signal.aborted) this.#aborted();
    else this.#connect();
  }

  #connect(): void {
    let socket: Socket;
    try {
      socket = open(new URL(this.#request.url));
    } catch {
      this.#finish('Unreachable');
      return;
    }
    this.#socket = socket;
    const answers = new Answers();
    let challenged = false;
    const ask = (): void => {
      this.#asked += 1;
      socket.write(describe(this.#request.url, this.#asked, this.#login));
    };
    // 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      // Some cameras hang up with the challenge, and want the login on a new connection.
      if (challenged && !this.#over) this.#connect();
      else this.#finish('Unreachable');
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        const answer = answers.take(bytes);
        if (answer === undefined) return;
        challenged = this.#challenged(answer);
        if (challenged) ask();
        else this.#finish(outcomeOf(answer));
      } catch {
        this.#finish('Rejected');
      }
    });
    ask();
  }

  /** Whether there is a login that has not been tried yet. */
  #challenged({ status, challenges }: Answer): boolean {
    const { url, credentials } = this.#request;
    if (status !== 401 || this.#login !== undefined || credentials === undefined) return false;
    this.#login = authorization(challenges, { method: 'DESCRIBE', uri: url, credentials });
    return this.#login !== undefined;
  }

  #finish(outcome: ProbeOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#request.signal.removeEventListener('abort', this.#aborted);
    this.#socket?.destroy();
    this.#resolve(outcome);
  }
}
