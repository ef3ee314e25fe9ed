import { z } from 'zod';

/** A CEL rule as the API server takes it (`x-kubernetes-validations`). */
export interface CelRule {
  readonly rule: string;
  /** Names the field and the mend: this is the sentence a person reads after a typo. */
  readonly message: string;
  /** Path below the guarded node that the message is about, as in `.epoch`. */
  readonly fieldPath?: string;
  /** CEL that yields the message, where it has to name values. */
  readonly messageExpression?: string;
}

/** Attaches CEL rules to a schema node. zod's own `refine` is dropped on the way to a CRD, so rules live here only. */
export function cel<T extends z.ZodType>(schema: T, ...rules: CelRule[]): T {
  return schema.meta({ ...schema.meta(), 'x-kubernetes-validations': rules });
}

/** Marks a list as a map keyed by the given fields, so that server-side apply merges it and CEL can compare items. */
export function listMap<T extends z.ZodArray>(schema: T, ...keys: string[]): T {
  return schema.meta({ ...schema.meta(), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });
}

/** A DNS label of at most 40 characters: room for the prefixes of the objects that are named after it. */
export const dnsLabel = () =>
  z
    .string()
    .min(1)
    .max(40)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** A reference to an object of the same namespace. */
export const localRef = () => z.object({ name: z.string().min(1).max(253).describe('Name in the same namespace.') });

/** RFC 3339 with fractions of a second; the API server checks the format. */
export const time = () => z.string().max(64).meta({ format: 'date-time' });

/** A fencing epoch: only ever grows. Bounded by what JSON numbers hold exactly. */
export const epoch = () => z.int().min(0).max(9007199254740991).meta({ format: 'int64' });

/** Seconds as the API takes them. */
export const seconds = (min: number, max: number) => z.int().min(min).max(max).meta({ format: 'int32' });

/** A count. */
export const count = (max: number) => z.int().min(0).max(max).meta({ format: 'int32' });

/** `status.conditions`, as the API conventions shape it. */
export const conditions = () =>
  listMap(
    z
      .array(
        z.object({
          type: z.string().min(1).max(64),
          status: z.enum(['True', 'False', 'Unknown']),
          reason: z
            .string()
            .min(1)
            .max(128)
            .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
          message: z.string().max(4096),
          observedGeneration: z.int().min(0).meta({ format: 'int64' }).optional(),
          lastTransitionTime: time(),
        }),
      )
      .max(32),
    'type',
  );

/** String maps such as labels: bounded, because every list in a status or spec is. */
export const stringMap = (maxValue = 1024) =>
  z.record(z.string(), z.string().max(maxValue)).meta({ maxProperties: 64 });
