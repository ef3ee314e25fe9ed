import type { ServerView } from '../types.js';

/**
 * The node of a server: that of its pod, else the last that is known. A server without any counts as a node of its own,
 * under a name that no node can have.
 */
export function nodeOf({ name, nodeName, status }: ServerView): string {
  return nodeName ?? status?.nodeName ?? `(${name})`;
}

/** Names that fit into a message, and how many more there are. */
export function listed(names: readonly string[], room = 20): string {
  const shown = names.slice(0, room).join(', ');
  return names.length > room ? `${shown} and ${names.length - room} more` : shown;
}
