import { cameraAssignments, recordingServers } from '../../../src/crds/index.js';
import { assemble, recorded, type Workload } from './workload.js';

export const cameraMoved: Workload = {
  name: 'camera-moved',
  setup: (stage) =>
    assemble(stage, { homes: ['alpha', 'beta'], standbys: [], cameras: { c1: 'alpha', c2: 'alpha', c3: 'beta' } }),
  async act(stage) {
    const key = { namespace: stage.namespace, name: 'c1' };
    await stage.client.patch(cameraAssignments, key, { spec: { serverRef: { name: 'beta' } } });
    await recorded(stage, 'c1', 'beta');
    await recorded(stage, 'c2', 'alpha');
  },
};

export const standbyMaintained: Workload = {
  name: 'standby-maintained',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage) {
    const key = { namespace: stage.namespace, name: 'spare' };
    const before = stage.server('spare')?.status?.podUID;
    const setMode = (operatingMode: string) => stage.client.patch(recordingServers, key, { spec: { operatingMode } });
    await setMode('Maintenance');
    await stage.until('the pod of spare has gone', () => !stage.server('spare')?.status?.podUID);
    await setMode('Normal');
    await stage.until('spare stands by with another pod', () => {
      const status = stage.server('spare')?.status;
      return status?.podUID !== before && status?.state === 'Standby' && stage.serves('spare', '');
    });
    await stage.until('the pool counts it', () => stage.poolStatus().counts?.standby === 1);
  },
};
