import { reasons, type VeleroSettings } from '../../crds/index.js';
import { BackupError } from '../engine.js';
import type { StorageLocation } from './objects.js';

/** What Velero itself takes when none is marked: its server's own default. */
const velerosDefault = 'default';
/** Longest part of a message that Velero words. Characters. */
const wordsLimit = 500;

/**
 * The name of the location that a baseline goes to. Asked before Velero is, because Velero refuses a Backup for good where
 * waiting would have helped, and its own words name no mend.
 */
export function chooseLocation(all: readonly StorageLocation[], settings: VeleroSettings): string {
  const { namespace, storageLocation } = settings;
  const marked =
    all.find(({ spec }) => spec?.default === true) ?? all.find(({ metadata }) => metadata.name === velerosDefault);
  const chosen = storageLocation === undefined ? marked : all.find(({ metadata }) => metadata.name === storageLocation);
  if (!chosen)
    throw storageLocation === undefined ? noDefault(all, namespace) : notFound(all, storageLocation, namespace);
  const { metadata, spec, status } = chosen;
  if (spec?.accessMode === 'ReadOnly') throw readOnly(metadata.name, namespace);
  if (status?.phase !== 'Available') throw unavailable(chosen, namespace);
  return metadata.name;
}

function listed(all: readonly StorageLocation[]): string {
  return all.length === 0 ? 'there is none at all' : `there are ${all.map(({ metadata }) => metadata.name).join(', ')}`;
}

function notFound(all: readonly StorageLocation[], wanted: string, namespace: string): BackupError {
  return new BackupError(
    reasons.StorageLocationNotFound,
    `there is no BackupStorageLocation ${wanted} in namespace ${namespace} (${listed(all)}): correct ` +
      'spec.backup.velero.storageLocation of the pool, or create it; then make another Backup',
  );
}

function noDefault(all: readonly StorageLocation[], namespace: string): BackupError {
  return new BackupError(
    reasons.StorageLocationNotFound,
    `no BackupStorageLocation in namespace ${namespace} is the default one (${listed(all)}): name one in ` +
      'spec.backup.velero.storageLocation of the pool, or correct spec.backup.velero.namespace; then make another Backup',
  );
}

function readOnly(name: string, namespace: string): BackupError {
  return new BackupError(
    reasons.StorageLocationUnavailable,
    `Velero may only read BackupStorageLocation ${namespace}/${name}: set its spec.accessMode to ReadWrite, or name another ` +
      'one in spec.backup.velero.storageLocation of the pool; then make another Backup',
  );
}

function unavailable({ metadata, status }: StorageLocation, namespace: string): BackupError {
  const words = status?.message ? `: ${status.message.slice(0, wordsLimit)}` : '';
  const state = status?.phase ? `is ${status.phase}` : 'has not been validated by Velero yet (does Velero run?)';
  return new BackupError(
    reasons.StorageLocationUnavailable,
    `BackupStorageLocation ${namespace}/${metadata.name} ${state}${words}. Look at its bucket and credentials`,
    { mayPass: true },
  );
}
