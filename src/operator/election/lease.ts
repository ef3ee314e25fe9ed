import type { KubeObject } from '../objects.js';

/** `spec` of a coordination.k8s.io/v1 Lease, as far as it is used. */
export interface LeaseSpec {
  /** Empty or absent: nobody holds it. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  /** MicroTime: exactly six digits. */
  acquireTime?: string;
  /** MicroTime: exactly six digits. */
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}
