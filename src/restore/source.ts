import { readFile } from 'node:fs/promises';
import { type BackupEngine, BackupError, engineNameOf, parseKey, targetOf } from '../backup/index.js';
import { type Backup, backups } from '../crds/index.js';
import { type ApiClient, isApiError, type Key } from '../operator/index.js';
import { openArtifact, type RestoreArtifact } from './artifact.js';
import { RestoreRefused } from './refusal.js';

/** A baseline, and where it was read, for people. */
export interface RestoreSource {
  readonly artifact: RestoreArtifact;
  readonly from: string;
}

/** What the caller expects of the baseline. */
export interface SourceExpectation {
  /** Hex, of the uncompressed bytes. */
  readonly sha256?: string | undefined;
  readonly pool?: string | undefined;
}

/** The end of a file's name beside which its checksum stands, as `sha256sum` writes it. */
export const CHECKSUM_SUFFIX = '.sha256';

/**
 * Reads a baseline from a file: canonical JSON, its gzip, or what an engine has encrypted; for that, `keyFile` is the path
 * of the key. A `<file>.sha256` beside it has to fit.
 */
export async function readFromFile(
  path: string,
  expected: SourceExpectation = {},
  keyFile?: string,
): Promise<RestoreSource> {
  const bytes = await readOrRefuse(path);
  const beside = await readFile(`${path}${CHECKSUM_SUFFIX}`, 'utf8').catch(() => undefined);
  const fileSha256 = beside?.trim().split(/\s+/)[0];
  const key = keyFile === undefined ? undefined : await keyFrom(keyFile);
  const artifact = await openArtifact(bytes, { ...expected, fileSha256, key });
  return { artifact, from: `file ${path}` };
}

async function keyFrom(path: string) {
  const key = parseKey(await readOrRefuse(path));
  if (key !== undefined) return key;
  throw refused(
    `${path} holds no key: a key is 32 bytes, as they are or in base64, as in the Secret of the pool's keySecretRef`,
  );
}

async function readOrRefuse(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw refused(`the file can't be read: ${text}; give the path of one that is there`);
  }
}

export interface BackupSources {
  readonly client: Pick<ApiClient, 'get'>;
  /** Those that keep baselines, by name. */
  readonly engines: ReadonlyMap<string, BackupEngine>;
}

/** Reads the baseline of a Backup in the cluster, whole and verified by its engine. */
export async function readFromBackup(
  { client, engines }: BackupSources,
  key: Key,
  expected: SourceExpectation = {},
): Promise<RestoreSource> {
  const backup = await backupOrRefuse(client, key);
  const name = engineNameOf(backup);
  const engine = engines.get(name);
  if (engine === undefined) {
    const { velero } = backup.status ?? {};
    if (velero) {
      throw refused(
        `Backup ${key.name} is kept by Velero, in its Backup ${velero.namespace}/${velero.backupName}, which only Velero can ` +
          'bring back; docs/backup-velero.md says how',
      );
    }
    throw refused(
      `Backup ${key.name} is kept by engine ${name}, which this version does not have; use the version that wrote it`,
    );
  }
  const pool = expected.pool ?? backup.spec.poolRef.name;
  const sha256 = expected.sha256 ?? backup.status?.artifact?.sha256;
  const stored = await readStored(engine, backup);
  if (stored === undefined) throw refused(notWhole(backup));
  const artifact = await openArtifact(stored.json, { pool, sha256 });
  const { location } = stored.artifact;
  return { artifact, from: `Backup ${key.namespace}/${key.name} (${name}: ${location})` };
}

async function backupOrRefuse(client: BackupSources['client'], key: Key): Promise<Backup> {
  try {
    return await client.get<Backup & { metadata: Backup['metadata'] }>(backups, key);
  } catch (error) {
    if (isApiError(error, 'notFound')) {
      throw refused(
        `there is no Backup ${key.name} in namespace ${key.namespace}; look: kubectl -n ${key.namespace} get backups.understudy.dev`,
      );
    }
    if (isApiError(error, 'forbidden')) throw refused(`Backup ${key.name} may not be read: ${error.message}`);
    throw error;
  }
}

async function readStored(engine: BackupEngine, backup: Backup) {
  try {
    return await engine.read(targetOf(backup));
  } catch (error) {
    if (error instanceof BackupError || isApiError(error, 'forbidden')) {
      throw refused(`its engine ${engine.name} could not read it: ${error.message}${wayAround(backup)}`);
    }
    if (isApiError(error)) throw error;
    // Verified bytes that the reader does not understand: another version.
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

/** The Backup says where the store was; the pool's present settings do not count here, and correcting them mends nothing. */
function wayAround({ status }: Backup): string {
  const location = status?.artifact?.location;
  if (status?.destination?.s3 === undefined || location === undefined) return '';
  return `. It is read as it was written, whatever its pool says now: where the store has moved, download ${location} and give it with --file`;
}

function notWhole({ metadata, status }: Backup): string {
  const complete = status?.conditions?.some(({ type, status: value }) => type === 'Complete' && value === 'True');
  return complete === true
    ? `the baseline of Backup ${metadata.name} is not there any more, or is damaged (${status?.artifact?.location ?? 'nowhere'}); take another Backup`
    : `Backup ${metadata.name} is not complete; take another one: kubectl -n ${metadata.namespace} get backups.understudy.dev`;
}

function refused(problem: string): RestoreRefused {
  return new RestoreRefused('Artifact', [problem]);
}
