import { randomFrom, shuffled } from '../run/random.js';
import type { NodeCase } from './case.js';
import { type CaseKind, fits, isExclusive, kindsOf, type Layout } from './draw.js';

/** What is done at once: a case of its own in each system side by side, then one that concerns all of them. */
export interface Round {
  readonly sideBySide: readonly NodeCase[];
  readonly together: readonly NodeCase[];
}

/** Numbers of the cases of one seed; a run has far fewer. */
const NUMBERS_OF_A_SEED = 100_000;
/** Names hold nine digits. */
const SEEDS = 1_000;

/** Kinds of cases by chance, each once before any comes again. */
class Bag {
  readonly #all: readonly CaseKind[];
  readonly #random: () => number;
  #left: CaseKind[] = [];

  constructor(all: readonly CaseKind[], random: () => number) {
    this.#all = all;
    this.#random = random;
  }

  /** Takes the first that will do; from a new filling when none is left that would. Undefined when none ever will. */
  take(willDo: (kind: CaseKind) => boolean): CaseKind | undefined {
    if (!this.#all.some(willDo)) return undefined;
    if (!this.#left.some(willDo)) this.#left.push(...shuffled(this.#all, this.#random));
    const [taken] = this.#left.splice(this.#left.findIndex(willDo), 1);
    return taken;
  }
}

/**
 * The rounds of a seed, without end; only kinds of cases whose name begins with `only`. The same seed and layouts give
 * the same cases in the same order.
 */
export function* roundsOf(seed: number, layouts: readonly Layout[], only?: string): Generator<Round> {
  const kinds = kindsOf(only);
  const random = randomFrom(seed);
  const own = new Bag(
    kinds.filter((kind) => !isExclusive(kind)),
    random,
  );
  const shared = new Bag(kinds.filter(isExclusive), random);
  let number = (seed % SEEDS) * NUMBERS_OF_A_SEED;
  /** The next number that is of this system, and of no case before. */
  const numberFor = (system: number): number => {
    do number += 1;
    while (number % layouts.length !== system);
    return number;
  };
  const caseFor = (bag: Bag, system: number): NodeCase[] => {
    const layout = layouts[system];
    const kind = layout && bag.take((each) => fits(each, layout));
    return kind === undefined ? [] : [{ ...kind, number: numberFor(system) }];
  };
  for (let count = 0; ; count += 1) {
    const sideBySide = layouts.flatMap((_, system) => caseFor(own, system));
    let together: readonly NodeCase[] = [];
    for (const system of ownersFrom(count, layouts.length))
      if (together.length === 0) together = caseFor(shared, system);
    if (sideBySide.length + together.length === 0) return;
    yield { sideBySide, together };
  }
}

/** Each system once, another one first each time: where no kind fits the first, the next one has its turn. */
function ownersFrom(count: number, systems: number): number[] {
  return Array.from({ length: systems }, (_, index) => (count + index) % systems);
}
