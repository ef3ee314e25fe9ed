import { type CameraAssignment, cameraAssignments } from '../../crds/camera-assignment.js';
import { missingOnHolder } from '../../crds/gap.js';
import type { ApiClient } from '../../operator/index.js';
import type { Missing } from './recovery.js';

/** Looked up a little further to both sides: a segment that begins or ends there covers the edge. Milliseconds. */
const EDGE_MS = 1_000;

function shifted(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

/** The times of which footage is missing here, by the ledgers of a role's cameras. */
export async function missingFootage(
  client: Pick<ApiClient, 'list'>,
  namespace: string,
  role: string,
  camera: string | undefined,
): Promise<Missing[]> {
  const fieldSelector = `spec.serverRef.name=${role}`;
  const { items } = await client.list<CameraAssignment & { metadata: { name: string } }>(cameraAssignments, {
    namespace,
    fieldSelector,
  });
  return items
    .filter(({ metadata }) => camera === undefined || metadata.name === camera)
    .flatMap(({ metadata, spec, status }) =>
      (status?.gaps ?? [])
        .map(missingOnHolder)
        .filter((missing) => missing !== undefined)
        .map(({ startTime, endTime }) => ({
          camera: metadata.name,
          startTime: shifted(startTime, -EDGE_MS),
          endTime: shifted(endTime, EDGE_MS),
          retentionSeconds: spec.recording.retentionSeconds,
        })),
    );
}
