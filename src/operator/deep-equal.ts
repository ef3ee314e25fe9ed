function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equalArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
}

function equalRecords(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const inA = Object.keys(a).filter((key) => a[key] !== undefined);
  const inB = Object.keys(b).filter((key) => b[key] !== undefined);
  return inA.length === inB.length && inA.every((key) => deepEqual(a[key], b[key]));
}

/** Equality of JSON values. A field that is undefined counts as absent, as it does once serialised. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return equalArrays(a, b);
  if (isRecord(a) && isRecord(b)) return equalRecords(a, b);
  return false;
}
