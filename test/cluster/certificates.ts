import { join } from 'node:path';
import { exists } from './exists.js';
import { run } from './run-command.js';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** The file name without its ending. */
  readonly name: string;
  readonly commonName: string;
  readonly organization?: string;
  /** DNS names and addresses of a server's certificate; a client's has none. */
  readonly names?: readonly string[];
}

/** Makes the cluster's certificate authority. Elliptic keys: an RSA key alone would take longer than the rest. */
export async function makeAuthority(folder: string): Promise<KeyPair> {
  const pair = { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  await openssl([...newKey(pair), '-x509', '-days', '30', '-subj', '/CN=understudy-test-cluster']);
  return pair;
}

/** Makes a certificate signed by the authority; an existing one is kept. */
export async function makeCertificate(folder: string, ca: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const pair = { certificate: join(folder, `${request.name}.crt`), key: join(folder, `${request.name}.key`) };
  if (await exists(pair.certificate)) return pair;
  const subject = `${request.organization ? `/O=${request.organization}` : ''}/CN=${request.commonName}`;
  const signing = ['-x509', '-CA', ca.certificate, '-CAkey', ca.key, '-days', '30', '-subj', subject];
  await openssl([...newKey(pair), ...signing, ...extensions(request)]);
  return pair;
}

/** Makes the key that signs service account tokens; the API server takes the private key for both uses. */
export async function makeServiceAccountKey(folder: string): Promise<string> {
  const path = join(folder, 'service-account.key');
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path]);
  return path;
}

function newKey(pair: KeyPair): string[] {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', pair.key];
  return [...key, '-out', pair.certificate];
}

function extensions(request: CertificateRequest): string[] {
  const constraints = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  if (!request.names) return [...constraints, '-addext', 'extendedKeyUsage=clientAuth'];
  const alternatives = request.names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const names = ['-addext', `subjectAltName=${alternatives.join(',')}`];
  return [...constraints, '-addext', 'extendedKeyUsage=serverAuth,clientAuth', ...names];
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', ['req', ...args]);
}
