import type { z } from 'zod';
import { GROUP, type KindDefinition, VERSION } from '../kind.js';
import type { CelRule } from '../schema.js';
import { SchemaError, type SchemaNode, schemaFromZod } from './from-zod.js';
import { structuralProblems } from './structural.js';

/** Category of all kinds: `kubectl get understudy` lists everything of ours. */
export const CATEGORY = 'understudy';

/** A CustomResourceDefinition, as far as we write it. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    names: {
      kind: string;
      listKind: string;
      plural: string;
      singular: string;
      shortNames: string[];
      categories: string[];
    };
    scope: 'Namespaced';
    versions: [CrdVersion];
  };
}

interface CrdVersion {
  name: string;
  served: true;
  storage: true;
  additionalPrinterColumns: { name: string; type: string; jsonPath: string; description?: string; priority?: number }[];
  selectableFields?: { jsonPath: string }[];
  subresources: { status: Record<string, never> };
  schema: { openAPIV3Schema: SchemaNode };
}

/** The CRD of a kind. Throws SchemaError, naming the field, for a schema that the API server would refuse. */
export function crdManifest(definition: KindDefinition): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${definition.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: definition.kind,
        listKind: `${definition.kind}List`,
        plural: definition.plural,
        singular: definition.singular,
        shortNames: [...definition.shortNames],
        categories: [CATEGORY],
      },
      scope: 'Namespaced',
      versions: [version(definition)],
    },
  };
}

function version(definition: KindDefinition): CrdVersion {
  const schema = rootSchema(definition);
  const problems = definition.selectableFields
    .filter((path) => leafAt(schema, path) === undefined)
    .map((path) => `${path}: is selectable, but no field of the schema`);
  if (problems.length > 0) throw new SchemaError(definition.kind, problems);
  return {
    name: VERSION,
    served: true,
    storage: true,
    additionalPrinterColumns: definition.columns.map((column) => ({ ...column })),
    ...(definition.selectableFields.length > 0
      ? { selectableFields: definition.selectableFields.map((jsonPath) => ({ jsonPath })) }
      : {}),
    subresources: { status: {} },
    schema: { openAPIV3Schema: schema },
  };
}

/** The whole schema of a kind. The root is written by hand: zod knows nothing of metadata. */
export function rootSchema(definition: KindDefinition): SchemaNode {
  const spec = definition.spec && checked(definition.kind, 'spec', definition.spec);
  const status = checked(definition.kind, 'status', definition.status);
  return {
    type: 'object',
    description: definition.description,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(spec ? { spec } : {}),
      status,
    },
    ...(spec ? { required: ['spec'] } : {}),
    ...(definition.rules.length > 0 ? { 'x-kubernetes-validations': definition.rules.map(copyRule) } : {}),
  };
}

function checked(kind: string, root: 'spec' | 'status', zodSchema: z.ZodType): SchemaNode {
  const schema = schemaFromZod(kind, root, zodSchema);
  const problems = structuralProblems(schema, root);
  if (problems.length > 0) throw new SchemaError(kind, problems);
  return schema;
}

function copyRule(rule: CelRule): CelRule {
  return { ...rule };
}

/** The schema node at a simple path such as `.spec.poolRef.name`. */
function leafAt(schema: SchemaNode, path: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema;
  for (const name of path.split('.').slice(1)) node = node?.properties?.[name];
  return node;
}
