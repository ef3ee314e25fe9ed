import { type RecordingServer, reasons } from '../crds/index.js';
import { findServer, roleHeldBy } from './roles.js';
import { chooseStandby, whyNone } from './standby-choice.js';
import type { ConditionVerdict, PoolView } from './types.js';

/** What protection depends on in the server itself. */
export type ProtectedServer = Pick<RecordingServer, 'spec'> & { readonly metadata: { readonly name: string } };

/**
 * Condition Protected (rules 7, 8 and 15): after the loss of its node a compatible healthy standby would remain on
 * another one.
 *
 * @param pool the pool named in spec.poolRef with its servers, this one among them; undefined when it is not there.
 */
export function protection(server: ProtectedServer, pool: PoolView | undefined): ConditionVerdict {
  const { poolRef } = server.spec;
  if (poolRef === undefined)
    return { status: 'False', reason: reasons.NotMonitored, message: 'spec.poolRef is not set, so no pool watches it' };
  if (pool === undefined) {
    const message = `spec.poolRef names ${poolRef.name}, and there is no such FailoverPool in this namespace`;
    return { status: 'False', reason: reasons.PoolNotFound, message };
  }
  const self = findServer(pool, server.metadata.name);
  const role = self === undefined ? undefined : roleHeldBy(pool, self);
  if (self === undefined || role === undefined)
    return { status: 'False', reason: reasons.NoRole, message: 'It holds no role; only roles are protected' };
  if (pool.spec.paused)
    return { status: 'False', reason: reasons.PoolPaused, message: `Pool ${pool.name} is paused (spec.paused)` };
  const choice = chooseStandby(pool, role, { tolerateLate: true, without: self });
  if (choice.chosen === undefined) return { status: 'False', ...whyNone(choice) };
  return { status: 'True', reason: reasons.StandbyReady, message: `${choice.chosen.name} would take over` };
}
