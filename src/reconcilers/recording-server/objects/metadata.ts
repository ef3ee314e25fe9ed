import { API_VERSION, FIELD_MANAGER, labels, type RecordingServer } from '../../../crds/index.js';
import type { ObjectMeta, OwnerReference } from '../../../operator/index.js';

/** Labels of every child of a server. */
export function serverLabels(server: RecordingServer): Record<string, string> {
  return {
    [labels.name]: 'understudy',
    [labels.instance]: server.metadata.name,
    [labels.component]: 'recorder',
    [labels.partOf]: 'understudy',
    [labels.managedBy]: FIELD_MANAGER,
    [labels.server]: server.metadata.name,
    ...(server.spec.poolRef ? { [labels.pool]: server.spec.poolRef.name } : {}),
  };
}

/** The reference that lets garbage collection remove a child with its server: no finalizer is needed. */
export function ownedBy(server: RecordingServer, controller = true): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: 'RecordingServer',
    name: server.metadata.name,
    uid: server.metadata.uid ?? '',
    controller,
    // False: a foreground deletion of the server must not wait for a pod on a node that is gone.
    blockOwnerDeletion: false,
  };
}

/** Metadata of a child that goes when its server goes. */
export function childMetadata(server: RecordingServer, name: string): ObjectMeta & { namespace: string } {
  return {
    name,
    namespace: server.metadata.namespace ?? '',
    labels: serverLabels(server),
    ownerReferences: [ownedBy(server)],
  };
}
