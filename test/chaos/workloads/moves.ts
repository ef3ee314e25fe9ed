import { recordingServers } from '../../../src/crds/index.js';
import type { Stage } from '../world/stage.js';
import { actor, assemble, isTrue, recorded, standsBy, takenOver, type Workload } from './workload.js';

/** The role goes home by itself, and soon. */
const automatic = { failback: { mode: 'Automatic', stableSeconds: 1 } };

/** At home again, its camera recorded there, and the substitute free. */
async function backHome(stage: Stage): Promise<void> {
  await takenOver(stage, 'alpha', 'alpha');
  await recorded(stage, 'alpha-door', 'alpha');
  await standsBy(stage, 'spare', 1);
}

export const homeMaintained: Workload = {
  name: 'home-maintained',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'], poolSpec: automatic }),
  async act(stage) {
    await stage.edit(recordingServers, 'alpha', { operatingMode: 'Maintenance' });
    await takenOver(stage, 'alpha', 'spare');
    await stage.until('alpha may be repaired', () => isTrue(stage, 'alpha', 'SafeToRepair'));
    await stage.edit(recordingServers, 'alpha', { operatingMode: 'Normal' });
    await backHome(stage);
  },
};

export const failback: Workload = {
  name: 'failback',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'], poolSpec: automatic }),
  async act(stage, cast) {
    await actor(cast, 'alpha').cutPower();
    await takenOver(stage, 'alpha', 'spare');
    stage.recorder('alpha');
    await backHome(stage);
  },
};

export const cordoned: Workload = {
  name: 'cordoned',
  alsoWatches: ['nodes'],
  async setup(stage) {
    const cast = await assemble(stage, { homes: ['alpha'], standbys: ['spare'], poolSpec: automatic });
    await stage.placeOnNode('alpha');
    await stage.until('the node of alpha is known', () => stage.server('alpha')?.status?.nodeName);
    return cast;
  },
  async act(stage) {
    await stage.cordon('alpha', true);
    await takenOver(stage, 'alpha', 'spare');
    await stage.cordon('alpha', false);
    await backHome(stage);
  },
};

export const requestedMove: Workload = {
  name: 'requested-move',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'] }),
  async act(stage) {
    const done = (id: string) =>
      stage.until(`request ${id} is done`, () => {
        const { lastRequest } = stage.poolStatus();
        return lastRequest?.id === id && lastRequest.outcome === 'Done';
      });
    await stage.ask('1 switchover alpha to spare-2');
    await takenOver(stage, 'alpha', 'spare-2');
    await done('1');
    await stage.ask('2 failback alpha');
    await takenOver(stage, 'alpha', 'alpha');
    await done('2');
    await recorded(stage, 'alpha-door', 'alpha');
    await standsBy(stage, 'spare-2', 2);
  },
};

/** Another template for a server; resolves when its pod is made from it and ready. */
async function renew(stage: Stage, server: string): Promise<void> {
  const before = stage.server(server)?.status?.podUID;
  await stage.edit(recordingServers, server, { podTemplate: { annotations: { release: 'second' } } });
  await stage.until(`the pod of ${server} is a new one`, () => {
    const uid = stage.server(server)?.status?.podUID;
    return uid !== undefined && uid !== before && isTrue(stage, server, 'UpToDate') && isTrue(stage, server, 'Ready');
  });
}

export const templateUpdated: Workload = {
  name: 'template-updated',
  setup: (stage) => {
    const names = ['alpha', 'spare', 'spare-2'];
    const servers = Object.fromEntries(names.map((name) => [name, { updateStrategy: 'Switchover' }]));
    return assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'], servers });
  },
  async act(stage) {
    // One after the other: to which of two the role goes must not be chance.
    for (const name of ['spare', 'spare-2', 'alpha']) await renew(stage, name);
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
    await standsBy(stage, 'alpha', 2);
  },
};
