import { describe, it } from 'mocha';
import { settled } from './rest.js';
import { powerCut, operatorDies, operatorDiesAfterCommit, cutOff, disksDie } from './faults.js';
import { walk } from './walk.js';
import { worldOf } from './world.js';

describe('smoke', () => {
  it('walks', function () {
    this.timeout(0);
    const start = settled(worldOf());
    if (!start) throw new Error();
    for (const [n, depth] of [[1, 8], [1, 12], [2, 8], [2, 10]] as const) {
      const t = performance.now();
      try {
      console.log(n, depth, walk({ start, disturbances: [powerCut('a'), cutOff('b'), disksDie('s'), operatorDiesAfterCommit], mostDisturbances: n, depth, mostStates: 1e6 }), performance.now() - t);
      } catch (e) { console.log(String(e)); }
    }
  });
});
