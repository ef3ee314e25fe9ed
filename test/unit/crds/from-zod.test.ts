import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { SchemaError, schemaFromZod } from '../../../src/crds/generate/index.js';
import { cel, listMap, seconds, stringMap, time } from '../../../src/crds/schema.js';

const convert = (schema: z.ZodType) => schemaFromZod('Thing', 'spec', schema);

function problemsOf(schema: z.ZodType): readonly string[] {
  try {
    convert(schema);
  } catch (error) {
    if (error instanceof SchemaError) return error.problems;
    throw error;
  }
  return [];
}

describe('the schema made from zod', () => {
  it('keeps defaults, and does not require what has one', () => {
    const schema = convert(
      z.object({ a: seconds(1, 9).default(3), b: z.object({ c: z.boolean().default(true) }).prefault({}) }),
    );
    expect(schema).to.deep.equal({
      type: 'object',
      properties: {
        a: { type: 'integer', format: 'int32', minimum: 1, maximum: 9, default: 3 },
        b: { type: 'object', default: {}, properties: { c: { type: 'boolean', default: true } } },
      },
    });
  });

  it('keeps CEL rules and list keys beside the field that they guard', () => {
    const item = z.object({ name: z.string().max(9) });
    const schema = convert(
      cel(z.object({ items: listMap(z.array(item).max(3), 'name') }), {
        rule: 'true',
        message: 'no',
        fieldPath: '.items',
      }),
    );
    expect(schema['x-kubernetes-validations']).to.deep.equal([{ rule: 'true', message: 'no', fieldPath: '.items' }]);
    expect(schema.properties?.items).to.include({ 'x-kubernetes-list-type': 'map', maxItems: 3 });
  });

  it('has no additionalProperties but for maps', () => {
    const schema = convert(z.object({ labels: stringMap(63) }));
    expect(schema).not.to.have.property('additionalProperties');
    expect(schema.properties?.labels).to.deep.equal({
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 63 },
      maxProperties: 64,
    });
  });

  it('writes patterns as RE2 reads them and times without a pattern', () => {
    const schema = convert(
      z.object({
        url: z
          .string()
          .max(9)
          .regex(/^rtsp:\/\/.+$/),
        at: time(),
      }),
    );
    expect(schema.properties?.url?.pattern).to.equal('^rtsp://.+$');
    expect(schema.properties?.at).to.deep.equal({ type: 'string', format: 'date-time', maxLength: 64 });
  });
});

describe('what a CRD cannot say is refused with the path of the field', () => {
  const cases: [string, z.ZodType, string][] = [
    [
      'refine',
      z.object({
        a: z
          .string()
          .max(9)
          .refine((text) => text !== 'x'),
      }),
      'spec.a: refine() is dropped',
    ],
    [
      'a refine deep in a list',
      z.object({ a: z.array(z.object({ b: z.int().refine(() => true) })) }),
      'spec.a[].b: refine()',
    ],
    ['transform', z.object({ a: z.string().transform((text) => text.length) }), "spec.a: zod type 'pipe'"],
    ['trim', z.object({ a: z.string().trim() }), "spec.a: zod check 'overwrite'"],
    [
      'union',
      z.object({ a: z.union([z.string(), z.int()]) }),
      "spec.a: zod type 'union' is not structural; use a flat object",
    ],
    [
      'discriminated union',
      z.object({ a: z.discriminatedUnion('t', [z.object({ t: z.literal('x') })]) }),
      "spec.a: zod type 'union'",
    ],
    [
      'nullable',
      z.object({ a: z.string().nullable() }),
      "spec.a: zod type 'nullable' is not structural; make the field optional",
    ],
    ['tuple', z.object({ a: z.tuple([z.string()]) }), "spec.a: zod type 'tuple'"],
    ['date', z.object({ a: z.date() }), "spec.a: zod type 'date'"],
    ['unknown', z.object({ a: z.unknown() }), "spec.a: zod type 'unknown'"],
    ['coerce', z.object({ a: z.coerce.number() }), 'spec.a: coerce'],
    ['strict object', z.object({ a: z.strictObject({}) }), 'spec.a: strict and loose objects'],
    ['an id', z.object({ a: z.string().meta({ id: 'Name' }) }), "spec.a: meta key 'id'"],
    ['examples', z.object({ a: z.string().meta({ examples: ['x'] }) }), "spec.a: meta key 'examples'"],
    ['flags', z.object({ a: z.string().regex(/^a$/i) }), "spec.a: the flags 'i'"],
    ['lookahead', z.object({ a: z.string().regex(/^(?!x)/) }), 'spec.a: /^(?!x)/ has a lookaround'],
    [
      'a map of unions',
      z.object({ a: z.record(z.string(), z.union([z.string(), z.int()])) }),
      "spec.a{}: zod type 'union'",
    ],
  ];
  for (const [name, schema, problem] of cases) {
    it(name, () => {
      const problems = problemsOf(schema);
      expect(
        problems.some((found) => found.startsWith(problem)),
        problems.join('\n'),
      ).to.equal(true);
    });
  }
});
