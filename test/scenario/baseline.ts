import { gunzipSync } from 'node:zlib';
import { resources } from '../../src/operator/resources.js';
import type { Api } from './api.js';

interface Part {
  metadata: { name: string; labels?: Record<string, string> };
  data?: Record<string, string>;
}

/**
 * The content of a baseline, put together as a person in need would do it by hand: the Secrets that carry its name, in
 * their order, are one gzip file of JSON.
 */
export async function baselineOf(api: Api, namespace: string, backup: string): Promise<unknown> {
  const secrets = await api.list<Part>(resources.secrets, namespace);
  const number = (part: Part) => Number(part.metadata.name.slice(`${backup}-`.length));
  const parts = secrets.filter((secret) => secret.metadata.labels?.['understudy.dev/backup'] === backup);
  if (parts.length === 0) throw new Error(`no Secret holds a part of the baseline ${backup}`);
  const bytes = parts
    .sort((a, b) => number(a) - number(b))
    .map((part) => Buffer.from(part.data?.['baseline.json.gz'] ?? '', 'base64'));
  return JSON.parse(gunzipSync(Buffer.concat(bytes)).toString());
}
