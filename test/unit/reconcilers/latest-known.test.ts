import { expect } from 'chai';
import { createLatestKnown } from '../../../src/reconcilers/latest-known.js';

interface Thing {
  metadata: { resourceVersion: string };
  word: string;
}
const thing = (resourceVersion: string, word: string): Thing => ({ metadata: { resourceVersion }, word });

describe('what is known latest', () => {
  function setting(first: Thing) {
    const held = new Map([['k', first]]);
    const latest = createLatestKnown<Thing>(held);
    const watch = (value: Thing | undefined): void => {
      if (value) held.set('k', value);
      else held.delete('k');
      latest.observed('k', value);
    };
    return { latest, watch };
  }

  it('is an own write until the watch has caught up with it', () => {
    const { latest, watch } = setting(thing('9', 'old'));
    latest.written('k', thing('12', 'mine'));
    expect(latest.get('k')?.word).to.equal('mine');
    watch(thing('10', 'between'));
    expect(latest.get('k')?.word).to.equal('mine');
    watch(thing('12', 'mine, seen'));
    expect(latest.get('k')?.word).to.equal('mine, seen');
  });

  it('is what the watch brought when that is newer than the answer to a write', () => {
    const { latest, watch } = setting(thing('9', 'old'));
    watch(thing('13', 'newer'));
    latest.written('k', thing('12', 'mine'));
    expect(latest.get('k')?.word).to.equal('newer');
  });

  it('is nothing once the object is gone, although an answer comes late', () => {
    const { latest, watch } = setting(thing('9', 'old'));
    latest.written('k', thing('12', 'mine'));
    watch(undefined);
    expect(latest.get('k')).to.equal(undefined);
    latest.written('k', thing('14', 'late'));
    expect(latest.get('k')).to.equal(undefined);
  });
});
