import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { fingerprintOf, type PortIdentity } from './certificate.js';

/** Another recorder's port. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of its certificate, in hex: any other one is refused before a word is said. */
  readonly fingerprint: string;
}

/** A connection or an answer that stands still for so long is given up. Milliseconds. */
const SILENT_MS = 15_000;

/** The peer answered, but not with what was asked for. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function connected(peer: Peer, { key, certificate }: PortIdentity): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Nobody has signed it: the fingerprint, which came by the API server, says more than any authority could.
    const options = { host: peer.host, port: peer.port, key, cert: certificate, rejectUnauthorized: false } as const;
    const socket = connect({ ...options, minVersion: 'TLSv1.3' });
    socket.setTimeout(SILENT_MS, () => socket.destroy(new Error('the recorder does not answer')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const raw = socket.getPeerX509Certificate()?.raw;
      if (raw !== undefined && fingerprintOf(raw) === peer.fingerprint) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new Error('another certificate than the one that the recorder has reported; it may have just restarted'));
    });
  });
}

/**
 * Asks another recorder. Resolves with the answer, whose body is still to be read; rejects with a PeerError for any
 * status but 200 and 206, and with an Error that says what failed otherwise.
 */
export async function askPeer(
  peer: Peer,
  identity: PortIdentity,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  const socket = await connected(peer, identity);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ path, headers: { ...headers, Connection: 'close' }, createConnection: () => socket });
    request.once('response', resolve).once('error', reject).end();
  });
  if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
  const text = await bodyOf(answer, 1024);
  socket.destroy();
  throw new PeerError(answer.statusCode ?? 0, text.trim() || `answer ${answer.statusCode}`);
}

/** Reads an answer as text; rejects when it is longer than `limit` bytes. */
export async function bodyOf(answer: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    if (bytes > limit) {
      answer.destroy();
      throw new Error(`the answer is longer than ${limit} bytes`);
    }
  }
  return Buffer.concat(parts).toString('utf8');
}
