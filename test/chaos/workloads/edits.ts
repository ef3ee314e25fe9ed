import { cameraAssignments, recordingServers } from '../../../src/crds/index.js';
import type { Stage } from '../world/stage.js';
import { assemble, recorded, standsBy, type Workload } from './workload.js';

/** Whoever records it now stops, and another begins: that is what the change asks for. */
export async function moveCamera(stage: Stage, camera: string, home: string): Promise<void> {
  stage.mayStop.add(camera);
  await stage.edit(cameraAssignments, camera, { serverRef: { name: home } });
}

export const cameraMoved: Workload = {
  name: 'camera-moved',
  setup: (stage) =>
    assemble(stage, { homes: ['alpha', 'beta'], standbys: [], cameras: { c1: 'alpha', c2: 'alpha', c3: 'beta' } }),
  async act(stage) {
    await moveCamera(stage, 'c1', 'beta');
    await recorded(stage, 'c1', 'beta');
    await recorded(stage, 'c2', 'alpha');
  },
};

export const standbyMaintained: Workload = {
  name: 'standby-maintained',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage) {
    const before = stage.server('spare')?.status?.podUID;
    await stage.edit(recordingServers, 'spare', { operatingMode: 'Maintenance' });
    await stage.until('the pod of spare has gone', () => !stage.server('spare')?.status?.podUID);
    await stage.edit(recordingServers, 'spare', { operatingMode: 'Normal' });
    await stage.until('spare has another pod', () => {
      const uid = stage.server('spare')?.status?.podUID;
      return uid !== undefined && uid !== before;
    });
    await standsBy(stage, 'spare', 1);
  },
};
