import { failoverPools, recordingServers } from '../../../src/crds/index.js';
import { isApiError } from '../../../src/operator/index.js';
import { actor, assemble, recorded, takenOver, type Workload } from './workload.js';

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
    await stage.until('the takeover of alpha runs', () => stage.poolStatus().current?.role === 'alpha');
    await actor(cast, 'beta').cutPower();
    await stage.until('beta waits', () => stage.poolStatus().queue?.some(({ role }) => role === 'beta'));
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
    await stage.until('alpha stands by', () => stage.server('alpha')?.status?.state === 'Standby');
    await stage.until('the pool counts it', () => stage.poolStatus().counts?.standby === 1);
  },
};

export const serverDeleted: Workload = {
  name: 'server-deleted',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'] }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    await stage.client.delete(recordingServers, { namespace: stage.namespace, name: 'spare' });
    await stage.until('spare is gone', () => stage.server('spare') === undefined);
    // With its pod, that is.
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
    await stage.client.delete(failoverPools, { namespace: stage.namespace, name: 'site' });
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
