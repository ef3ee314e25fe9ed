import type { KubeObject, ResourceType } from '../../operator/index.js';

function kind(plural: string, name: string): ResourceType {
  return { group: 'velero.io', version: 'v1', plural, kind: name, namespaced: true };
}

/** The kinds of Velero that are read or written. */
export const veleroKinds = {
  backups: kind('backups', 'Backup'),
  storageLocations: kind('backupstoragelocations', 'BackupStorageLocation'),
  deletionRequests: kind('deletebackuprequests', 'DeleteBackupRequest'),
} as const;

/** A Velero Backup; of its status only what is read. */
export interface VeleroBackup extends KubeObject {
  spec: {
    includedNamespaces: string[];
    includedResources: string[];
    includeClusterResources: boolean;
    snapshotVolumes: boolean;
    defaultVolumesToFsBackup: boolean;
    storageLocation: string;
    /** A Go duration. */
    ttl: string;
  };
  status?: {
    /** One of a set that grows from version to version; absent until Velero has seen it. */
    phase?: string;
    validationErrors?: string[] | null;
    failureReason?: string;
    errors?: number;
    warnings?: number;
    progress?: { totalItems?: number; itemsBackedUp?: number } | null;
  };
}

/** Where Velero keeps what it makes. */
export interface StorageLocation extends KubeObject {
  spec?: { default?: boolean; accessMode?: string };
  status?: { phase?: string; message?: string };
}

/** The one way to delete a Velero Backup with what it holds: the object alone would come back from the bucket. */
export interface DeletionRequest extends KubeObject {
  spec: { backupName: string };
  status?: { phase?: string; errors?: string[] };
}
