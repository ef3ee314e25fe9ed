import { API_VERSION, backupKind, FIELD_MANAGER, GROUP, labels } from '../../crds/index.js';
import type { KubeObject } from '../../operator/index.js';
import type { ArtifactHeader, SealedBaseline } from '../artifact-store.js';
import { sha256 } from '../baseline.js';
import { keyIdOf } from '../encryption/envelope.js';
import type { BackupTarget } from '../engine.js';

/** A Secret that holds one part of a compressed baseline. */
export interface PartSecret extends KubeObject {
  type?: string;
  immutable?: boolean;
  /** base64. */
  data?: Record<string, string>;
}

/** Type of our Secrets: what else there is under their names is not ours. */
export const PART_TYPE = `${GROUP}/baseline`;
/** Key of the bytes. All parts in order, put together, are one gzip file. */
export const PART_KEY = 'baseline.json.gz';
/** The same for encrypted bytes. */
export const ENCRYPTED_PART_KEY = 'baseline.json.gz.enc';

const annotation = {
  /** Of the whole uncompressed baseline. */
  sha256: `${GROUP}/baseline-sha256`,
  /** Of this part's bytes. */
  partSha256: `${GROUP}/part-sha256`,
  part: `${GROUP}/part`,
  parts: `${GROUP}/parts`,
  uncompressedBytes: `${GROUP}/uncompressed-bytes`,
  servers: `${GROUP}/servers`,
  cameras: `${GROUP}/cameras`,
  secrets: `${GROUP}/secrets`,
} as const;

/** `<backup>-<n>`, from 0. */
export function partName(backup: string, part: number): string {
  return `${backup}-${part}`;
}

/** The Secrets of a baseline. Equal baselines of one Backup yield equal Secrets. */
export function partSecrets(
  { header, bytes: whole }: SealedBaseline,
  target: BackupTarget,
  partBytes: number,
): PartSecret[] {
  const key = keyIdOf(whole) === undefined ? PART_KEY : ENCRYPTED_PART_KEY;
  const { servers = 0, cameras = 0, secrets = 0 } = header.counts ?? {};
  const count = Math.max(1, Math.ceil(whole.length / partBytes));
  return Array.from({ length: count }, (_, part) => {
    const bytes = whole.subarray(part * partBytes, (part + 1) * partBytes);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        namespace: target.namespace,
        name: partName(target.name, part),
        labels: {
          [labels.managedBy]: FIELD_MANAGER,
          [labels.partOf]: FIELD_MANAGER,
          [labels.backup]: target.name,
          [labels.pool]: target.pool,
        },
        annotations: {
          [annotation.sha256]: header.sha256,
          [annotation.partSha256]: sha256(bytes),
          [annotation.part]: String(part),
          [annotation.parts]: String(count),
          [annotation.uncompressedBytes]: String(header.uncompressedBytes),
          [annotation.servers]: String(servers),
          [annotation.cameras]: String(cameras),
          [annotation.secrets]: String(secrets),
        },
        // Deleting the Backup deletes its baseline. Nothing else owns it: a baseline outlives its pool.
        ownerReferences: [
          { apiVersion: API_VERSION, kind: backupKind.kind, name: target.name, uid: target.uid, controller: true },
        ],
      },
      type: PART_TYPE,
      immutable: true,
      data: { [key]: bytes.toString('base64') },
    };
  });
}

/** Whose a Secret is: this Backup's, that of an earlier Backup of the same name, or somebody else's. */
export function ownerOf(secret: PartSecret, target: BackupTarget): 'ours' | 'predecessor' | 'foreign' {
  const owner = secret.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (secret.type !== PART_TYPE || owner?.kind !== backupKind.kind || owner.name !== target.name) return 'foreign';
  return owner.uid === target.uid ? 'ours' : 'predecessor';
}

/** True when the Secret holds what `wanted` would; other fields of ours follow from these. */
export function samePart(secret: PartSecret, wanted: PartSecret): boolean {
  const keys = Object.values(annotation);
  return (
    textOf(secret) === textOf(wanted) &&
    keys.every((key) => secret.metadata.annotations?.[key] === wanted.metadata.annotations?.[key])
  );
}

function textOf({ data }: PartSecret): string | undefined {
  return data?.[PART_KEY] ?? data?.[ENCRYPTED_PART_KEY];
}

/** What a part says of the whole. */
export interface PartHeader extends ArtifactHeader {
  readonly parts: number;
}

/** Undefined when the annotations are damaged. */
export function partHeader(secret: PartSecret): PartHeader | undefined {
  const annotations = secret.metadata.annotations ?? {};
  const number = (name: string): number => Number(annotations[name] ?? Number.NaN);
  const parts = number(annotation.parts);
  const uncompressedBytes = number(annotation.uncompressedBytes);
  const checksum = annotations[annotation.sha256];
  const [servers, cameras, secrets] = [annotation.servers, annotation.cameras, annotation.secrets].map(number);
  if (!Number.isSafeInteger(parts) || parts <= 0 || !Number.isSafeInteger(uncompressedBytes) || !checksum)
    return undefined;
  const counted = [servers, cameras, secrets].every(Number.isSafeInteger);
  const counts = { servers: servers ?? 0, cameras: cameras ?? 0, secrets: secrets ?? 0 };
  return { sha256: checksum, parts, uncompressedBytes, counts: counted ? counts : undefined };
}

/** The bytes of one part; undefined when they are not those that its checksum, number and whole ask for. */
export function partBytesOf(secret: PartSecret, part: number, header: PartHeader): Buffer | undefined {
  const annotations = secret.metadata.annotations ?? {};
  const bytes = Buffer.from(textOf(secret) ?? '', 'base64');
  const fine =
    annotations[annotation.part] === String(part) &&
    annotations[annotation.sha256] === header.sha256 &&
    annotations[annotation.parts] === String(header.parts) &&
    annotations[annotation.partSha256] === sha256(bytes);
  return fine ? bytes : undefined;
}
