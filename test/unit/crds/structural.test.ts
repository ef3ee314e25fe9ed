import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import {
  allKinds,
  crdManifest,
  rootSchema,
  SchemaError,
  type SchemaNode,
  structuralProblems,
} from '../../../src/crds/generate/index.js';

const text: SchemaNode = { type: 'string', maxLength: 9 };
const object = (properties: Record<string, SchemaNode>, more: SchemaNode = {}): SchemaNode => ({
  type: 'object',
  properties,
  ...more,
});
const foreign = (words: Record<string, unknown>): SchemaNode => words as SchemaNode;

describe('a schema is not structural', () => {
  const cases: [string, SchemaNode, string][] = [
    ['without a type', object({ a: {} }), 'spec.a: needs a type'],
    [
      'with $ref',
      object({ a: foreign({ type: 'string', maxLength: 1, $ref: '#/x' }) }),
      "spec.a: '$ref' is not a word",
    ],
    ['with anyOf', object({ a: foreign({ type: 'object', anyOf: [] }) }), "spec.a: 'anyOf' is not a word"],
    ['with nullable', object({ a: { ...text, nullable: true } }), "spec.a: 'nullable' is not a word"],
    ['with an unbounded string', object({ a: { type: 'string' } }), 'spec.a: needs maxLength'],
    ['with an unbounded list', object({ a: { type: 'array', items: text } }), 'spec.a: needs maxItems'],
    [
      'with an unbounded string in a list',
      object({ a: { type: 'array', maxItems: 1, items: { type: 'string' } } }),
      'spec.a[]: needs',
    ],
    [
      'with an unbounded map',
      object({ a: { type: 'object', additionalProperties: text } }),
      'spec.a: a map needs maxProperties',
    ],
    [
      'with an integer of no width',
      object({ a: { type: 'integer', minimum: 0, maximum: 1 } }),
      'spec.a: an integer needs format',
    ],
    [
      'with an unbounded integer',
      object({ a: { type: 'integer', format: 'int64', minimum: 0 } }),
      'spec.a: needs a minimum and',
    ],
    [
      'with int32 bounds that do not fit',
      object({ a: { type: 'integer', format: 'int32', minimum: 0, maximum: 2 ** 31 } }),
      'spec.a: its bounds do not fit int32',
    ],
    [
      'with properties beside additionalProperties',
      object({ a: text }, { additionalProperties: text, maxProperties: 1 }),
      'spec: properties and additionalProperties',
    ],
    [
      'with an unknown required field',
      object({ a: text }, { required: ['b'] }),
      "spec: requires the unknown field 'b'",
    ],
    [
      'with a required default',
      object({ a: { ...text, default: 'x' } }, { required: ['a'] }),
      'spec.a: has a default and is required',
    ],
    ['with a default of another type', object({ a: { ...text, default: 3 } }), 'spec.a: its default is of type number'],
    [
      'with a default out of its enum',
      object({ a: { type: 'string', enum: ['x'], default: 'y' } }),
      'spec.a: its default is not in',
    ],
    [
      'with a list key that may be missing',
      object({
        a: {
          type: 'array',
          maxItems: 1,
          items: object({ name: text }),
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
      }),
      "spec.a: its key 'name' must be a required field",
    ],
    [
      'with a rule without a message',
      object({ a: text }, { 'x-kubernetes-validations': [{ rule: 'true', message: '' }] }),
      'spec: a rule needs',
    ],
    [
      'with a rule that reads what its default lacks',
      object({
        a: object(
          { b: { ...text, default: 'x' } },
          { default: {}, 'x-kubernetes-validations': [{ rule: "self.b != 'y'", message: 'no' }] },
        ),
      }),
      'spec.a: a rule reads self.b, which the default lacks',
    ],
  ];
  for (const [name, schema, problem] of cases) {
    it(name, () => {
      const problems = structuralProblems(schema, 'spec');
      expect(
        problems.some((found) => found.startsWith(problem)),
        problems.join('\n'),
      ).to.equal(true);
    });
  }
});

describe('every kind', () => {
  for (const kind of allKinds) {
    it(`${kind.kind} becomes a CRD with status, columns and the category`, () => {
      const manifest = crdManifest(kind);
      const [version] = manifest.spec.versions;
      expect(manifest.metadata.name).to.equal(`${kind.plural}.understudy.dev`);
      expect(manifest.spec.names.categories).to.deep.equal(['understudy']);
      expect(version.subresources).to.deep.equal({ status: {} });
      expect(version.additionalPrinterColumns.at(-1)).to.include({ name: 'Age', type: 'date' });
    });

    it(`${kind.kind} says in every rule what to do`, () => {
      for (const message of messagesOf(rootSchema(kind))) expect(message.length, message).to.be.within(30, 200);
    });

    it(`${kind.kind} describes every field that people write`, () => {
      expect(undescribed(rootSchema(kind).properties?.spec ?? {}, 'spec')).to.deep.equal([]);
    });

    it(`${kind.kind} has columns and selectable fields that exist`, () => {
      for (const { jsonPath } of kind.columns) expect(exists(rootSchema(kind), jsonPath), jsonPath).to.equal(true);
    });
  }

  it('with a selectable field that does not exist is refused', () => {
    const [kind] = allKinds;
    if (kind === undefined) throw new Error('there are no kinds');
    expect(() => crdManifest({ ...kind, selectableFields: ['.spec.nope'] })).to.throw(SchemaError, '.spec.nope');
  });

  it('with an unbounded string is refused with its path', () => {
    const [kind] = allKinds;
    if (kind === undefined) throw new Error('there are no kinds');
    const spec = z.object({ deep: z.object({ text: z.string() }) });
    expect(() => crdManifest({ ...kind, spec })).to.throw(SchemaError, 'spec.deep.text: needs maxLength');
  });
});

function messagesOf(node: SchemaNode): string[] {
  const below = [...Object.values(node.properties ?? {}), ...(node.items ? [node.items] : [])];
  return [...(node['x-kubernetes-validations'] ?? []).map((rule) => rule.message), ...below.flatMap(messagesOf)];
}

function undescribed(node: SchemaNode, path: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    ...(child.description ? [] : [`${path}.${name}`]),
    ...undescribed(child.items ?? child, `${path}.${name}`),
  ]);
}

/** Follows a JSONPath through the schema; filters and indexes step into a list's items. */
function exists(schema: SchemaNode, jsonPath: string): boolean {
  if (jsonPath.startsWith('.metadata.')) return true;
  let node: SchemaNode | undefined = schema;
  for (const step of jsonPath.slice(1).split(/\.(?![^[]*\])/)) {
    const name = step.replace(/\[.*\]$/, '');
    node = node?.properties?.[name];
    if (name !== step) node = node?.items;
  }
  return node !== undefined;
}
