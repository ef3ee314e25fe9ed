/** The namespace of a key 'namespace/name'. */
export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** 'namespace/name' of a namespaced object. */
export function keyOf({ metadata }: { metadata: { name: string; namespace?: string | undefined } }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Where a change is told. */
export interface Inbox {
  enqueue(key: string): void;
  enqueueAfter(key: string, ms: number): void;
}
