import { FIELD_MANAGER, labels } from '../crds/index.js';
import {
  type ApiClient,
  isApiError,
  type KubeObject,
  objectKey,
  type RequestOptions,
  type ResourceType,
} from '../operator/index.js';
import { hashOf } from './hash.js';
import { APPLIED_HASH } from './views.js';

/** What became of a child. */
export type ChildOutcome =
  | 'unchanged'
  | 'created'
  | 'updated'
  /** It, or a namesake that belonged to an earlier owner, is being deleted: come back when it is gone. */
  | 'terminating'
  /** An object of that name exists and is not ours; it was left alone. */
  | 'nameTaken';

interface Owned {
  readonly metadata: KubeObject['metadata'];
}

const controllerOf = ({ metadata }: Owned) => metadata.ownerReferences?.find((owner) => owner.controller === true);

/** Ours by label, whoever the owner is now. */
export function isOurs(object: Owned): boolean {
  return object.metadata.labels?.[labels.managedBy] === FIELD_MANAGER;
}

/**
 * How a live object stands to the one that is wanted. A predecessor belongs to an owner of the same kind that is not
 * ours to judge, in practice a deleted namesake: garbage collection will take it away.
 */
export function relationTo(live: Owned, wanted: Owned): 'own' | 'orphan' | 'predecessor' | 'foreign' {
  if (!isOurs(live)) return 'foreign';
  const wantedOwners = wanted.metadata.ownerReferences ?? [];
  const liveOwners = live.metadata.ownerReferences ?? [];
  if (liveOwners.some(({ uid }) => wantedOwners.some((owner) => owner.uid === uid))) return 'own';
  const controller = controllerOf(live);
  if (!controller) return 'orphan';
  return wantedOwners.some((owner) => owner.kind === controller.kind) ? 'predecessor' : 'foreign';
}

/** Marks an object with the hash of what is applied, labels and owners included. */
export function withAppliedHash<T extends KubeObject>(object: T): T {
  const annotations = { ...object.metadata.annotations, [APPLIED_HASH]: hashOf(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** What it takes to keep a child level. */
export type ChildClient = Pick<ApiClient, 'get' | 'create' | 'apply' | 'patch'>;

/**
 * Makes a child as it is wanted, and writes nothing when it is: what counts is the hash of what we last applied, since
 * defaulting and mutating admission make the live object differ for ever. A foreign namesake is never touched.
 */
export async function ensureChild(
  client: ChildClient,
  store: { get(key: string): KubeObject | undefined },
  type: ResourceType,
  wanted: KubeObject,
  options: RequestOptions = {},
): Promise<ChildOutcome> {
  const object = withAppliedHash(wanted);
  const known = store.get(objectKey(object.metadata));
  if (known) return settle(client, type, known, object, options);
  try {
    await client.create(type, object, options);
    return 'created';
  } catch (error) {
    if (!isApiError(error, 'alreadyExists')) throw error;
  }
  // Either the watch is behind, or it is somebody else's: our stores hold only what carries our labels.
  const live = await client.get(type, object.metadata, options);
  return settle(client, type, live, object, options);
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
}

type Managed = KubeObject & { metadata: { managedFields?: readonly ManagedFields[] } };

const byCreation = ({ manager, operation, subresource }: ManagedFields): boolean =>
  manager === FIELD_MANAGER && operation === 'Update' && subresource === undefined;

const byApply = ({ manager, operation }: ManagedFields): boolean => manager === FIELD_MANAGER && operation === 'Apply';

/**
 * What a POST has made is booked as an Update, and an apply takes away only what an earlier apply has made: a label
 * that is left out would stay for ever. So the entry is turned into an apply's first, as client-go's csaupgrade does.
 */
async function ownByApply(
  client: ChildClient,
  type: ResourceType,
  { metadata }: KubeObject,
  options: RequestOptions,
): Promise<void> {
  const live = await client.get<Managed>(type, metadata, options);
  const entries = live.metadata.managedFields ?? [];
  if (!entries.some(byCreation) || entries.some(byApply)) return;
  const managedFields = entries.map((entry) => (byCreation(entry) ? { ...entry, operation: 'Apply' } : entry));
  const { uid, resourceVersion } = live.metadata;
  await client.patch(type, metadata, { metadata: { uid, resourceVersion, managedFields } }, options);
}

async function settle(
  client: ChildClient,
  type: ResourceType,
  live: KubeObject,
  object: KubeObject,
  options: RequestOptions,
): Promise<ChildOutcome> {
  const relation = relationTo(live, object);
  if (relation === 'foreign') return 'nameTaken';
  if (relation === 'predecessor' || live.metadata.deletionTimestamp) return 'terminating';
  const same = live.metadata.annotations?.[APPLIED_HASH] === object.metadata.annotations?.[APPLIED_HASH];
  if (same && relation === 'own') return 'unchanged';
  await ownByApply(client, type, object, options);
  await client.apply(type, object, options);
  return 'updated';
}
