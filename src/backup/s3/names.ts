import type { S3Settings } from '../../crds/index.js';
import type { ArtifactHeader } from '../artifact-store.js';
import type { BackupTarget } from '../engine.js';

const suffix = '.baseline';

/**
 * `<prefix>/<namespace>/<pool>/<backup>.<uid>.baseline`. The uid is in it because a bucket outlives clusters: a Backup
 * of the same name in a cluster that was made anew must not touch what may be the last baseline of the old one.
 */
export function objectKey(settings: S3Settings, { namespace, pool, name, uid }: BackupTarget): string {
  return `${folder(settings, namespace, pool)}${name}.${uid}${suffix}`;
}

/** What all keys of a namespace, or of one pool in it, begin with. */
export function folder(settings: S3Settings, namespace: string, pool?: string): string {
  const parts = [settings.prefix, namespace, pool].filter((part) => part !== undefined && part !== '');
  return `${parts.join('/')}/`;
}

/** Undoes `objectKey`; undefined for a key of another form. */
export function targetOfKey(settings: S3Settings, key: string): Omit<BackupTarget, 'destination'> | undefined {
  const start = settings.prefix === '' ? '' : `${settings.prefix}/`;
  const match = /^([^/]+)\/([^/]+)\/([^/]+)\.([^./]+)\.baseline$/.exec(
    key.startsWith(start) ? key.slice(start.length) : '',
  );
  const [, namespace, pool, name, uid] = match ?? [];
  return namespace && pool && name && uid ? { namespace, pool, name, uid } : undefined;
}

/** Metadata of an object, as S3 hands it back: lower case. */
export function metadataOf(header: ArtifactHeader, bytesSha256: string, target: BackupTarget): Record<string, string> {
  const { servers = 0, cameras = 0, secrets = 0 } = header.counts ?? {};
  return {
    'understudy-format': 'understudy.dev/baseline',
    'understudy-namespace': target.namespace,
    'understudy-pool': target.pool,
    'understudy-backup': target.name,
    'understudy-uid': target.uid,
    'understudy-sha256': header.sha256,
    'understudy-bytes-sha256': bytesSha256,
    'understudy-uncompressed-bytes': String(header.uncompressedBytes),
    'understudy-counts': `${servers} ${cameras} ${secrets}`,
  };
}

/** True when an object says of itself that it is the artifact of this very Backup. */
export function isOf(metadata: Readonly<Record<string, string>>, target: BackupTarget): boolean {
  return (
    metadata['understudy-format'] === 'understudy.dev/baseline' &&
    metadata['understudy-namespace'] === target.namespace &&
    metadata['understudy-backup'] === target.name &&
    metadata['understudy-uid'] === target.uid
  );
}

/** Undefined when it is damaged. */
export function headerOf(
  metadata: Readonly<Record<string, string>>,
): (ArtifactHeader & { readonly bytesSha256: string }) | undefined {
  const sha256 = metadata['understudy-sha256'];
  const bytesSha256 = metadata['understudy-bytes-sha256'];
  const uncompressedBytes = Number(metadata['understudy-uncompressed-bytes'] ?? Number.NaN);
  const [servers, cameras, secrets] = (metadata['understudy-counts'] ?? '').split(' ').map(Number);
  if (!sha256 || !bytesSha256 || !Number.isSafeInteger(uncompressedBytes)) return undefined;
  if (servers === undefined || cameras === undefined || secrets === undefined) return undefined;
  return { sha256, bytesSha256, uncompressedBytes, counts: { servers, cameras, secrets } };
}
