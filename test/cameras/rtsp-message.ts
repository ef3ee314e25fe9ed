/** One RTSP request, or one RTP/RTCP packet interleaved on the same connection (RFC 2326 section 10.12). */
export type RtspUnit =
  | { kind: 'request'; method: string; url: string; headers: Record<string, string>; body: string }
  | { kind: 'packet'; channel: number; bytes: Buffer };

const HEADER_END = '\r\n\r\n';
const MAX_HEADER_BYTES = 64 * 1024;

/** Cuts a byte stream into requests and interleaved packets. Throws on a stream that is not RTSP. */
export class RtspParser {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the next bytes of the connection and returns every unit that is complete by now. */
  push(bytes: Buffer): RtspUnit[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const units: RtspUnit[] = [];
    for (let unit = this.#next(); unit !== undefined; unit = this.#next()) units.push(unit);
    return units;
  }

  #next(): RtspUnit | undefined {
    if (this.#pending.length < 4) return undefined;
    return this.#pending[0] === 0x24 ? this.#nextPacket() : this.#nextRequest();
  }

  #nextPacket(): RtspUnit | undefined {
    const end = 4 + this.#pending.readUInt16BE(2);
    if (this.#pending.length < end) return undefined;
    const bytes = this.#pending.subarray(0, end);
    this.#pending = this.#pending.subarray(end);
    return { kind: 'packet', channel: bytes.readUInt8(1), bytes };
  }

  #nextRequest(): RtspUnit | undefined {
    const headerEnd = this.#pending.indexOf(HEADER_END);
    if (headerEnd < 0) {
      if (this.#pending.length > MAX_HEADER_BYTES) throw new Error('not an RTSP stream: header too long');
      return undefined;
    }
    const [first = '', ...lines] = this.#pending.subarray(0, headerEnd).toString('latin1').split('\r\n');
    const headers = parseHeaders(lines);
    const bodyStart = headerEnd + HEADER_END.length;
    const bodyEnd = bodyStart + Number(headers['content-length'] ?? 0);
    if (this.#pending.length < bodyEnd) return undefined;
    const body = this.#pending.subarray(bodyStart, bodyEnd).toString('latin1');
    this.#pending = this.#pending.subarray(bodyEnd);
    const [method = '', url = ''] = first.split(' ');
    return { kind: 'request', method, url, headers, body };
  }
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

/** Writes a response; the CSeq of the request must be given back in it. */
export function formatResponse(status: string, headers: Record<string, string>, body = ''): string {
  const all = body === '' ? headers : { ...headers, 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `RTSP/1.0 ${status}\r\n${lines.join('')}\r\n${body}`;
}
