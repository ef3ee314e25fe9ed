import type { ApiClient, RequestOptions } from './api/types.js';
import { deepEqual } from './deep-equal.js';
import type { KubeObject, ResourceType } from './objects.js';

type JsonRecord = Record<string, unknown>;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The JSON merge patch (RFC 7386) that turns `current` into `next`; undefined when they are equal. Arrays are replaced
 * whole; fields that are gone become null.
 */
export function mergePatch(current: unknown, next: unknown): unknown {
  if (deepEqual(current, next)) return undefined;
  if (!isRecord(next)) return next;
  const before = isRecord(current) ? current : {};
  const patch: JsonRecord = {};
  for (const key of Object.keys(before)) {
    if (before[key] !== undefined && next[key] === undefined) patch[key] = null;
  }
  for (const [key, value] of Object.entries(next)) {
    const difference = value === undefined ? undefined : mergePatch(before[key], value);
    if (difference !== undefined) patch[key] = difference;
  }
  return patch;
}

/**
 * Writes the difference between `current.status` and `nextStatus` and returns true; returns false, and sends nothing,
 * when there is none (law 8: quiet when nothing happens). The uid goes along, so that a status worked out for a deleted
 * object never lands on its successor of the same name.
 */
export async function writeStatusIfChanged<T extends KubeObject & { status?: unknown }>(
  client: Pick<ApiClient, 'patchStatus'>,
  type: ResourceType,
  current: T,
  nextStatus: unknown,
  options?: RequestOptions,
): Promise<boolean> {
  const status = mergePatch(current.status ?? {}, nextStatus);
  if (status === undefined) return false;
  const { namespace, name, uid } = current.metadata;
  const body = uid === undefined ? { status } : { metadata: { uid }, status };
  await client.patchStatus(type, { namespace, name }, body, options);
  return true;
}
