/** Kubernetes objects as raw JSON. No model classes: they rebuild every response and drop fields they do not know. */

/** An entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The part of `metadata` that the machinery and the reconcilers use. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  /** Raised by the API server at each change of spec. */
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** RFC 3339; set once deletion was asked for. */
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
}

/** Anything with metadata. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** Where an object lives; no namespace for cluster-scoped kinds. */
export interface Key {
  namespace?: string | undefined;
  name: string;
}

/** A reference as events.k8s.io/v1 wants it (`regarding`, `related`). */
export interface ObjectRef {
  apiVersion?: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
}

/** How the API server serves a kind. */
export interface ResourceType {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the URL. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** `apiVersion` of a resource type: 'v1', 'apps/v1'. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** The cache and work queue key of an object: 'namespace/name', or 'name' when it has no namespace. */
export function objectKey(key: Key): string {
  return key.namespace ? `${key.namespace}/${key.name}` : key.name;
}

/** The inverse of `objectKey`. */
export function parseKey(key: string): Key {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The reference to an object that an Event or an owner reference carries. */
export function objectRef(type: ResourceType, metadata: ObjectMeta): ObjectRef {
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  };
}
