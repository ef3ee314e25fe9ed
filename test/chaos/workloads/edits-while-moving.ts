// Specs that are edited while a takeover runs or a broken server waits for its turn.
import { failoverPools, recordingServers } from '../../../src/crds/index.js';
import { collected } from './failovers.js';
import { actor, assemble, conditionOf, queued, recorded, takenOver, takeoverRuns, type Workload } from './workload.js';

/** The takeover by spare lasts until it is told to prove its recording. */
const unproved = { spare: { withholdsProof: true } };

export const cameraAdded: Workload = {
  name: 'camera-added',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'], recorders: unproved }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takeoverRuns(stage, 'alpha');
    await stage.makeCamera('late-door', 'alpha');
    actor(cast, 'spare').prove();
    await takenOver(stage, 'alpha', 'spare');
    for (const camera of ['alpha-door', 'late-door']) await recorded(stage, camera, 'spare');
  },
};

export const timeoutChanged: Workload = {
  name: 'timeout-changed',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'], recorders: unproved }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takeoverRuns(stage, 'alpha');
    await stage.edit(failoverPools, 'site', { failoverTimeoutSeconds: 5 });
    actor(cast, 'spare').prove();
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
    await stage.until('alpha is broken by the new timeout, too', () => {
      return conditionOf(stage, 'alpha', 'Reachable')?.reason === 'Unreachable';
    });
  },
};

export const standbyAdded: Workload = {
  name: 'standby-added',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: [] }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await queued(stage, 'alpha', 'NoStandby');
    await stage.makeServer('spare', { type: 'Failover' });
    stage.recorder('spare');
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
  },
};

export const standbyRemoved: Workload = {
  name: 'standby-removed',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'], recorders: unproved }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takeoverRuns(stage, 'alpha');
    await stage.until('spare has read its role', () => stage.poolStatus().current?.acknowledgedTime);
    await stage.remove(recordingServers, 'spare');
    await stage.until('spare is gone', () => stage.server('spare') === undefined);
    await collected(stage, 'spare');
    await takenOver(stage, 'alpha', 'spare-2');
    await recorded(stage, 'alpha-door', 'spare-2');
  },
};

export const optedOutWhileQueued: Workload = {
  name: 'opted-out-while-queued',
  setup: (stage) =>
    assemble(stage, {
      homes: ['alpha', 'beta'],
      standbys: ['spare', 'spare-2'],
      recorders: unproved,
      // Without a pool it is judged by its own timeout.
      servers: { beta: { failoverTimeoutSeconds: 3 } },
    }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takeoverRuns(stage, 'alpha');
    await actor(cast, 'beta').cutPower();
    await queued(stage, 'beta');
    await stage.edit(recordingServers, 'beta', { poolRef: null });
    await stage.until('beta waits no more', () => (stage.poolStatus().queue ?? []).length === 0);
    actor(cast, 'spare').prove();
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
    // Shown ten seconds after the fault: the end state is the one after it.
    await stage.until('its camera says that nobody records it', () => {
      const conditions = stage.observatory.camera(stage.namespace, 'beta-door')?.status?.conditions;
      return conditions?.some(({ type, reason }) => type === 'Recording' && reason === 'HolderBroken');
    });
  },
};
