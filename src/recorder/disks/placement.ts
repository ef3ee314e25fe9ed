import { createHash } from 'node:crypto';
import type { VolumeState } from './verdict.js';

/** A volume as placement sees it. */
export interface Candidate {
  readonly name: string;
  readonly state: VolumeState;
}

/**
 * Chooses the volume for a camera among those that can be written, by rendezvous hashing: every camera keeps its
 * volume while that is healthy, and the loss of one volume moves its own cameras only. Undefined when none can.
 */
export function placeCamera<T extends Candidate>(camera: string, volumes: readonly T[]): T | undefined {
  let best: { volume: T; weight: string } | undefined;
  for (const volume of volumes) {
    if (volume.state !== 'Healthy') continue;
    const weight = createHash('sha1').update(`${camera}\n${volume.name}`).digest('hex');
    if (best === undefined || weight > best.weight) best = { volume, weight };
  }
  return best?.volume;
}
