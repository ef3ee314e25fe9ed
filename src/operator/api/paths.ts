import type { Key, ResourceType } from '../objects.js';
import type { Selection } from './types.js';

type QueryValue = string | number | boolean | undefined;

function groupPath(type: ResourceType): string {
  return type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
}

/** The path of a collection; without a namespace, of all namespaces. */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${groupPath(type)}${scope}/${type.plural}`;
}

/** The path of one object. Throws for a namespaced kind without a namespace: that would be another resource. */
export function objectPath(type: ResourceType, key: Key, subresource?: 'status'): string {
  if (type.namespaced && !key.namespace) {
    throw new TypeError(`${type.kind} ${key.name} is namespaced: give its namespace`);
  }
  const path = `${collectionPath(type, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** A query string with its '?', or '' when nothing is set. */
export function queryString(parameters: Record<string, QueryValue>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** The query parameters of a selection. */
export function selectors(selection: Selection): Record<string, QueryValue> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}
