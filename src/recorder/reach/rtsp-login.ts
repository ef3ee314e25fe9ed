import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from '../engine/engine.js';

/** What a request has to prove, by the challenge that refused it. */
export interface ChallengedRequest {
  readonly method: string;
  /** The address as it stands in the request. */
  readonly uri: string;
  readonly credentials: Credentials;
}

type Fields = Readonly<Record<string, string | undefined>>;

const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

/** The `name=value` pairs of a challenge, quoted or not. */
function fieldsOf(challenge: string): Fields {
  const pairs = challenge.matchAll(/([a-z]+)=(?:"([^"]*)"|([^\s,]+))/gi);
  return Object.fromEntries([...pairs].map(([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain]));
}

function quoted(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ');
}

/** RFC 7616, with and without `qop`; cameras mostly ask for MD5 without it. */
function digest(fields: Fields, { method, uri, credentials }: ChallengedRequest): string | undefined {
  const { realm = '', nonce = '', opaque, qop, algorithm = 'MD5' } = fields;
  const hash = HASHES[algorithm.toUpperCase()];
  if (hash === undefined || (qop !== undefined && !qop.split(',').some((each) => each.trim() === 'auth'))) {
    return undefined;
  }
  const hex = (text: string): string => createHash(hash).update(text).digest('hex');
  const secret = hex(`${credentials.username}:${realm}:${credentials.password}`);
  const request = hex(`${method}:${uri}`);
  const base = { username: credentials.username, realm, nonce, uri };
  const rest = {
    ...(fields.algorithm === undefined ? {} : { algorithm }),
    ...(opaque === undefined ? {} : { opaque }),
  };
  if (qop === undefined)
    return `Digest ${quoted({ ...base, response: hex(`${secret}:${nonce}:${request}`), ...rest })}`;
  const cnonce = randomBytes(8).toString('hex');
  const response = hex(`${secret}:${nonce}:00000001:${cnonce}:auth:${request}`);
  return `Digest ${quoted({ ...base, response, cnonce, ...rest })}, qop=auth, nc=00000001`;
}

/**
 * The Authorization header that answers one of these WWW-Authenticate headers: the best scheme first. Undefined when
 * none is known here. Never to be logged.
 */
export function authorization(challenges: readonly string[], request: ChallengedRequest): string | undefined {
  const { username, password } = request.credentials;
  for (const challenge of challenges.filter((text) => /^digest\b/i.test(text))) {
    const header = digest(fieldsOf(challenge), request);
    if (header !== undefined) return header;
  }
  if (!challenges.some((text) => /^basic\b/i.test(text))) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
