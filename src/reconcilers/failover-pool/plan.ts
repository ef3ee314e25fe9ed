import type { FailoverPool, FailoverPoolStatus } from '../../crds/index.js';
import { decide } from '../../failover/decide.js';
import type { PoolDecision, PoolInput } from '../../failover/types.js';
import { type Condition, deepEqual, setCondition } from '../../operator/index.js';

export interface PoolPlan {
  readonly decision: PoolDecision;
  /** The whole status to commit; undefined when it is as it should be (law 8). */
  readonly status?: FailoverPoolStatus | undefined;
}

function withTimes({ decision, input, pool }: { decision: PoolDecision; input: PoolInput; pool: FailoverPool }) {
  let conditions: Condition[] = [];
  for (const [type, { status, reason, message }] of Object.entries(decision.conditions)) {
    const before = (pool.status?.conditions as Condition[] | undefined)?.filter((known) => known.type === type) ?? [];
    const next = { type, status, reason, message, observedGeneration: input.generation };
    conditions = [...conditions, ...setCondition(before, next, input.now.wall)];
  }
  return conditions.sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** Pure: the decision, and the status that it makes. */
export function planPool(pool: FailoverPool, input: PoolInput): PoolPlan {
  const decision = decide(input);
  const conditions = withTimes({ decision, input, pool });
  // As JSON: fields that are undefined are no difference, and must not be sent.
  const status = JSON.parse(
    JSON.stringify({ observedGeneration: input.generation, ...decision.record, conditions }),
  ) as FailoverPoolStatus;
  return deepEqual(status, pool.status) ? { decision } : { decision, status };
}
