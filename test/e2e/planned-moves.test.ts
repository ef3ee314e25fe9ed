import { expect } from 'chai';
import { failoverPools, labels, recordingServers } from '../../src/crds/index.js';
import { failoverDone, stateReached } from '../scenario/failover.js';
import { moveDone } from '../scenario/planned-move.js';
import { podOf } from '../scenario/recorder-pod.js';
import { HANG_MS, openScene, type Scene } from '../scenario/scene.js';
import { isTrue, reasonOf } from '../scenario/summary.js';
import { expectSeamless } from './support/seamless.js';

const STABLE_SECONDS = 3;

describe('a role that leaves its home and comes back by plan', () => {
  let scene: Scene;
  const pool = () => scene.chronicle.find('pools', scene.pool)?.status;
  const recorder = () => scene.chronicle.find('servers', 'recorder');
  const poolKey = () => ({ namespace: scene.namespace, name: scene.pool });
  const setMode = (operatingMode: string) =>
    scene.api.patch(recordingServers, { namespace: scene.namespace, name: 'recorder' }, { spec: { operatingMode } });

  before(async () => {
    scene = await openScene({
      name: 'planned',
      servers: [
        { name: 'recorder', type: 'Standard', on: 'free' },
        { name: 'standby', type: 'Failover', on: 'leader' },
      ],
      homes: ['recorder', 'recorder'],
      pool: { failback: { mode: 'Automatic', stableSeconds: STABLE_SECONDS } },
    });
  });

  after(() => scene?.close());

  it('goes home by itself when its home is repaired and stable, and no picture is missing on the way back', async () => {
    await scene.nodeOf('recorder').powerCut();
    const failover = await failoverDone(scene, 'recorder');
    expect(failover).to.include({ to: 'standby', trigger: 'Unreachable' });
    const poweredOffMs = Date.now();
    for (const camera of scene.cameras()) await scene.recorded(camera, poweredOffMs, failover.epoch);
    const sinceMs = Date.now();
    await scene.nodeOf('recorder').powerOn();
    const back = await moveDone(scene, { role: 'recorder', to: 'recorder', trigger: 'Failback' });
    const healthyTimes = scene.chronicle
      .history('servers', 'recorder')
      .filter(({ atMs }) => atMs >= sinceMs)
      .map(({ object }) => object.status?.healthyTime)
      .filter((time) => time !== undefined);
    const [healthyTime = ''] = healthyTimes.slice(-1);
    const stableMs = Date.parse(back.committedTime) - Date.parse(healthyTime);
    expect(stableMs, 'healthy for so long before it went home').to.be.at.least(STABLE_SECONDS * 1000);
    await expectSeamless(scene, back, sinceMs);
    await stateReached(scene, 'standby', 'Standby');
  });

  it('is emptied for its repair, says SafeToRepair only afterwards, and no picture is missing', async () => {
    await scene.api.patch(failoverPools, poolKey(), { spec: { failback: { mode: 'None' } } });
    const sinceMs = Date.now();
    await setMode('Maintenance');
    const move = await moveDone(scene, { role: 'recorder', to: 'standby', trigger: 'Maintenance' });
    const safe = () => isTrue(recorder(), 'SafeToRepair');
    await scene.chronicle.until('recorder says that it is safe to repair', safe, HANG_MS);
    expect(await podOf(scene, 'recorder'), 'its pod').to.equal(undefined);
    expect(recorder()?.status).to.include({ state: 'Maintenance', servingRole: '' });

    const versions = scene.chronicle.history('servers', 'recorder').filter(({ atMs }) => atMs >= sinceMs);
    const said = versions.map(({ object }) => reasonOf(object, 'SafeToRepair')).filter((reason) => reason !== '');
    expect(said[0], 'first it holds its role').to.equal('HoldsRole');
    const firstSafe = versions.find(({ object }) => isTrue(object, 'SafeToRepair'));
    const role = pool()?.roles?.find(({ name }) => name === 'recorder');
    expect(firstSafe?.atMs, 'not before the handover').to.be.at.least(Date.parse(role?.handedOverTime ?? ''));
    await expectSeamless(scene, move, sinceMs);
  });

  it('becomes a standby after its repair while failback is None', async () => {
    await setMode('Normal');
    await stateReached(scene, 'recorder', 'Standby');
    expect(pool()?.roles?.find(({ name }) => name === 'recorder')?.holder).to.equal('standby');
    expect(recorder()?.status?.servingRole ?? '').to.equal('');
    expect(reasonOf(recorder(), 'SafeToRepair')).to.equal('');
  });

  it('comes home by the request of a person, once, and no picture is missing', async () => {
    const sinceMs = Date.now();
    const request = '1 failback recorder';
    await scene.api.patch(failoverPools, poolKey(), { metadata: { annotations: { [labels.request]: request } } });
    const move = await moveDone(scene, { role: 'recorder', to: 'recorder', trigger: 'Requested' });
    expect(move.requestId).to.equal('1');
    const answered = () => pool()?.lastRequest?.outcome === 'Done' && pool()?.lastRequest;
    const answer = await scene.chronicle.until('the request is answered', answered, HANG_MS);
    expect(answer).to.include({ id: '1', command: 'failback recorder' });
    await expectSeamless(scene, move, sinceMs);
    expect((pool()?.history ?? []).map(({ trigger, outcome }) => [trigger, outcome])).to.deep.equal([
      ['Requested', 'Completed'],
      ['Maintenance', 'Completed'],
      ['Failback', 'Completed'],
      ['Unreachable', 'Completed'],
    ]);
  });
});
