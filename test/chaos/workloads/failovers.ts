import { failoverPools, labels, recorderReports, recordingServers } from '../../../src/crds/index.js';
import { isApiError, resources } from '../../../src/operator/index.js';
import type { Stage } from '../world/stage.js';
import { actor, assemble, queued, recorded, standsBy, takenOver, takeoverRuns, type Workload } from './workload.js';

export const firstFailover: Workload = {
  name: 'first-failover',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'], cameras: { c1: 'alpha', c2: 'alpha' } }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    for (const camera of ['c1', 'c2']) await recorded(stage, camera, 'spare');
  },
};

export const queueOfTwo: Workload = {
  name: 'queue-of-two',
  setup: (stage) =>
    assemble(stage, {
      homes: ['alpha', 'beta'],
      standbys: ['spare', 'spare-2'],
      recorders: { spare: { withholdsProof: true } },
    }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takeoverRuns(stage, 'alpha');
    await actor(cast, 'beta').cutPower();
    await queued(stage, 'beta');
    actor(cast, 'spare').prove();
    await takenOver(stage, 'alpha', 'spare');
    await takenOver(stage, 'beta', 'spare-2');
    await recorded(stage, 'alpha-door', 'spare');
    await recorded(stage, 'beta-door', 'spare-2');
  },
};

export const standbyDies: Workload = {
  name: 'standby-dies',
  setup: (stage) =>
    assemble(stage, {
      homes: ['alpha'],
      standbys: ['spare', 'spare-2'],
      recorders: { spare: { diesWith: 'alpha' } },
    }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare-2');
    await recorded(stage, 'alpha-door', 'spare-2');
    await stage.until('spare is known to be broken', () => stage.server('spare')?.status?.state === 'Broken');
  },
};

export const repair: Workload = {
  name: 'repair',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    stage.recorder('alpha');
    await standsBy(stage, 'alpha', 1);
  },
};

/** Garbage collection comes in its own time, and takes the pod with it: the end state is the one after it. */
export async function collected(stage: Stage, server: string): Promise<void> {
  const labelSelector = `${labels.server}=${server}`;
  const owned = [resources.pods, resources.leases, resources.serviceAccounts, resources.podDisruptionBudgets];
  for (const type of [...owned, resources.roles, resources.roleBindings, recorderReports])
    await stage.eventually(`the ${type.plural} of ${server} are collected`, async () => {
      const { items } = await stage.client.list(type, { namespace: stage.namespace, labelSelector });
      return items.length === 0 ? true : undefined;
    });
}

export const serverDeleted: Workload = {
  name: 'server-deleted',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'] }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    // Who deletes the holder ends what it records, until the next one has taken over.
    stage.mayStop.add('alpha-door');
    await stage.remove(recordingServers, 'spare');
    await stage.until('spare is gone', () => stage.server('spare') === undefined);
    await collected(stage, 'spare');
    await actor(cast, 'spare').cutPower();
    await takenOver(stage, 'alpha', 'spare-2');
    await recorded(stage, 'alpha-door', 'spare-2');
  },
};

export const poolReapplied: Workload = {
  name: 'pool-reapplied',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    const before = stage.pool()?.metadata.uid;
    await stage.remove(failoverPools, 'site');
    await stage.eventually('the pool is applied again', () =>
      stage
        .makePool()
        .catch((error: unknown) => (isApiError(error, 'alreadyExists') ? undefined : Promise.reject(error))),
    );
    await stage.until('the pool has adopted its holder', () => {
      const role = stage.poolStatus().roles?.find(({ name }) => name === 'alpha');
      return stage.pool()?.metadata.uid !== before && role?.holder === 'spare' && stage.serves('spare', 'alpha');
    });
    await recorded(stage, 'alpha-door', 'spare');
  },
};
