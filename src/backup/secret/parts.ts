import { API_VERSION, backupKind, FIELD_MANAGER, GROUP, labels } from '../../crds/index.js';
import type { KubeObject } from '../../operator/index.js';
import { type EncodedBaseline, sha256 } from '../baseline.js';
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

const annotation = {
  /** Of the whole uncompressed baseline. */
  sha256: `${GROUP}/baseline-sha256`,
  /** Of this part's bytes. */
  partSha256: `${GROUP}/part-sha256`,
  part: `${GROUP}/part`,
  parts: `${GROUP}/parts`,
  uncompressedBytes: `${GROUP}/uncompressed-bytes`,
} as const;

/** `<backup>-<n>`, from 0. */
export function partName(backup: string, part: number): string {
  return `${backup}-${part}`;
}

/** The Secrets of a baseline. Equal baselines of one Backup yield equal Secrets. */
export function partSecrets(
  baseline: EncodedBaseline,
  compressed: Buffer,
  target: BackupTarget,
  partBytes: number,
): PartSecret[] {
  const count = Math.max(1, Math.ceil(compressed.length / partBytes));
  return Array.from({ length: count }, (_, part) => {
    const bytes = compressed.subarray(part * partBytes, (part + 1) * partBytes);
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
          [annotation.sha256]: baseline.sha256,
          [annotation.partSha256]: sha256(bytes),
          [annotation.part]: String(part),
          [annotation.parts]: String(count),
          [annotation.uncompressedBytes]: String(baseline.json.length),
        },
        // Deleting the Backup deletes its baseline. Nothing else owns it: a baseline outlives its pool.
        ownerReferences: [
          { apiVersion: API_VERSION, kind: backupKind.kind, name: target.name, uid: target.uid, controller: true },
        ],
      },
      type: PART_TYPE,
      immutable: true,
      data: { [PART_KEY]: bytes.toString('base64') },
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
    secret.data?.[PART_KEY] === wanted.data?.[PART_KEY] &&
    keys.every((key) => secret.metadata.annotations?.[key] === wanted.metadata.annotations?.[key])
  );
}

/** What a part says of the whole; undefined when its annotations are damaged. */
export interface PartHeader {
  readonly sha256: string;
  readonly parts: number;
  readonly uncompressedBytes: number;
}

export function partHeader(secret: PartSecret): PartHeader | undefined {
  const annotations = secret.metadata.annotations ?? {};
  const parts = Number(annotations[annotation.parts]);
  const uncompressedBytes = Number(annotations[annotation.uncompressedBytes]);
  const checksum = annotations[annotation.sha256];
  const fine = Number.isSafeInteger(parts) && parts > 0 && Number.isSafeInteger(uncompressedBytes) && checksum;
  return fine ? { sha256: checksum, parts, uncompressedBytes } : undefined;
}

/** The bytes of one part; undefined when they are not those that its checksum, number and whole ask for. */
export function partBytesOf(secret: PartSecret, part: number, header: PartHeader): Buffer | undefined {
  const annotations = secret.metadata.annotations ?? {};
  const bytes = Buffer.from(secret.data?.[PART_KEY] ?? '', 'base64');
  const fine =
    annotations[annotation.part] === String(part) &&
    annotations[annotation.sha256] === header.sha256 &&
    annotations[annotation.parts] === String(header.parts) &&
    annotations[annotation.partSha256] === sha256(bytes);
  return fine ? bytes : undefined;
}
