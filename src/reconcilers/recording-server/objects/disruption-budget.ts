import type { V1PodDisruptionBudgetSpec } from '@kubernetes/client-node';
import { childNames, labels, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

export type DisruptionBudgetObject = KubeObject & { spec: V1PodDisruptionBudgetSpec };

/**
 * Makes a drain wait while the pod records a role: it selects the recording-role label, which a previous holder keeps
 * until the handover (evicting it before the proof would be a gap), so a pod whose role has moved away is free to go. A pod that is not ready is no reason to hold a drain up (AlwaysAllow).
 */
export function buildDisruptionBudget(server: RecordingServer): DisruptionBudgetObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(server, childNames.disruptionBudget(server.metadata.name)),
    spec: {
      minAvailable: 1,
      selector: {
        matchLabels: { [labels.server]: server.metadata.name },
        matchExpressions: [{ key: labels.recordingRole, operator: 'Exists' }],
      },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
