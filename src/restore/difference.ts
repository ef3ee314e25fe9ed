import { canonicalJson } from '../backup/index.js';
import { redactSecrets } from '../operator/index.js';

/** A field that the cluster has otherwise than the baseline. Values are cut, and shown without credentials. */
export interface FieldChange {
  /** As in spec.volumes[a].mountPath. */
  readonly path: string;
  /** Absent when the cluster lacks the field. */
  readonly from?: string;
  readonly to: string;
}

/** What a baseline says of an object, and what the cluster has: only what a restore writes. */
export interface Comparable {
  readonly labels?: Record<string, string> | undefined;
  readonly annotations?: Record<string, string> | undefined;
  readonly spec: object;
}

export interface Difference {
  readonly changes: readonly FieldChange[];
  /**
   * Fields of the spec that the cluster has and the baseline has not: they stay, since server-side apply takes away only
   * what it has itself set.
   */
  readonly kept: readonly string[];
}

/** Lists whose entries the API server knows by their name; all others it replaces whole. */
const keyedLists: ReadonlySet<string> = new Set(['spec.volumes', 'spec.plugins']);

/** Longest value that is shown. Characters. */
const longestValue = 60;

/** `defaults`: the baseline's spec with the defaults of the schema, so that a default is no difference. */
export function differenceOf(wanted: Comparable, live: Comparable, defaults: object = wanted.spec): Difference {
  const changes: FieldChange[] = [];
  const kept: string[] = [];
  compareMaps('metadata.labels', wanted.labels, live.labels, changes);
  compareMaps('metadata.annotations', wanted.annotations, live.annotations, changes);
  compare({ path: 'spec', wanted: wanted.spec, live: live.spec, defaults }, changes, kept);
  return { changes, kept };
}

function compareMaps(
  path: string,
  wanted: Record<string, string> | undefined,
  live: Record<string, string> | undefined,
  changes: FieldChange[],
): void {
  for (const [key, value] of Object.entries(wanted ?? {})) {
    if (live?.[key] !== value) changes.push(change(`${path}.${key}`, live?.[key], value));
  }
}

interface Place {
  readonly path: string;
  readonly wanted: unknown;
  readonly live: unknown;
  readonly defaults: unknown;
}

function compare(place: Place, changes: FieldChange[], kept: string[]): void {
  const { path, wanted, live } = place;
  if (canonicalJson(wanted) === canonicalJson(live)) return;
  const fields = fieldsOf(place);
  if (fields === undefined) changes.push(change(path, live, wanted));
  else for (const field of fields) compareField(field, changes, kept);
}

function compareField(field: Place, changes: FieldChange[], kept: string[]): void {
  const { path, wanted, live, defaults } = field;
  if (wanted !== undefined) compare(field, changes, kept);
  else if (live !== undefined && canonicalJson(live) !== canonicalJson(defaults)) kept.push(path);
}

/** The places below, where both sides are objects, or lists of which the entries have names; else undefined. */
function fieldsOf({ path, wanted, live, defaults }: Place): Place[] | undefined {
  const keyed = keyedLists.has(path);
  const [ours, theirs, usual] = [wanted, live, defaults].map((value) => (keyed ? byName(value) : asRecord(value)));
  if (ours === undefined || theirs === undefined) return undefined;
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].map((key) => ({
    path: keyed ? `${path}[${key}]` : `${path}.${key}`,
    wanted: ours[key],
    live: theirs[key],
    defaults: usual?.[key],
  }));
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function byName(value: unknown): Record<string, unknown> | undefined {
  if (!Array.isArray(value)) return undefined;
  return Object.fromEntries(value.map((entry: { readonly name?: unknown }) => [String(entry.name), entry]));
}

function change(path: string, from: unknown, to: unknown): FieldChange {
  return { path, ...(from === undefined ? {} : { from: shown(from) }), to: shown(to) };
}

function shown(value: unknown): string {
  const text = redactSecrets(typeof value === 'string' ? value : canonicalJson(value));
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}
