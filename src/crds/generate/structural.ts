import type { SchemaNode } from './from-zod.js';

/** The words of JSONSchemaProps that our schemas use; everything else is refused. */
const allowedWords: ReadonlySet<string> = new Set<keyof SchemaNode>([
  'type',
  'description',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);

const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);
const integerFormats = new Set(['int32', 'int64']);
const stringFormats = new Set(['date-time']);

/**
 * The rules of a structural schema, and ours on top: every string, list and map has an upper bound, since the API server
 * estimates the cost of CEL rules by them, and integers say their width. Returns one sentence per problem, each starting
 * with the path; none when the schema is fine.
 */
export function structuralProblems(node: SchemaNode, path: string): string[] {
  return [
    ...wordProblems(node, path),
    ...boundProblems(node, path),
    ...objectProblems(node, path),
    ...listProblems(node, path),
    ...defaultProblems(node, path),
    ...ruleProblems(node, path),
    ...unguardedProblems(node, path),
    ...children(node, path).flatMap(([childPath, child]) => structuralProblems(child, childPath)),
  ];
}

function children(node: SchemaNode, path: string): [string, SchemaNode][] {
  const found: [string, SchemaNode][] = Object.entries(node.properties ?? {}).map(([name, child]) => [
    `${path}.${name}`,
    child,
  ]);
  if (node.items !== undefined) found.push([`${path}[]`, node.items]);
  if (typeof node.additionalProperties === 'object') found.push([`${path}{}`, node.additionalProperties]);
  return found;
}

function wordProblems(node: SchemaNode, path: string): string[] {
  const problems = Object.keys(node)
    .filter((word) => !allowedWords.has(word))
    .map((word) => `${path}: '${word}' is not a word of our CRDs`);
  if (node.type === undefined || !types.has(node.type)) problems.push(`${path}: needs a type, has ${node.type}`);
  return problems;
}

function boundProblems(node: SchemaNode, path: string): string[] {
  switch (node.type) {
    case 'string':
      return stringProblems(node, path);
    case 'array':
      return node.maxItems === undefined ? [`${path}: needs maxItems; add .max(n)`] : [];
    case 'integer':
      return integerProblems(node, path);
    case 'object':
      return node.additionalProperties !== undefined && node.maxProperties === undefined
        ? [`${path}: a map needs maxProperties; use stringMap()`]
        : [];
    default:
      return [];
  }
}

function stringProblems(node: SchemaNode, path: string): string[] {
  const problems: string[] = [];
  if (node.maxLength === undefined && node.enum === undefined) problems.push(`${path}: needs maxLength; add .max(n)`);
  if (node.format !== undefined && !stringFormats.has(node.format)) {
    problems.push(`${path}: format '${node.format}' is not used in our CRDs`);
  }
  return problems;
}

function integerProblems(node: SchemaNode, path: string): string[] {
  const problems: string[] = [];
  if (node.format === undefined || !integerFormats.has(node.format)) {
    problems.push(`${path}: an integer needs format int32 or int64`);
  }
  if (node.minimum === undefined || node.maximum === undefined) problems.push(`${path}: needs a minimum and a maximum`);
  if (node.format === 'int32' && Math.max(Math.abs(node.minimum ?? 0), Math.abs(node.maximum ?? 0)) > 2 ** 31 - 1) {
    problems.push(`${path}: its bounds do not fit int32; use format int64`);
  }
  return problems;
}

function objectProblems(node: SchemaNode, path: string): string[] {
  const problems: string[] = [];
  if (node.properties !== undefined && node.type !== 'object') problems.push(`${path}: properties need type object`);
  if (node.properties !== undefined && node.additionalProperties !== undefined) {
    problems.push(`${path}: properties and additionalProperties exclude each other`);
  }
  if (node.additionalProperties !== undefined && typeof node.additionalProperties !== 'object') {
    problems.push(`${path}: additionalProperties must be a schema`);
  }
  for (const name of node.required ?? []) {
    if (node.properties?.[name] === undefined) problems.push(`${path}: requires the unknown field '${name}'`);
    else if (node.properties[name].default !== undefined)
      problems.push(`${path}.${name}: has a default and is required`);
  }
  return problems;
}

function listProblems(node: SchemaNode, path: string): string[] {
  if (node.type !== 'array') return node.items === undefined ? [] : [`${path}: items need type array`];
  if (node.items === undefined) return [`${path}: needs items`];
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  if (node['x-kubernetes-list-type'] !== 'map') return keys.length === 0 ? [] : [`${path}: keys need list type map`];
  if (keys.length === 0) return [`${path}: a list of type map needs keys`];
  return keys
    .filter((key) => {
      const field = node.items?.properties?.[key];
      return !node.items?.required?.includes(key) && field?.default === undefined;
    })
    .map((key) => `${path}: its key '${key}' must be a required field of the items`);
}

/** A default takes effect only if the parent exists; parents of defaults are given with `.prefault({})`. */
function defaultProblems(node: SchemaNode, path: string): string[] {
  if (node.default === undefined) return [];
  const actual = Array.isArray(node.default) ? 'array' : typeof node.default;
  const wanted = node.type === 'integer' ? 'number' : node.type;
  if (actual !== wanted) return [`${path}: its default is of type ${actual}, not ${String(wanted)}`];
  if (node.enum !== undefined && !node.enum.includes(node.default)) return [`${path}: its default is not in its enum`];
  return [];
}

/**
 * The API server evaluates the rules of a node upon its default as it is written, before the defaults of the fields in it
 * are there: a field that a rule reads there has to be asked for by has(), or the whole CRD is refused.
 */
function unguardedProblems(node: SchemaNode, path: string): string[] {
  const { default: preset, 'x-kubernetes-validations': rules = [] } = node;
  if (typeof preset !== 'object' || preset === null || Array.isArray(preset)) return [];
  return rules.flatMap(({ rule }) =>
    [...new Set([...rule.matchAll(/\bself\.([A-Za-z0-9]+)/g)].map(([, field = '']) => field))]
      .filter((field) => !(field in preset) && !rule.includes(`has(self.${field})`))
      .map(
        (field) => `${path}: a rule reads self.${field}, which the default lacks; guard it: !has(self.${field}) || ...`,
      ),
  );
}

function ruleProblems(node: SchemaNode, path: string): string[] {
  const problems: string[] = [];
  for (const { rule, message } of node['x-kubernetes-validations'] ?? []) {
    if (rule.trim() === '' || message.trim() === '') problems.push(`${path}: a rule needs an expression and a message`);
    if (/[\r\n]/.test(message)) problems.push(`${path}: the message of '${rule}' must be one line`);
  }
  return problems;
}
