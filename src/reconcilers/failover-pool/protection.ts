import { type RecordingServer, reasons } from '../../crds/index.js';
import { noRole, withoutPool } from '../../failover/conditions/protection.js';
import type { ConditionVerdict } from '../../failover/types.js';
import { deepEqual } from '../../operator/index.js';
import type { Stores } from '../stores.js';

type Verdicts = ReadonlyMap<string, ConditionVerdict>;

/**
 * Condition Protected of servers as their pools' last decisions say. A decision works it out once for all of its servers;
 * each server asking for itself would judge the whole pool as often as it has servers.
 */
export interface Protection {
  /** Unknown until the pool has been decided over since this process started. */
  of(server: RecordingServer): ConditionVerdict;
  /** Keeps what a decision over a pool ('namespace/name') says, by name of the server. */
  decided(poolKey: string, verdicts: Verdicts): void;
  forget(poolKey: string): void;
}

const notYet: ConditionVerdict = {
  status: 'Unknown',
  reason: reasons.NotYetObserved,
  message: 'Its pool has not been decided over yet',
};

/** @param changed is told each server ('namespace/name') with another verdict. Must only enqueue. */
export function createProtection(stores: Pick<Stores, 'latestPools'>, changed: (key: string) => void): Protection {
  const known = new Map<string, Verdicts>();
  /** Servers that asked before their pool was decided over: they are told, even if there is nothing to say of them. */
  const early = new Map<string, Set<string>>();
  return {
    of({ metadata, spec }) {
      const key = `${metadata.namespace}/${spec.poolRef?.name ?? ''}`;
      const unwatched = withoutPool({ metadata, spec }, stores.latestPools.get(key) !== undefined);
      if (unwatched !== undefined) return unwatched;
      const verdicts = known.get(key);
      if (verdicts !== undefined) return verdicts.get(metadata.name) ?? noRole;
      early.set(key, (early.get(key) ?? new Set()).add(metadata.name));
      return notYet;
    },
    decided(poolKey, verdicts) {
      const before: Verdicts = known.get(poolKey) ?? new Map();
      known.set(poolKey, verdicts);
      const namespace = poolKey.slice(0, poolKey.indexOf('/'));
      const waiting = early.get(poolKey) ?? new Set<string>();
      early.delete(poolKey);
      for (const name of new Set([...before.keys(), ...verdicts.keys(), ...waiting]))
        if (waiting.has(name) || !deepEqual(before.get(name), verdicts.get(name))) changed(`${namespace}/${name}`);
    },
    forget(poolKey) {
      known.delete(poolKey);
      early.delete(poolKey);
    },
  };
}
