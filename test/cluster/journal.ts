import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';

/** Something a cluster has made on this machine, or was about to make, and that must be gone when it is. */
export type Resource =
  | { readonly kind: 'process'; readonly pid: number; readonly startTime: string; readonly what: string }
  | { readonly kind: 'namespace'; readonly name: string }
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'mount'; readonly path: string }
  | { readonly kind: 'loop'; readonly backingFile: string }
  /** A path below each cgroup controller. */
  | { readonly kind: 'cgroup'; readonly path: string }
  /** A rule of the FORWARD chain, without the command that adds or deletes it. */
  | { readonly kind: 'iptables'; readonly rule: readonly string[] };

/**
 * The list of a cluster's resources, in its run folder. An entry is written before the resource is made, so that a
 * crash between the two leaves an entry without a resource, which is harmless, never the reverse. Processes are the
 * exception, since their ids are not known before: each carries a mark in its environment besides (daemon.ts).
 */
export interface Journal {
  record(resource: Resource): void;
  recordProcess(identity: ProcessIdentity, what: string): void;
}

export function openJournal(folder: string): Journal {
  const path = join(folder, 'journal.jsonl');
  // Synchronous, because the entry must be in the file before the next statement makes the resource.
  const record = (resource: Resource) => appendFileSync(path, `${JSON.stringify(resource)}\n`);
  return {
    record,
    recordProcess: (identity, what) => record({ kind: 'process', what, ...identity }),
  };
}

/** Reads a cluster's journal; empty if it has none. */
export async function readJournal(folder: string): Promise<Resource[]> {
  return parseJournal(await readFile(join(folder, 'journal.jsonl'), 'utf8').catch(() => ''));
}

/** A crash can leave the last line half written; it was written before its resource, so nothing is lost with it. */
export function parseJournal(text: string): Resource[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Resource);
}
