import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { KeyPair } from './certificates.js';

export interface KubeconfigInput {
  readonly server: string;
  readonly clusterName: string;
  readonly authorityPath: string;
  readonly client: KeyPair;
}

/** Builds a kubeconfig that needs no other file: it can be copied anywhere while the cluster is up. */
export async function kubeconfigFor(input: KubeconfigInput): Promise<string> {
  const encode = async (path: string) => (await readFile(path)).toString('base64');
  const name = `understudy-${input.clusterName}`;
  const cluster = { server: input.server, 'certificate-authority-data': await encode(input.authorityPath) };
  const user = {
    'client-certificate-data': await encode(input.client.certificate),
    'client-key-data': await encode(input.client.key),
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
