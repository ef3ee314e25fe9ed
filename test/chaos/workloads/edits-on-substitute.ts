// Specs that are edited while a substitute records a broken server's role: nothing that records may stop.
import { cameraAssignments, childNames, failoverPools, recordingServers } from '../../../src/crds/index.js';
import { isApiError, resources } from '../../../src/operator/index.js';
import type { Stage } from '../world/stage.js';
import { moveCamera } from './edits.js';
import { collected } from './failovers.js';
import { actor, assemble, type Cast, isTrue, recorded, standsBy, takenOver, type Workload } from './workload.js';

async function onSubstitute(stage: Stage, cast: Cast): Promise<void> {
  await actor(cast, 'alpha').cutPower();
  await takenOver(stage, 'alpha', 'spare');
}

export const cameraRehomed: Workload = {
  name: 'camera-rehomed',
  setup: (stage) =>
    assemble(stage, {
      homes: ['alpha', 'beta'],
      standbys: ['spare'],
      cameras: { c1: 'alpha', c2: 'alpha', c3: 'beta' },
    }),
  async act(stage, cast) {
    await onSubstitute(stage, cast);
    await moveCamera(stage, 'c1', 'beta');
    await recorded(stage, 'c1', 'beta');
    for (const [camera, server] of Object.entries({ c2: 'spare', c3: 'beta' })) await recorded(stage, camera, server);
    // A substitute goes on for some seconds, in case it is being adopted: the end state is the one after them.
    await stage.until('spare has let c1 go', () => stage.server('spare')?.status?.cameras?.recording === 1);
  },
};

export const optedOutOnSubstitute: Workload = {
  name: 'opted-out-on-substitute',
  setup: (stage) =>
    assemble(stage, { homes: ['alpha'], standbys: ['spare'], servers: { alpha: { failoverTimeoutSeconds: 3 } } }),
  async act(stage, cast) {
    await onSubstitute(stage, cast);
    await stage.edit(recordingServers, 'alpha', { poolRef: null });
    // It comes back to a role that nobody has taken from the substitute, and needs its time to connect.
    const repaired = stage.recorder('alpha', { withholdsProof: true });
    await stage.until('alpha has read its role', () => repaired.role === 'alpha');
    await stage.until('alpha is heard', () => isTrue(stage, 'alpha', 'Reachable'));
    repaired.prove();
    await recorded(stage, 'alpha-door', 'alpha');
    await standsBy(stage, 'spare', 1);
  },
};

/** The broken home is deleted, and all that was its own has gone; the name of its role is the substitute's to keep. */
async function retired(stage: Stage): Promise<void> {
  await stage.remove(recordingServers, 'alpha');
  await collected(stage, 'alpha');
  await stage.until('the pool knows that the home is gone', () => {
    const role = stage.poolStatus().roles?.find(({ name }) => name === 'alpha');
    return role?.holder === 'spare' && role.homeUID === undefined;
  });
  await stage.eventually('the name belongs to spare', async () => {
    const { metadata } = await stage.client.get(resources.services, { namespace: stage.namespace, name: 'alpha' });
    const owners = metadata.ownerReferences ?? [];
    return owners.every(({ name, controller }) => name === 'spare' && controller === true) ? true : undefined;
  });
}

export const homeDeleted: Workload = {
  name: 'home-deleted',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await onSubstitute(stage, cast);
    await retired(stage);
    await recorded(stage, 'alpha-door', 'spare');
  },
};

export const substituteAdopted: Workload = {
  name: 'substitute-adopted',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await onSubstitute(stage, cast);
    await retired(stage);
    await stage.edit(recordingServers, 'spare', { type: 'Standard' });
    await stage.edit(cameraAssignments, 'alpha-door', { serverRef: { name: 'spare' } });
    await stage.until('spare serves its own role', () => stage.serves('spare', 'spare'));
    await recorded(stage, 'alpha-door', 'spare');
    await stage.until('the old name has ended', () => {
      return stage.poolStatus().roles?.every(({ name }) => name !== 'alpha');
    });
  },
};

/** Garbage collection takes what belonged to the pool, in its own time. */
async function poolGone(stage: Stage, pool: string): Promise<void> {
  const key = { namespace: stage.namespace, name: childNames.poolAccess(pool) };
  for (const type of [resources.roles, resources.roleBindings])
    await stage.eventually(`the ${type.plural} of ${pool} are collected`, () =>
      stage.client.get(type, key).then(
        () => undefined,
        (error: unknown) => (isApiError(error, 'notFound') ? true : Promise.reject(error)),
      ),
    );
}

/** To rename a pool is to make another, have the servers name it, and delete the first. */
export const poolRenamed: Workload = {
  name: 'pool-renamed',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await onSubstitute(stage, cast);
    await stage.makePool({}, 'other');
    // Before it has decided once it would start above the epochs that it finds, or not, as chance would have it.
    await stage.until('the new pool works', () => stage.poolStatus('other').epoch);
    // The broken home first: it is given its own name there, and the substitute must go on all the same.
    await stage.edit(recordingServers, 'alpha', { poolRef: { name: 'other' } });
    await stage.until('alpha has its name back', () => stage.server('alpha')?.status?.servingRole === 'alpha');
    await stage.until('the new pool knows of it', () => stage.poolStatus('other').queue?.length === 1);
    await stage.edit(recordingServers, 'spare', { poolRef: { name: 'other' } });
    await stage.remove(failoverPools, 'site');
    await poolGone(stage, 'site');
    await takenOver(stage, 'alpha', 'spare', 'other');
    stage.recorder('alpha');
    await standsBy(stage, 'alpha', 1, 'other');
    await recorded(stage, 'alpha-door', 'spare');
  },
};
