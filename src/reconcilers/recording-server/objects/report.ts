import { API_VERSION, childNames, type RecordingServer } from '../../../crds/index.js';
import type { KubeObject } from '../../../operator/index.js';
import { childMetadata } from './metadata.js';

/** An empty report; its status is the agent's alone (law 3). */
export function buildReport(server: RecordingServer): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'RecorderReport',
    metadata: childMetadata(server, childNames.report(server.metadata.name)),
  };
}
