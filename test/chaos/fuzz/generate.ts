import type { SchemaNode } from '../../../src/crds/generate/index.js';

/** Names a field whatever the index or key: 'spec.volumes[].name', 'spec.podTemplate.labels{}'. */
export type FieldPath = string;

/** Makes a value of one field; undefined leaves an optional field out. */
export type Maker = (random: () => number) => unknown;

export interface Generator {
  readonly random: () => number;
  /** For fields of which the schema says less than Kubernetes, or the references, ask for. */
  readonly makers: Readonly<Record<FieldPath, Maker>>;
}

/** Items of a list and entries of a map: few, so that a spec stays readable in a report. */
const most = 3;
const letters = 'abcdefghijklmnopqrstuvwxyz';

export function pick<T>(items: readonly T[], random: () => number): T {
  const found = items[Math.floor(random() * items.length)];
  if (found === undefined) throw new Error('there is nothing to pick from');
  return found;
}

/** A word that stands in no other spec, so that it can be looked for. */
export function word(random: () => number, length = 10): string {
  return `z${Array.from({ length: length - 1 }, () => pick([...letters], random)).join('')}`;
}

/** A value that the schema allows: each optional field is there or not by chance, each bound is tried now and then. */
export function generate(node: SchemaNode, path: FieldPath, generator: Generator): unknown {
  const maker = generator.makers[path];
  if (maker !== undefined) return maker(generator.random);
  switch (node.type) {
    case 'object':
      return node.additionalProperties ? generateMap(node, path, generator) : generateObject(node, path, generator);
    case 'array':
      return generateList(node, path, generator);
    case 'integer':
      return generateInteger(node, generator.random);
    case 'boolean':
      return generator.random() < 0.5;
    case 'string':
      return generateText(node, path, generator.random);
    default:
      throw new Error(`${path}: there is no generator for type ${node.type}`);
  }
}

function generateObject(node: SchemaNode, path: FieldPath, generator: Generator): Record<string, unknown> {
  const entries = Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const needed = node.required?.includes(name) === true;
    if (!needed && generator.random() < 0.5) return [];
    const value = generate(child, `${path}.${name}`, generator);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

function generateMap(node: SchemaNode, path: FieldPath, generator: Generator): Record<string, unknown> {
  const count = Math.floor(generator.random() * (most + 1));
  const values = Array.from({ length: count }, () => [
    word(generator.random),
    generate(node.additionalProperties ?? {}, `${path}{}`, generator),
  ]);
  return Object.fromEntries(values);
}

function generateList(node: SchemaNode, path: FieldPath, generator: Generator): unknown[] {
  const { items, minItems = 0, maxItems = most } = node;
  if (items === undefined) throw new Error(`${path}: a list without items`);
  const count = minItems + Math.floor(generator.random() * (Math.min(most, maxItems) - minItems + 1));
  const values = Array.from({ length: count }, () => generate(items, `${path}[]`, generator));
  const [key] = node['x-kubernetes-list-map-keys'] ?? [];
  if (key === undefined) return values;
  const seen = new Map(values.map((value) => [(value as Record<string, unknown>)[key], value]));
  return [...seen.values()];
}

function generateInteger({ minimum = 0, maximum = 1_000_000 }: SchemaNode, random: () => number): number {
  const chance = random();
  if (chance < 0.2) return minimum;
  if (chance > 0.8) return maximum;
  return minimum + Math.floor(random() * (Math.min(maximum, minimum + 10_000) - minimum + 1));
}

function generateText(node: SchemaNode, path: FieldPath, random: () => number): string {
  if (node.enum !== undefined) return String(pick(node.enum, random));
  const { minLength = 0, maxLength = 20 } = node;
  const text = word(random, Math.max(minLength, Math.min(maxLength, 10)));
  if (node.pattern !== undefined && !new RegExp(node.pattern).test(text))
    throw new Error(`${path}: nothing that fits ${node.pattern}; give it a maker`);
  return text;
}
