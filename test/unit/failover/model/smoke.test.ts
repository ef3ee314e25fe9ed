import { describe, it } from 'mocha';
import { settled } from './rest.js';
import { powerCut, operatorDies, operatorDiesAfterCommit, cutOff, disksDie, serviceFails } from './faults.js';
import { coarseSteps } from './steps.js';
import { walk } from './walk.js';
import { passes, observed } from './time.js';
import { worldOf } from './world.js';

const start0 = settled(worldOf());
const start = observed(passes(start0, 3600000), start0);
const scenes = { A: [powerCut('a'), cutOff('b'), operatorDiesAfterCommit], B: [powerCut('a'), disksDie('s'), serviceFails('t')], C: [cutOff('a'), powerCut('s'), operatorDies] };
describe('smoke', () => {
  for (const [name, disturbances] of Object.entries(scenes))
    for (const n of [1, 2])
  it(name + n, function () {
    this.timeout(0);
      const t = process.cpuUsage();
      try {
      console.log(n, walk({ start, ordinary: coarseSteps, disturbances, mostDisturbances: n, mostStates: 8000 }));
      } catch (e) { console.log(String(e)); }
      console.log(process.cpuUsage(t).user/1e6);
  });
});
