import { userId } from '../../cluster/paths.js';
import { type Site, standUp } from '../../scenario/stand-up.js';

/** What all systems of a run share: four real nodes, the operator with two replicas, and cameras. */
export interface NodesGround extends Site {
  /** Takes everything away again. */
  close(): Promise<void>;
}

const NODES = 4;
/** Every system watches the same cameras: one picture is enough, since each recorder has a session of its own. */
export const CAMERA_NAMES: readonly string[] = ['gate', 'yard'];

/** Why there can be no real nodes here, in one line; undefined when there can. */
export function whyNoNodes(): string | undefined {
  if (process.platform !== 'linux') return 'the nodes tier needs Linux: its nodes are made of namespaces of the kernel';
  if (userId() === 0) return undefined;
  return 'the nodes tier needs root: its nodes are network namespaces with a container runtime and disks of their own';
}

/** Brings the ground up; on failure nothing is left. */
export async function openNodesGround(note: (line: string) => void): Promise<NodesGround> {
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    const failures: unknown[] = [];
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  };
  try {
    const site = await standUp({
      ...{ name: `chaos-${process.pid}`, nodes: NODES, cameras: CAMERA_NAMES },
      // The audit log of hours would be gigabytes that nobody reads.
      auditLog: false,
      note,
      undo: (_, step) => undo.push(step),
    });
    await site.operator.ready();
    return { ...site, close };
  } catch (error) {
    await close();
    throw error;
  }
}
