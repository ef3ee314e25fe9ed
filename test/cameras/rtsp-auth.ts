import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a camera asks of its viewers. */
export interface CameraLogin {
  username: string;
  password: string;
  /** The scheme offered; cameras in the field mostly offer Digest. */
  scheme: 'Digest' | 'Basic';
}

const REALM = 'camera';

/** The value of WWW-Authenticate for a fresh challenge. */
export function challenge(login: CameraLogin): string {
  if (login.scheme === 'Basic') return `Basic realm="${REALM}"`;
  return `Digest realm="${REALM}", nonce="${randomBytes(16).toString('hex')}"`;
}

/** Whether an Authorization header proves the login (RFC 2617, MD5 without qop, as ffmpeg answers it). */
export function isAuthorized(header: string | undefined, method: string, login: CameraLogin): boolean {
  if (header === undefined) return false;
  if (login.scheme === 'Basic') {
    const expected = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    return sameText(header, `Basic ${expected}`);
  }
  const fields = digestFields(header);
  const secret = md5(`${login.username}:${REALM}:${login.password}`);
  const request = md5(`${method}:${fields.uri ?? ''}`);
  return (
    fields.username === login.username && sameText(fields.response ?? '', md5(`${secret}:${fields.nonce}:${request}`))
  );
}

function digestFields(header: string): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = {};
  for (const [, name = '', value = ''] of header.matchAll(/(\w+)="([^"]*)"/g)) fields[name] = value;
  return fields;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
