/**
 * JSON with sorted keys and without absent fields: equal values yield equal bytes, whatever order the API server or a
 * person wrote the fields in. Only for JSON values.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
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
