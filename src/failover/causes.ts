import { type Cause, type MoveCause, moveCauses } from '../crds/index.js';

/** True for the cause of a planned move: nothing is broken, and the previous holder records until the proof. */
export function isMoveCause(cause: Cause): cause is MoveCause {
  return (moveCauses as readonly Cause[]).includes(cause);
}
