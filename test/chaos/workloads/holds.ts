import { failoverPools } from '../../../src/crds/index.js';
import type { Stage } from '../world/stage.js';
import { actor, assemble, type Cast, queued, recorded, standsBy, takenOver, type Workload } from './workload.js';

/** Two of three fall silent at once, one of them a standby, so that who is served first is no matter of chance. */
function twoOfThree(stage: Stage, holdSeconds: number): Promise<Cast> {
  const storm = { maxUnreachablePercent: 50, holdSeconds };
  return assemble(stage, { homes: ['alpha'], standbys: ['spare', 'spare-2'], poolSpec: { storm } });
}

async function breakOut(stage: Stage, cast: Cast): Promise<void> {
  await Promise.all(['alpha', 'spare-2'].map((name) => actor(cast, name).cutPower()));
  await stage.until('failovers are held', () => stage.poolStatus().hold?.startTime);
  await stage.until('spare-2 is known to be broken', () => stage.server('spare-2')?.status?.state === 'Broken');
}

export const stormElapses: Workload = {
  name: 'storm-elapses',
  setup: (stage) => twoOfThree(stage, 4),
  async act(stage, cast) {
    await breakOut(stage, cast);
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
  },
};

export const stormRecovers: Workload = {
  name: 'storm-recovers',
  setup: (stage) => twoOfThree(stage, 600),
  async act(stage, cast) {
    await breakOut(stage, cast);
    stage.recorder('spare-2');
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
    await standsBy(stage, 'spare-2', 1);
  },
};

export const poolPaused: Workload = {
  name: 'pool-paused',
  setup: (stage) => assemble(stage, { homes: ['alpha'], standbys: ['spare'] }),
  async act(stage, cast) {
    await stage.edit(failoverPools, 'site', { paused: true });
    await actor(cast, 'alpha').cutPower();
    await queued(stage, 'alpha', 'Paused');
    await stage.edit(failoverPools, 'site', { paused: false });
    await takenOver(stage, 'alpha', 'spare');
    await recorded(stage, 'alpha-door', 'spare');
  },
};

export const twoPools: Workload = {
  name: 'two-pools',
  async setup(stage) {
    const casts = await Promise.all([
      assemble(stage, { pool: 'north', homes: ['alpha'], standbys: ['spare'] }),
      assemble(stage, { pool: 'south', homes: ['beta'], standbys: ['spare-2'] }),
    ]);
    return Object.assign({}, ...casts);
  },
  async act(stage, cast) {
    await Promise.all(['alpha', 'beta'].map((name) => actor(cast, name).cutPower()));
    await takenOver(stage, 'alpha', 'spare', 'north');
    await takenOver(stage, 'beta', 'spare-2', 'south');
    await recorded(stage, 'alpha-door', 'spare');
    await recorded(stage, 'beta-door', 'spare-2');
  },
};
