import { z } from 'zod';

/** A node of a structural schema, as `openAPIV3Schema` takes it. */
export interface SchemaNode {
  type?: string;
  description?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  items?: SchemaNode;
  additionalProperties?: SchemaNode;
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string; messageExpression?: string }[];
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
}

/** A schema that cannot become a CRD. Each problem starts with the path of its field. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly problems: readonly string[];

  constructor(kind: string, problems: readonly string[]) {
    super(`the schema of ${kind} cannot become a CRD:\n  ${problems.join('\n  ')}`);
    this.problems = problems;
  }
}

/** zod types that say the same in a structural schema as they do in zod. Unions, tuples, transforms and dates don't. */
const allowedTypes = new Set([
  'object',
  'string',
  'number',
  'boolean',
  'enum',
  'array',
  'record',
  'optional',
  'default',
  'prefault',
]);

/** zod checks that survive the way into JSON Schema. `custom` (refine) and `overwrite` (trim, ...) are lost on it. */
const allowedChecks = new Set([
  'min_length',
  'max_length',
  'length_equals',
  'greater_than',
  'less_than',
  'number_format',
  'string_format',
]);

/** What may be said by `.meta()`; `id` would make a `$ref`, `examples` and `title` are no words of a CRD. */
const allowedMeta = new Set([
  'description',
  'format',
  'maxProperties',
  'minProperties',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);

const advice: Record<string, string> = {
  union: 'use a flat object with a type enum, optional members and a CEL rule',
  tuple: 'use an array of objects with named fields',
  nullable: 'make the field optional instead',
  transform: 'convert after parsing',
  pipe: 'convert after parsing, and never coerce in a kind',
  date: 'use time() of schema.ts',
  unknown: 'give it a type',
  any: 'give it a type',
  lazy: 'recursive schemas are not structural',
  literal: 'use an enum with one value',
};

function typeProblem(type: string): string {
  return `zod type '${type}' is not structural; ${advice[type] ?? 'use another type'}`;
}

function checkProblems(check: z.core.$ZodCheckDef & { pattern?: RegExp }): string[] {
  if (check.check === 'custom') return ['refine() is dropped on the way to a CRD; write a CEL rule with cel() instead'];
  if (!allowedChecks.has(check.check)) return [`zod check '${check.check}' has no word in a CRD; take it out`];
  const pattern = check.pattern;
  if (check.check !== 'string_format' || pattern === undefined) return [];
  // The API server compiles patterns with Go's RE2, and zod drops the flags.
  if (pattern.flags !== '')
    return [`the flags '${pattern.flags}' of ${String(pattern)} are lost; write it without flags`];
  if (/\(\?[=!<]|\\[1-9]/.test(pattern.source)) {
    return [`${String(pattern)} has a lookaround or a back reference, which RE2 refuses`];
  }
  return [];
}

function zodProblems(schema: z.core.$ZodTypes): string[] {
  const definition = schema._zod.def;
  if (!allowedTypes.has(definition.type)) return [typeProblem(definition.type)];
  const problems: string[] = [];
  if ('coerce' in definition && definition.coerce === true) {
    problems.push('coerce makes zod and the API server differ; take it out');
  }
  if (definition.type === 'object' && definition.catchall !== undefined) {
    problems.push('strict and loose objects are not structural; use z.object');
  }
  const own = 'check' in definition ? [definition as unknown as z.core.$ZodCheckDef] : [];
  for (const check of [...own, ...(definition.checks ?? []).map((item) => item._zod.def)]) {
    problems.push(...checkProblems(check));
  }
  for (const key of Object.keys(z.globalRegistry.get(schema) ?? {})) {
    if (!allowedMeta.has(key)) problems.push(`meta key '${key}' is not allowed in a CRD; take it out`);
  }
  return problems;
}

/** `/` is escaped in a JavaScript regular expression only, and equal `required` lists shall look equal. */
function tidy(node: SchemaNode): void {
  if (node.pattern !== undefined) node.pattern = node.pattern.replaceAll('\\/', '/');
  if (node.format === 'date-time') delete node.pattern;
}

/**
 * Turns a zod schema into a structural schema. io 'input', because that is what a person writes: a field with a default
 * is not required. Throws SchemaError for whatever zod would drop or say differently; the path starts at `root`.
 */
export function schemaFromZod(kind: string, root: string, schema: z.ZodType): SchemaNode {
  const problems: string[] = [];
  const visit = (visited: z.core.$ZodTypes, node: SchemaNode, path: readonly (string | number)[]): void => {
    for (const problem of zodProblems(visited)) problems.push(`${fieldPath(root, path)}: ${problem}`);
    tidy(node);
  };
  const result = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema, path }) => visit(zodSchema, jsonSchema as SchemaNode, path),
  });
  if (problems.length > 0) throw new SchemaError(kind, [...new Set(problems)]);
  return result as SchemaNode;
}

/** `spec.volumes[].name` from the path in the JSON Schema. */
function fieldPath(root: string, path: readonly (string | number)[]): string {
  let text = root;
  for (let i = 0; i < path.length; i++) {
    const step = path[i];
    if (step === 'properties') text += `.${String(path[++i])}`;
    else if (step === 'items') text += '[]';
    else if (step === 'additionalProperties') text += '{}';
    else text += `.${String(step)}`;
  }
  return text;
}
