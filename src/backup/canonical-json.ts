import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * JSON with sorted keys and without absent fields: equal values yield equal bytes, whatever order the API server or a
 * person wrote the fields in. Only for JSON values.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** Items of a list that are written without a pause: about 10 ms of work. */
const sliceItems = 500;

/**
 * The same text for a record with long lists, made in slices between which other work gets its turn: a baseline of
 * thousands of cameras must not hold up the judgement of a server in another pool.
 */
export async function canonicalJsonInSlices(record: object): Promise<string> {
  const fields: string[] = [];
  for (const [key, value] of Object.entries(record).sort(byKey)) {
    if (value === undefined) continue;
    fields.push(`${JSON.stringify(key)}:${Array.isArray(value) ? await listInSlices(value) : canonicalJson(value)}`);
  }
  return `{${fields.join(',')}}`;
}

async function listInSlices(items: readonly unknown[]): Promise<string> {
  const texts: string[] = [];
  for (const item of items) {
    texts.push(canonicalJson(item));
    if (texts.length % sliceItems === 0) await nextTurn();
  }
  return `[${texts.join(',')}]`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(byKey);
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}

/** By code unit and not by locale: the order must not depend on where it runs. */
function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
