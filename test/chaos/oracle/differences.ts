import type { EndState } from './end-state.js';

/** Where two end states differ, one line each, the expected one first. */
export function differences(expected: EndState, found: EndState): string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return keys.flatMap((key) => {
    if (!found.has(key)) return [`${key} is missing`];
    if (!expected.has(key)) return [`${key} is there and should not be`];
    return valueDifferences(key, expected.get(key), found.get(key));
  });
}

function valueDifferences(path: string, expected: unknown, found: unknown): string[] {
  if (isComposite(expected) && isComposite(found)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
    return keys.flatMap((key) =>
      valueDifferences(`${path}.${labelOf(expected, found, key)}`, expected[key], found[key]),
    );
  }
  if (Object.is(expected, found)) return [];
  return [`${path}: expected ${shown(expected)}, found ${shown(found)}`];
}

function isComposite(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** An item of a list by its type or name, where it has one: 'conditions.Ready' says more than 'conditions.3'. */
function labelOf(expected: Record<string, unknown>, found: Record<string, unknown>, key: string): string {
  const item = expected[key] ?? found[key];
  if (!Array.isArray(expected) || !isComposite(item)) return key;
  return String(item.type ?? item.name ?? key);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
