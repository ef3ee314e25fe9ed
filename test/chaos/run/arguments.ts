/** What a run is to do. */
export interface ChaosRequest {
  /** No case is begun after so long. Milliseconds. */
  readonly forMs: number;
  readonly seed: number;
  /** Only cases whose name begins with this. */
  readonly only: string | undefined;
  /** Cases side by side. */
  readonly parallel: number;
  /** Writes docs/reliability.md. */
  readonly writeDocs: boolean;
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function durationOf(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const factor = units[unit];
  if (amount === undefined || factor === undefined) throw new Error(`--for ${text}: give it as in 90s, 10m or 2h`);
  return Number(amount) * factor;
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${option} ${text}: give a whole number from ${least}`);
  return value;
}

/** Reads `[--for 10m] [--seed N] [--only case] [--parallel N] [--write-docs]`. Throws for what it does not know. */
export function parseRequest(argv: readonly string[]): ChaosRequest {
  let request: ChaosRequest = { forMs: 600_000, seed: 1, only: undefined, parallel: 12, writeDocs: false };
  const words = [...argv];
  for (let option = words.shift(); option !== undefined; option = words.shift()) {
    if (option === '--write-docs') {
      request = { ...request, writeDocs: true };
      continue;
    }
    const value = words.shift();
    if (value === undefined) throw new Error(`${option}: it needs a value`);
    if (option === '--for') request = { ...request, forMs: durationOf(value) };
    else if (option === '--seed') request = { ...request, seed: numberOf(option, value, 0) };
    else if (option === '--only') request = { ...request, only: value };
    else if (option === '--parallel') request = { ...request, parallel: numberOf(option, value, 1) };
    else throw new Error(`there is no option ${option}; there are --for, --seed, --only, --parallel and --write-docs`);
  }
  return request;
}
