import { childNames, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

/** An identity of its own for every recorder, so that none can speak for another. */
export function buildServiceAccount(server: RecordingServer): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: childMetadata(server, childNames.access(server.metadata.name)),
  };
}
