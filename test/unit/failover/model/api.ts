import type { CameraAssignmentStatus, FailoverPool, RecordingServerStatus } from '../../../../src/crds/index.js';
import { mergePatch } from '../../../../src/operator/index.js';
import { changeObjects, frozen, put, type World } from './world.js';

/** What the API server answers to a write: the world after it, or why it was refused. */
export type Answer = { readonly world: World } | { readonly refused: 'conflict' | 'invalid'; readonly why: string };

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Json = { ...(isRecord(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function nextVersion(world: World): { world: World; resourceVersion: string } {
  const version = world.version + 1;
  return { world: { ...world, version }, resourceVersion: String(version) };
}

/** PUT of a pool's status: compare-and-set, and the rules that keep epochs from falling. */
export function replacePoolStatus(world: World, pool: FailoverPool, status: FailoverPool['status']): Answer {
  const { name } = pool.metadata;
  const live = world.objects.pools[name];
  if (live === undefined || live.metadata.resourceVersion !== pool.metadata.resourceVersion)
    return { refused: 'conflict', why: `pool ${name} was written by another in between` };
  if ((status?.epoch ?? 0) < (live.status?.epoch ?? 0))
    return { refused: 'invalid', why: `the epoch of pool ${name} would fall` };
  const fallen = (live.status?.roles ?? []).find((role) => {
    const next = status?.roles?.find((candidate) => candidate.name === role.name);
    return next !== undefined && next.epoch < role.epoch;
  });
  if (fallen !== undefined) return { refused: 'invalid', why: `the epoch of role ${fallen.name} would fall` };
  const { world: after, resourceVersion } = nextVersion(world);
  const metadata = { ...live.metadata, resourceVersion };
  const written: FailoverPool = { ...live, metadata, ...(status === undefined ? {} : { status: frozen(status) }) };
  return { world: changeObjects(after, { pools: put(after.objects.pools, name, frozen(written)) }) };
}

/** PATCH of a server's status by one that saw `seen`. The uid in it keeps it from landing on a namesake. */
export function patchServerStatus(
  world: World,
  server: { readonly name: string; readonly uid: string | undefined },
  seen: RecordingServerStatus | undefined,
  next: RecordingServerStatus,
): Answer {
  const patch = mergePatch(seen ?? {}, next);
  const live = world.objects.servers[server.name];
  if (patch === undefined) return { world };
  if (live === undefined || live.metadata.uid !== server.uid)
    return { refused: 'conflict', why: 'it is another server' };
  const status = merged(live.status, patch) as RecordingServerStatus;
  if ((status.epoch ?? 0) < (live.status?.epoch ?? 0))
    return { refused: 'invalid', why: `the epoch of server ${server.name} would fall` };
  const { world: after, resourceVersion } = nextVersion(world);
  const written = frozen({ ...live, metadata: { ...live.metadata, resourceVersion }, status });
  return { world: changeObjects(after, { servers: put(after.objects.servers, server.name, written) }) };
}

/** PATCH of a camera's status. Within one role the epoch of a binding must not fall. */
export function patchCameraStatus(
  world: World,
  name: string,
  seen: CameraAssignmentStatus | undefined,
  next: CameraAssignmentStatus,
): Answer {
  const patch = mergePatch(seen ?? {}, next);
  const live = world.objects.cameras[name];
  if (patch === undefined || live === undefined) return { world };
  const status = merged(live.status, patch) as CameraAssignmentStatus;
  const [before, after] = [live.status?.boundTo, status.boundTo];
  if (before && after && before.role === after.role && after.epoch < before.epoch)
    return { refused: 'invalid', why: `the epoch of the binding of ${name} would fall` };
  return { world: changeObjects(world, { cameras: put(world.objects.cameras, name, frozen({ ...live, status })) }) };
}
