import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** Who an agent is on the wire: a key that never leaves its memory, and the certificate that goes with it. */
export interface PortIdentity {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate, in hex: what the other side pins. */
  readonly fingerprint: string;
}

// X.509 needs a handful of DER types only; an image with openssl, or cert-manager, would be much for that.
const tag = { integer: 0x02, bits: 0x03, oid: 0x06, utf8: 0x0c, time: 0x18, sequence: 0x30, set: 0x31 } as const;

function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const short = body.length < 0x80;
  const bytes = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([type, ...(short ? [body.length] : [0x80 | bytes.length, ...bytes])]), body]);
}

const ecdsaWithSha256 = der(tag.sequence, der(tag.oid, Buffer.from('2a8648ce3d040302', 'hex')));
const commonName = der(tag.oid, Buffer.from('550403', 'hex'));
// What counts is the pinned fingerprint: a recorder whose clock is wrong must not become unreachable by that.
const always = der(
  tag.sequence,
  der(tag.time, Buffer.from('20200101000000Z')),
  der(tag.time, Buffer.from('99991231235959Z')),
);

function named(name: string): Buffer {
  const attribute = der(tag.sequence, commonName, der(tag.utf8, Buffer.from(name.slice(0, 64))));
  return der(tag.sequence, der(tag.set, attribute));
}

/** Fingerprint of a certificate in DER. Hex. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex');
}

/** Makes a key (P-256) and a self-signed certificate for this start of the agent. `name` is for people. */
export function makePortIdentity(name: string): PortIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A first bit that is set would make the number negative, and a leading zero byte would be no shortest form.
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const body = der(
    tag.sequence,
    der(tag.integer, serial),
    ecdsaWithSha256,
    named(name),
    always,
    named(name),
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = der(tag.sequence, body, ecdsaWithSha256, der(tag.bits, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    fingerprint: fingerprintOf(certificate),
  };
}
