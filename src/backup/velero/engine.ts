import { setTimeout as pause } from 'node:timers/promises';
import { defaultVeleroSettings, reasons, type VeleroSettings } from '../../crds/index.js';
import { type ApiClient, isApiError, type Key, type KubeObject, type ResourceType } from '../../operator/index.js';
import type { Delegated, DelegatingEngine } from '../delegate.js';
import { BackupError, type BackupTarget } from '../engine.js';
import { isAbsent, veleroFailure } from './failure.js';
import { type DeletionRequest, type StorageLocation, type VeleroBackup, veleroKinds } from './objects.js';
import { judge, named } from './phase.js';
import { deletionRequest, isFor, veleroBackup, veleroName } from './request.js';
import { chooseLocation } from './storage-location.js';

/** Velero deletes within a few seconds. Milliseconds, and how often. */
const defaultDeletionLook = { everyMs: 500, times: 20 };

export interface VeleroEngineOptions {
  /** Backups, deletion requests and storage locations of Velero, in its namespace. */
  readonly client: Pick<ApiClient, 'get' | 'list' | 'create' | 'delete'>;
  /** How `remove` waits; default 20 times 500 ms. */
  readonly deletionLook?: { readonly everyMs: number; readonly times: number };
}

/** Has Velero save the objects of a pool's namespace, in Velero's own bucket. */
export function createVeleroEngine(options: VeleroEngineOptions): DelegatingEngine {
  return new VeleroEngine(options);
}

class VeleroEngine implements DelegatingEngine {
  readonly name = 'Velero';
  readonly #client: VeleroEngineOptions['client'];
  readonly #deletionLook: { readonly everyMs: number; readonly times: number };

  constructor({ client, deletionLook = defaultDeletionLook }: VeleroEngineOptions) {
    this.#client = client;
    this.#deletionLook = deletionLook;
  }

  async find(target: BackupTarget, signal?: AbortSignal): Promise<Delegated | undefined> {
    const found = await this.#own(target, signal);
    return found && judge(found);
  }

  begin(target: BackupTarget, signal?: AbortSignal): Promise<void> {
    return this.#asking(target, async (settings) => {
      const { namespace } = settings;
      const { items } = await this.#client.list<StorageLocation>(veleroKinds.storageLocations, { namespace, signal });
      const wanted = veleroBackup(target, settings, chooseLocation(items, settings));
      try {
        await this.#client.create(veleroKinds.backups, wanted, { signal });
      } catch (error) {
        if (!isApiError(error, 'alreadyExists')) throw error;
        // A request of ours whose answer was lost, or somebody else's Backup.
        const existing = await this.#get<VeleroBackup>(veleroKinds.backups, wanted.metadata, signal);
        if (existing && !isFor(existing, target)) throw nameTaken(existing);
      }
    });
  }

  remove(target: BackupTarget, signal?: AbortSignal): Promise<void> {
    return this.#asking(target, async () => {
      const found = await this.#own(target, signal);
      if (!found) return;
      await this.#requestDeletion(found, signal);
      for (let look = 0; look < this.#deletionLook.times; look++) {
        await pause(this.#deletionLook.everyMs, undefined, signal ? { signal } : {});
        if (!(await this.#own(target, signal))) return;
        const request = await this.#get<DeletionRequest>(veleroKinds.deletionRequests, found.metadata, signal);
        if (request?.status?.errors?.length) throw notDeleted(found, request.status.errors);
      }
      throw notDeleted(found, ['it has not answered yet; does it run?']);
    });
  }

  /** A request that Velero has dealt with is never dealt with again: it gives way to another. */
  async #requestDeletion(backup: VeleroBackup, signal?: AbortSignal): Promise<void> {
    const wanted = deletionRequest(backup);
    const existing = await this.#get<DeletionRequest>(veleroKinds.deletionRequests, wanted.metadata, signal);
    if (existing && existing.status?.phase !== 'Processed') return;
    try {
      if (existing) {
        const { uid } = existing.metadata;
        await this.#client.delete(veleroKinds.deletionRequests, existing.metadata, { signal, ...(uid ? { uid } : {}) });
      }
      await this.#client.create(veleroKinds.deletionRequests, wanted, { signal });
    } catch (error) {
      // Another replica was faster: what counts is that the Backup goes, and that is looked at next.
      if (!isApiError(error, 'alreadyExists', 'conflict') && !isAbsent(error)) throw error;
    }
  }

  /** The Velero Backup for this very Backup; whatever else lies under the name is nobody that we know. */
  #own(target: BackupTarget, signal?: AbortSignal): Promise<VeleroBackup | undefined> {
    return this.#asking(target, async ({ namespace }) => {
      const found = await this.#get<VeleroBackup>(veleroKinds.backups, { namespace, name: veleroName(target) }, signal);
      return found && isFor(found, target) ? found : undefined;
    });
  }

  async #get<T extends KubeObject>(type: ResourceType, key: Key, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.#client.get<T>(type, { namespace: key.namespace, name: key.name }, { signal });
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async #asking<T>(target: BackupTarget, act: (settings: VeleroSettings) => Promise<T>): Promise<T> {
    const settings = target.destination?.velero ?? defaultVeleroSettings;
    try {
      return await act(settings);
    } catch (error) {
      throw veleroFailure(error, settings);
    }
  }
}

function nameTaken({ metadata }: VeleroBackup): BackupError {
  return new BackupError(
    reasons.NameTaken,
    `Velero Backup ${metadata.namespace}/${metadata.name} exists and was not made for this Backup; it was left untouched. ` +
      'Create a Backup with another name',
  );
}

function notDeleted({ metadata }: VeleroBackup, errors: readonly string[]): BackupError {
  const what = named({ namespace: metadata.namespace ?? '', backupName: metadata.name });
  return new BackupError(
    reasons.VeleroDeletionFailed,
    `Velero has not deleted ${what}: ${errors.join('; ').slice(0, 1500)}. See DeleteBackupRequest ${metadata.name} in that ` +
      'namespace',
    { mayPass: true },
  );
}
