import type { SchemaNode } from '../../../src/crds/generate/index.js';

/** A step into an object or a list. */
type Path = readonly (string | number)[];

/** A change of one field to the edge of what its schema allows, or beyond it. */
export interface Attempt {
  readonly path: Path;
  readonly what: string;
  /** undefined takes the field away. */
  readonly value: unknown;
  readonly allowed: boolean;
}

/** Every limit of the schema below `node`, tried at the places where `value` has the field. */
export function attempts(node: SchemaNode, value: unknown, path: Path): Attempt[] {
  return [...own(node, value, path), ...below(node, value, path)];
}

function below(node: SchemaNode, value: unknown, path: Path): Attempt[] {
  if (Array.isArray(value)) {
    return node.items ? value.flatMap((item, index) => attempts(node.items as SchemaNode, item, [...path, index])) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const schema = node.properties?.[name] ?? node.additionalProperties;
    return schema ? attempts(schema, child, [...path, name]) : [];
  });
}

function own(node: SchemaNode, value: unknown, path: Path): Attempt[] {
  const attempt = (what: string, changed: unknown, allowed: boolean): Attempt => ({
    path,
    what,
    value: changed,
    allowed,
  });
  const refuse = (what: string, changed: unknown): Attempt => attempt(what, changed, false);
  const found: Attempt[] = [];
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties } = node;
  if (minimum !== undefined) found.push(refuse(`below ${minimum}`, minimum - 1), attempt('the least', minimum, true));
  if (maximum !== undefined) found.push(refuse(`above ${maximum}`, maximum + 1), attempt('the most', maximum, true));
  if (minLength) found.push(refuse('empty', ''));
  if (maxLength !== undefined) found.push(refuse(`longer than ${maxLength}`, 'a'.repeat(maxLength + 1)));
  if (node.format === 'date-time') found.push(refuse('no time', 'yesterday'));
  if (node.pattern !== undefined) found.push(refuse('against its pattern', '\u0001'));
  if (node.type === 'boolean') found.push(refuse('no boolean', 'yes'), attempt('true', true, true));
  if (minItems) found.push(refuse('empty', []));
  if (maxItems !== undefined) found.push(refuse(`more than ${maxItems} items`, many(node, value, maxItems + 1)));
  if (maxProperties !== undefined) found.push(refuse('too many entries', manyEntries(maxProperties + 1)));
  if (node.enum)
    found.push(refuse('no member', 'Nonsense'), ...node.enum.map((one) => attempt(String(one), one, true)));
  for (const name of node.required ?? [])
    found.push({ path: [...path, name], what: 'missing', value: undefined, allowed: false });
  return found;
}

function many(node: SchemaNode, value: unknown, count: number): unknown[] {
  const [first] = value as unknown[];
  const [key] = node['x-kubernetes-list-map-keys'] ?? [];
  return Array.from({ length: count }, (_, i) => (key ? { ...(first as object), [key]: `n${i}` } : first));
}

function manyEntries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
}

/** A deep copy of `root` with the attempt made. */
export function withAttempt<T>(root: T, { path, value }: Attempt): T {
  const copy = structuredClone(root);
  let node = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) node = node[step] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}

/** The path as the API server writes it. */
export function fieldOf(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}${text ? '.' : ''}${step}`),
    '',
  );
}
