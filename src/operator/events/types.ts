import type { ObjectRef } from '../objects.js';

/** One thing that happened, for people. Repeats of regarding + type + reason + action are counted, not created anew. */
export interface EventInput {
  regarding: ObjectRef;
  related?: ObjectRef;
  type: 'Normal' | 'Warning';
  /** CamelCase, from a published enumeration, at most 128 characters. */
  reason: string;
  /** CamelCase: what was done or not done, at most 128 characters. */
  action: string;
  /** At most 1,024 bytes; longer ones are cut. Of a series the first note stays: the API server allows no change. */
  note: string;
}

/** Fire and forget: never throws, never blocks, limited in rate. */
export interface EventRecorder {
  event(event: EventInput): void;
}
