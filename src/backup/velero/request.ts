import {
  cameraAssignments,
  FIELD_MANAGER,
  failoverPools,
  type KindResource,
  labels,
  recordingServers,
  type VeleroSettings,
} from '../../crds/index.js';
import { apiVersionOf } from '../../operator/index.js';
import type { BackupTarget } from '../engine.js';
import { type DeletionRequest, type VeleroBackup, veleroKinds } from './objects.js';

/** As long as a name may be that is the value of a label, too: Velero puts it on what it makes. Characters. */
const nameLimit = 63;
/** Of the uid of our Backup. A bucket outlives clusters, and Velero brings back what it finds there. Characters. */
const uidLength = 8;
/** Velero deletes by itself what is older; the retention of the pool comes long before. Ten years. */
const ttl = '87600h0m0s';

const nameOf = ({ plural, group }: Pick<KindResource, 'plural' | 'group'>): string => `${plural}.${group}`;

/**
 * What people have written, and what it came to. Not what the operator makes of it: restored, these objects would lack
 * their owners and stand in the way of their successors. Nor Backups: restored, each would be made anew. Nor claims:
 * without their volumes they would be lost for good.
 */
const included: readonly string[] = [failoverPools, recordingServers, cameraAssignments].map(nameOf);

/** `<namespace>-<backup>-<beginning of the uid>`: all namespaces share that of Velero. */
export function veleroName({ namespace, name, uid }: BackupTarget): string {
  const readable = `${namespace}-${name}`.replaceAll('.', '-').slice(0, nameLimit - uidLength - 1);
  return `${readable}-${uid.slice(0, uidLength)}`;
}

/** The Velero Backup for a Backup of ours. The same filters in all versions of Velero: a later one would pass unseen. */
export function veleroBackup(target: BackupTarget, settings: VeleroSettings, storageLocation: string): VeleroBackup {
  return {
    apiVersion: apiVersionOf(veleroKinds.backups),
    kind: veleroKinds.backups.kind,
    metadata: {
      namespace: settings.namespace,
      name: veleroName(target),
      labels: {
        [labels.managedBy]: FIELD_MANAGER,
        [labels.partOf]: FIELD_MANAGER,
        [labels.pool]: target.pool,
        [labels.backup]: target.name,
        [labels.backupNamespace]: target.namespace,
        [labels.backupUid]: target.uid,
      },
    },
    spec: {
      includedNamespaces: [target.namespace],
      includedResources: [...included, ...(settings.includeSecrets ? ['secrets'] : [])],
      includeClusterResources: false,
      // Footage is no part of a baseline.
      snapshotVolumes: false,
      defaultVolumesToFsBackup: false,
      storageLocation,
      ttl,
    },
  };
}

/** True for what was asked for on behalf of this very Backup. */
export function isFor({ metadata }: VeleroBackup, { namespace, name, uid }: BackupTarget): boolean {
  const own = metadata.labels ?? {};
  return own[labels.backupUid] === uid && own[labels.backup] === name && own[labels.backupNamespace] === namespace;
}

/** One for each Velero Backup, with the labels that Velero's own command gives it: Velero cleans up by them. */
export function deletionRequest({ metadata }: VeleroBackup): DeletionRequest {
  const { namespace, name, uid = '' } = metadata;
  return {
    apiVersion: apiVersionOf(veleroKinds.deletionRequests),
    kind: veleroKinds.deletionRequests.kind,
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      name,
      labels: {
        [labels.managedBy]: FIELD_MANAGER,
        'velero.io/backup-name': name,
        'velero.io/backup-uid': uid,
      },
    },
    spec: { backupName: name },
  };
}
