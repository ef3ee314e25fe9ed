import { z } from 'zod';
import type { CameraTask } from '../cameras/camera-task.js';
import { ChildLane } from '../children/child-lane.js';
import { ASSIGNMENT_FILE } from '../footage/layout.js';
import type { Assignment } from './assignment.js';

const task = z.object({
  name: z.string(),
  type: z.enum(['IP', 'Analog']),
  url: z.string(),
  secretName: z.string().optional(),
  transport: z.enum(['TCP', 'UDP']),
  connectTimeoutSeconds: z.number(),
  audio: z.boolean(),
  segmentSeconds: z.number(),
  retentionSeconds: z.number(),
  priority: z.enum(['High', 'Normal', 'Low', 'Never']),
  maxSessions: z.number().optional(),
});

const savedState = z.object({
  server: z.string(),
  role: z.string(),
  epoch: z.int().min(0),
  podUID: z.string().optional(),
  cameras: z.array(task),
});

/** What the agent keeps on its volumes, to go on with when the API server does not answer after a restart. */
export interface SavedState extends Assignment {
  readonly server: string;
  /** The role's cameras, without logins. */
  readonly cameras: readonly CameraTask[];
}

/** One line of JSON. */
export function formatState(state: SavedState): string {
  return JSON.stringify(state);
}

/** Undefined for anything that is not the state of this server. */
export function parseState(text: string, server: string): SavedState | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = savedState.safeParse(json);
  if (data === undefined || data.server !== server) return undefined;
  const cameras = data.cameras.map((camera) => ({ ...camera, secretName: camera.secretName }));
  return { ...data, podUID: data.podUID, cameras };
}

const READ_DEADLINE_MS = 2000;

/** Reads the state from all volumes at once, each by a child; the highest epoch wins, hung volumes are passed over. */
export async function readState(mountPaths: readonly string[], server: string): Promise<SavedState | undefined> {
  const states = await Promise.all(mountPaths.map((path) => readFrom(path, server)));
  return states.reduce(
    (best, state) => (state !== undefined && state.epoch >= (best?.epoch ?? 0) ? state : best),
    undefined,
  );
}

async function readFrom(mountPath: string, server: string): Promise<SavedState | undefined> {
  const script = 'cat "$1" 2>/dev/null';
  const args = [`${mountPath}/${ASSIGNMENT_FILE}`];
  const result = await new ChildLane().run({ script, args, deadlineMs: READ_DEADLINE_MS });
  return parseState(result.stdout, server);
}
