import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { match } from '../../../src/failover/conditions/matching.js';

/** The most that can be served, by trying everything. */
function most(accepts: readonly (readonly number[])[], taken: ReadonlySet<number> = new Set()): number {
  const [first, ...rest] = accepts;
  if (first === undefined) return 0;
  const served = first.filter((thing) => !taken.has(thing)).map((thing) => 1 + most(rest, new Set([...taken, thing])));
  return Math.max(most(rest, taken), ...served);
}

describe('who gets what', () => {
  const cases: [string, Record<string, string[]>, Record<string, string>][] = [
    ['gives each what it likes best', { a: ['x', 'y'], b: ['y', 'x'] }, { a: 'x', b: 'y' }],
    ['lets one give way to another that has no choice', { a: ['x', 'y'], b: ['x'] }, { a: 'y', b: 'x' }],
    ['serves those who come first when there is too little', { a: ['x'], b: ['x'] }, { a: 'x' }],
    ['leaves out whom nothing fits', { a: [], b: ['x'] }, { b: 'x' }],
    ['moves a whole chain', { a: ['x', 'y'], b: ['y', 'z'], c: ['x'] }, { a: 'y', b: 'z', c: 'x' }],
  ];
  for (const [sentence, likes, expected] of cases)
    it(sentence, () =>
      expect(Object.fromEntries(match(Object.keys(likes), (name) => likes[name] ?? []))).to.deep.equal(expected),
    );

  it('goes on from an earlier answer, and takes nothing from those that were served', () => {
    const likes: Record<string, string[]> = { a: ['x', 'y'], b: ['x'], c: ['x', 'y'] };
    const found = match(['b', 'c'], (name) => likes[name] ?? [], new Map([['a', 'x']]));
    expect(Object.fromEntries(found)).to.deep.equal({ a: 'y', b: 'x' });
  });

  it('gives nothing twice, nothing that does not fit, and serves as many as can be served', () => {
    const likes = fc.array(fc.uniqueArray(fc.nat(5), { maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(likes, (accepts) => {
        const found = match([...accepts.keys()], (want) => accepts[want] ?? []);
        expect(new Set(found.values()).size).to.equal(found.size);
        for (const [want, thing] of found) expect(accepts[want]).to.include(thing);
        expect(found.size).to.equal(most(accepts));
      }),
      { numRuns: 500 },
    );
  });
});
