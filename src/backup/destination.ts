import {
  type Backup,
  type BackupDestination,
  type BackupEngineName,
  defaultVeleroSettings,
  type FailoverPool,
} from '../crds/index.js';
import type { BackupTarget } from './engine.js';

/** Where a baseline is kept that is made now: the engine of the Backup, else that of the pool, with the pool's settings. */
export function destinationOf(backup: Backup, { spec }: Pick<FailoverPool, 'spec'>): BackupDestination {
  const { engine, s3, velero = defaultVeleroSettings, encryption } = spec.backup;
  const chosen: BackupEngineName = backup.spec.engine ?? engine;
  // Our encryption is for what we keep.
  if (chosen === 'Velero') return { engine: chosen, velero };
  return {
    engine: chosen,
    ...(chosen === 'S3' && s3 ? { s3 } : {}),
    ...(encryption ? { encryption } : {}),
  };
}

/** The target of a Backup as it was written: its status says where, whatever has become of its pool. */
export function targetOf({ metadata, spec, status }: Backup, destination = status?.destination): BackupTarget {
  const { namespace = '', name, uid = '' } = metadata;
  return { namespace, name, uid, pool: spec.poolRef.name, ...(destination ? { destination } : {}) };
}

/** The engine that wrote, or is to write, a Backup. */
export function engineNameOf({ spec, status }: Backup): BackupEngineName {
  return status?.destination?.engine ?? spec.engine ?? 'Secret';
}
