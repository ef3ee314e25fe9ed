import { z } from 'zod';
import type { Baseline } from '../backup/index.js';
import { fewOf, namesOf } from './few.js';

/** Above this an epoch was not counted but written by hand, and the next takeover would have no room. */
const highestCredibleEpoch = 2 ** 52;

const name = () => z.string().min(1).max(253);
const epoch = () => z.int().min(0).max(highestCredibleEpoch);
const stringMap = () => z.record(z.string(), z.string()).optional();
const reference = () => z.looseObject({ name: name() });
const described = { name: name(), labels: stringMap(), annotations: stringMap() };

/**
 * The frame of a baseline. What lies in a spec is judged by the API server that is to take it: its CRDs count, and not
 * those of this program.
 */
const shape = z.strictObject({
  format: z.string(),
  formatVersion: z.int(),
  operatorVersion: z.string(),
  namespace: name(),
  pool: z.strictObject({
    ...described,
    spec: z.looseObject({}),
    epoch: epoch(),
    roles: z.array(
      z.strictObject({
        name: name(),
        holder: name(),
        previousHolder: name().optional(),
        epoch: epoch(),
        startTime: z.string(),
        handedOverTime: z.string().optional(),
        cause: z.string().optional(),
      }),
    ),
  }),
  servers: z.array(
    z.strictObject({
      ...described,
      spec: z.looseObject({ type: z.string().optional(), poolRef: reference().optional() }),
      assignment: z.strictObject({ role: z.string(), epoch: epoch() }).optional(),
    }),
  ),
  cameras: z.array(
    z.strictObject({
      ...described,
      spec: z.looseObject({
        serverRef: reference(),
        source: z.looseObject({ credentialsSecretRef: reference().optional() }),
      }),
      boundTo: z
        .strictObject({ role: z.string(), server: z.string(), epoch: epoch(), startTime: z.string() })
        .optional(),
    }),
  ),
  secrets: z.array(name()),
  secretContents: z
    .array(z.strictObject({ name: name(), type: z.string().optional(), data: z.record(z.string(), z.base64()) }))
    .optional(),
});

/** What is wrong with a baseline, and what is merely unknown in it. */
export interface ShapeFindings {
  /** It can't be restored. */
  readonly problems: readonly string[];
  /** A later version of the same format may say more; that is left out, and said. */
  readonly notes: readonly string[];
}

/** Looks whether a decoded baseline has the fields that a restore reads, and is whole in itself. */
export function judgeShape(value: unknown): ShapeFindings {
  const issues = shape.safeParse(value).error?.issues ?? [];
  const wrong = issues.filter(({ code }) => code !== 'unrecognized_keys');
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => pathText([...issue.path, key])) : [],
  );
  if (wrong.length > 0) {
    return { problems: fewOf(wrong.map(({ path, message }) => `${pathText(path)}: ${message}`)), notes: [] };
  }
  const notes =
    unknown.length === 0 ? [] : [`fields that this version does not know are left out: ${namesOf(unknown)}`];
  return { problems: contradictions(value as Baseline), notes };
}

/** What the shape can't say: names that occur twice, members of other pools, a server with two roles. */
function contradictions({ pool, servers, cameras }: Baseline): string[] {
  const foreign = servers.filter(({ spec }) => spec.poolRef?.name !== pool.name).map((server) => server.name);
  const found = [
    ...twice('servers', servers),
    ...twice('cameras', cameras),
    ...twice('pool.roles', pool.roles),
    ...twice(
      'pool.roles by holder',
      pool.roles.map(({ holder }) => ({ name: holder })),
    ),
  ];
  if (foreign.length > 0) found.push(`servers that are not of pool ${pool.name}: ${namesOf(foreign)}`);
  return found;
}

function twice(list: string, entries: readonly { readonly name: string }[]): string[] {
  const seen = new Set<string>();
  const doubled = entries.filter((entry) => seen.size === seen.add(entry.name).size).map((entry) => entry.name);
  return doubled.length === 0 ? [] : [`${list}: occur twice: ${namesOf(doubled)}`];
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .slice(1);
}
