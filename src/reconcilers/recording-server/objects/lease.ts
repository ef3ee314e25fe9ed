import { childNames, labels, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

export type LeaseObject = KubeObject & { spec: { leaseDurationSeconds: number } };

/** What a server has to do, as it is projected from the pool's commit. */
export interface Assignment {
  /** '' when it holds none. */
  readonly role: string;
  /** Fencing epoch; only grows. */
  readonly epoch: number;
  /** The one pod that may record. */
  readonly podUID?: string | undefined;
}

/** The assignment as the agent reads it back with each renewal, so that a deaf watch can't hang a takeover. */
export function assignmentAnnotations(assignment: Assignment): Record<string, string> {
  return {
    [labels.leaseServingRole]: assignment.role,
    [labels.leaseEpoch]: String(assignment.epoch),
    [labels.leaseAssignedPodUid]: assignment.podUID ?? '',
  };
}

/** The heartbeat Lease as it is first made. Renewal time and holder are the agent's alone (law 3). */
export function buildLease(server: RecordingServer, timeoutSeconds: number, assignment: Assignment): LeaseObject {
  const metadata = childMetadata(server, childNames.lease(server.metadata.name));
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...metadata, annotations: assignmentAnnotations(assignment) },
    spec: { leaseDurationSeconds: timeoutSeconds },
  };
}
