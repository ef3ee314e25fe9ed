import { settled } from './rest.js';
import { observed, passes } from './time.js';
import { type Cast, type World, worldOf } from './world.js';

const AN_HOUR_MS = 3_600_000;

/** The cast at work, for so long that no clock runs any more. */
export function worldAtRest(cast?: Cast): World {
  const working = settled(worldOf(cast));
  return settled(observed(passes(working, AN_HOUR_MS), working));
}
