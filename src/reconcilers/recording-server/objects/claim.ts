import type { V1PersistentVolumeClaimSpec } from '@kubernetes/client-node';
import { childNames, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { serverLabels } from './metadata.js';

export type ClaimObject = KubeObject & { spec: V1PersistentVolumeClaimSpec };

type Volume = RecordingServer['spec']['volumes'][number];

/**
 * The claim of a volume with a claimTemplate. It has no owner: footage outlives its server, and nothing of ours ever
 * deletes or changes it (rule 10).
 */
export function buildClaim(server: RecordingServer, volume: Volume): ClaimObject | undefined {
  const template = volume.claimTemplate;
  if (!template) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: childNames.claim(volume.name, server.metadata.name),
      namespace: server.metadata.namespace ?? '',
      labels: serverLabels(server),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: template.storage } },
      ...(template.storageClassName === undefined ? {} : { storageClassName: template.storageClassName }),
    },
  };
}
