import { childNames, labels, type RecordingServer, reasons, recordingServers } from '../../crds/index.js';
import {
  type ApiClient,
  isApiError,
  type KubeObject,
  mergePatch,
  parseKey,
  type ResourceType,
  resources,
} from '../../operator/index.js';
import { ensureChild, relationTo } from '../children.js';
import type { Stores } from '../stores.js';
import { projectResource } from '../views.js';
import type { WantedChild } from './children-plan.js';
import type { Gathered } from './gather.js';
import type { LeaseAction } from './lease-plan.js';
import type { ClaimObject } from './objects/claim.js';
import type { PodAction } from './pod-plan.js';
import type { Fault } from './references.js';

/** What it takes to write. */
export interface Writer {
  readonly client: ApiClient;
  readonly stores: Stores;
  readonly signal: AbortSignal;
}

/** How a write went. `again`: something of an earlier owner is in the way and will go by itself. */
export interface Outcome {
  readonly fault?: Fault | undefined;
  /** Thrown after status was written, so that the pass is retried with backoff. */
  readonly error?: unknown;
  readonly again?: boolean;
}

const fine: Outcome = {};

function taken(type: ResourceType, name: string): Outcome {
  const message = `${type.kind} ${name} exists and is not ours; rename or delete it, or rename this server`;
  return { fault: { reason: reasons.NameTaken, message }, again: true };
}

/** A refusal of one child must not keep the others, or the status that tells of it, from being written. */
async function attempt(type: ResourceType, name: string, write: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await write();
  } catch (error) {
    if (isApiError(error, 'forbidden')) {
      const message = `${type.kind} ${name} was refused: ${error.message}; grant the operator what it needs or raise the quota`;
      return { fault: { reason: reasons.NotPermitted, message }, error };
    }
    if (isApiError(error, 'invalid')) {
      return { fault: { reason: reasons.InvalidSpec, message: `${type.kind} ${name}: ${error.message}` }, error };
    }
    return { error };
  }
}

export function applyChild({ client, signal }: Writer, child: WantedChild): Promise<Outcome> {
  const { name } = child.object.metadata;
  return attempt(child.type, name, async () => {
    const outcome = await ensureChild(client, child.store, child.type, child.object, { signal });
    if (outcome === 'nameTaken') return taken(child.type, name);
    return outcome === 'terminating' ? { again: true } : fine;
  });
}

/** Creates an object that is never changed afterwards by comparing it whole. */
function createOnce({ client, signal }: Writer, type: ResourceType, object: KubeObject): Promise<Outcome> {
  return attempt(type, object.metadata.name, async () => {
    try {
      await client.create(type, object, { signal });
      return fine;
    } catch (error) {
      if (!isApiError(error, 'alreadyExists')) throw error;
    }
    const live = await client.get(type, object.metadata, { signal });
    const relation = relationTo(live, object);
    if (relation === 'foreign') return taken(type, object.metadata.name);
    // Ours: the watch is behind, and will bring it. An earlier owner's: garbage collection will take it away.
    return { again: relation === 'predecessor' || live.metadata.deletionTimestamp !== undefined };
  });
}

export function applyClaim(writer: Writer, claim: ClaimObject): Promise<Outcome> {
  return createOnce(writer, resources.persistentVolumeClaims, claim);
}

export function applyLease(writer: Writer, { server }: Gathered, action: LeaseAction): Promise<Outcome> {
  const key = { namespace: server.metadata.namespace, name: childNames.lease(server.metadata.name) };
  switch (action.kind) {
    case 'none':
      return Promise.resolve(fine);
    case 'create':
      return createOnce(writer, resources.leases, action.lease);
    case 'patch':
      return attempt(resources.leases, key.name, async () => {
        await writer.client.patch(resources.leases, key, action.patch, { signal: writer.signal });
        return fine;
      });
  }
}

export function applyPod(writer: Writer, { server }: Gathered, action: PodAction): Promise<Outcome> {
  const { client, signal } = writer;
  const key = { namespace: server.metadata.namespace, name: childNames.pod(server.metadata.name) };
  const type = resources.pods;
  switch (action.kind) {
    case 'none':
      return Promise.resolve(action.nameTaken ? taken(type, key.name) : fine);
    case 'create':
      return createOnce(writer, type, action.pod);
    case 'delete':
      return attempt(type, key.name, () => gone(client.delete(type, key, { uid: action.uid, signal })));
    case 'label': {
      const change = {
        [labels.servingRole]: action.servingRole === '' ? null : action.servingRole,
        [labels.recordingRole]: action.recordingRole === '' ? null : action.recordingRole,
      };
      return attempt(type, key.name, () =>
        gone(client.patch(type, key, { metadata: { uid: action.uid, labels: change } }, { signal })),
      );
    }
    case 'adopt': {
      const { ownerReferences } = action.pod.metadata;
      return attempt(type, key.name, () =>
        gone(client.patch(type, key, { metadata: { uid: action.uid, ownerReferences } }, { signal })),
      );
    }
  }
}

/** That the pod is another one by now, or none, is no fault: the watch tells what is. */
async function gone(write: Promise<unknown>): Promise<Outcome> {
  try {
    await write;
    return fine;
  } catch (error) {
    if (isApiError(error, 'notFound', 'conflict')) return { again: true };
    throw error;
  }
}

/** Writes a difference only, and remembers the answer: the next pass must not wait for the watch to see it. */
export async function writeServerStatus(
  { client, stores, signal }: Writer,
  key: string,
  server: RecordingServer,
  status: RecordingServer['status'],
): Promise<RecordingServer> {
  const difference = mergePatch(server.status ?? {}, status);
  if (difference === undefined) return server;
  const { uid } = server.metadata;
  const body = { ...(uid === undefined ? {} : { metadata: { uid } }), status: difference };
  const answer = await client.patchStatus(recordingServers, parseKey(key), body, { signal });
  const written = projectResource<RecordingServer>(answer);
  stores.latestServers.written(key, written);
  return written;
}
