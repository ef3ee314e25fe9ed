/**
 * Gives each of `wants` one of the things that it accepts, no thing twice, and serves as many as can be served
 * (Kuhn's algorithm). Who comes first is served before the others, and gets the thing it likes best unless another can
 * be served by that only.
 *
 * @param accepts the things that fit, best first.
 * @param given an earlier answer, for others, to go on from: these are served all the same, if need be by other things.
 * @returns what each gets; those that get nothing are left out.
 */
export function match<Want, Thing>(
  wants: readonly Want[],
  accepts: (want: Want) => readonly Thing[],
  given: ReadonlyMap<Want, Thing> = new Map(),
): ReadonlyMap<Want, Thing> {
  const takenBy = new Map([...given].map(([want, thing]) => [thing, want]));
  const place = (want: Want, tried: Set<Thing>): boolean => {
    for (const thing of accepts(want)) {
      if (tried.has(thing)) continue;
      tried.add(thing);
      const owner = takenBy.get(thing);
      if (owner !== undefined && !place(owner, tried)) continue;
      takenBy.set(thing, want);
      return true;
    }
    return false;
  };
  for (const want of wants) place(want, new Set());
  return new Map([...takenBy].map(([thing, want]) => [want, thing]));
}
