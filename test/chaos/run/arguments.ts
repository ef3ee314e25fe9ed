/** The tiers of a run. */
const tierNames = ['api', 'nodes'] as const;
export type Tier = (typeof tierNames)[number];

/** Recording systems side by side on real nodes. */
export const DEFAULT_SYSTEMS = 3;
/** Four nodes and one machine bear no more. */
const MOST_SYSTEMS = 8;

/** What a run is to do. */
export interface ChaosRequest {
  readonly tiers: readonly Tier[];
  /** In each tier no case is begun after so long. Milliseconds. */
  readonly forMs: number;
  readonly seed: number;
  /** Only cases whose name begins with this. */
  readonly only: string | undefined;
  /** Cases side by side, at the API tier. */
  readonly parallel: number;
  /** Recording systems side by side, on real nodes. */
  readonly systems: number;
  /** Writes docs/reliability.md, and docs/reliability.json from which it is made. */
  readonly writeDocs: boolean;
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function durationOf(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const factor = units[unit];
  if (amount === undefined || factor === undefined) throw new Error(`--for ${text}: give it as in 90s, 10m or 2h`);
  return Number(amount) * factor;
}

function numberOf(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`${option} ${text}: give a whole number from ${least}${most < 1_000 ? ` to ${most}` : ''}`);
  return value;
}

function tiersOf(text: string): readonly Tier[] {
  if (text === 'all') return tierNames;
  const tier = tierNames.find((known) => known === text);
  if (tier === undefined) throw new Error(`--tier ${text}: give api, nodes or all`);
  return [tier];
}

/** A case's name says of which tier it is. */
function tierOf(only: string): Tier {
  return only.split('/')[0] === 'nodes' ? 'nodes' : 'api';
}

type Options = { -readonly [Key in keyof ChaosRequest]?: ChaosRequest[Key] };

const readers: Readonly<Record<string, (request: Options, value: string) => void>> = {
  '--tier': (request, value) => {
    request.tiers = tiersOf(value);
  },
  '--for': (request, value) => {
    request.forMs = durationOf(value);
  },
  '--seed': (request, value) => {
    request.seed = numberOf('--seed', value, 0);
  },
  '--only': (request, value) => {
    request.only = value;
  },
  '--parallel': (request, value) => {
    request.parallel = numberOf('--parallel', value, 1);
  },
  '--systems': (request, value) => {
    request.systems = numberOf('--systems', value, 1, MOST_SYSTEMS);
  },
};

/**
 * Reads `[--tier api|nodes|all] [--for 10m] [--seed N] [--only case] [--parallel N] [--systems N] [--write-docs]`. Throws
 * for what it does not know.
 */
export function parseRequest(argv: readonly string[]): ChaosRequest {
  const given: Options = {};
  const words = [...argv];
  for (let option = words.shift(); option !== undefined; option = words.shift()) {
    if (option === '--write-docs') {
      given.writeDocs = true;
      continue;
    }
    const read = readers[option];
    const known = [...Object.keys(readers), '--write-docs'].join(', ');
    if (read === undefined) throw new Error(`there is no option ${option}; there are ${known}`);
    const value = words.shift();
    if (value === undefined) throw new Error(`${option}: it needs a value`);
    read(given, value);
  }
  const { only, forMs = 600_000, seed = 1, parallel = 12, systems = DEFAULT_SYSTEMS, writeDocs = false } = given;
  const tiers = only === undefined ? (given.tiers ?? ['api']) : [tierOf(only)];
  return { tiers, forMs, seed, only, parallel, systems, writeDocs };
}
