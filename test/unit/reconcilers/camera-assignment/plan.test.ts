import { expect } from 'chai';
import type {
  CameraAssignmentStatus,
  FailoverPoolStatus,
  RecorderReportStatus,
  ReportedCamera,
} from '../../../../src/crds/index.js';
import type { ServerHealth } from '../../../../src/failover/types.js';
import type { KubeObject } from '../../../../src/operator/index.js';
import { silentLog } from '../../../../src/operator/index.js';
import { createCameraReconciler } from '../../../../src/reconcilers/camera-assignment/reconciler.js';
import { changedCameras } from '../../../../src/reconcilers/camera-assignment/triggers.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { memoryStores } from '../support/memory-stores.js';
import { healthOf } from '../support/scene.js';

const startTime = '2026-01-02T03:00:00Z';
const sinceTime = '2026-01-02T03:01:00Z';

function cameraObject(name: string, spec: Record<string, unknown> = {}, status?: CameraAssignmentStatus): KubeObject {
  const source = { type: 'IP', url: `rtsp://camera.example/${name}` };
  const whole = { serverRef: { name: 'a' }, source, priority: 'Normal', ...spec };
  const metadata = { name, namespace: 'ns', uid: `uid-${name}`, generation: 1, resourceVersion: '1' };
  return { metadata, spec: whole, ...(status ? { status } : {}) } as KubeObject;
}

/** One home `a`, one standby `s`, one camera `gate`; `pass` reconciles it and returns its status. */
function setting(poolStatus: Partial<FailoverPoolStatus> = { epoch: 1 }) {
  const stores = memoryStores();
  let health: ServerHealth = healthOf('Healthy');
  stores.pools.put(failoverPool().status(poolStatus).build());
  stores.servers.put(
    recordingServer('a').status({ podUID: 'pod-a', podName: 'a', servingRole: 'a', epoch: 1 }).build(),
  );
  stores.servers.put(recordingServer('s').standby().status({ podUID: 'pod-s', podName: 's', servingRole: '' }).build());
  stores.cameras.put(new CameraView(cameraObject('gate')));
  const notes: string[] = [];
  let writes = 0;
  const reconcile = createCameraReconciler({
    client: {
      // A fake of the API server's merge: what these tests look at is the status that is asked for.
      patchStatus: async (_type, { name }, patch) => {
        writes += 1;
        const before = stores.cameras.get(`ns/${name}`);
        const merged = merge(before?.status ?? {}, (patch as { status: object }).status) as CameraAssignmentStatus;
        const raw = cameraObject(name, before?.spec as never, merged);
        stores.cameras.put(new CameraView(raw));
        return raw as never;
      },
    },
    stores,
    healthOf: () => health,
    events: { event: ({ reason }) => void notes.push(reason) },
    clock: new FakeClock(),
  });
  return {
    stores,
    notes,
    get writes() {
      return writes;
    },
    judge: (next: ServerHealth) => {
      health = next;
    },
    camera: (spec: Record<string, unknown>, name = 'gate') =>
      stores.cameras.put(new CameraView(cameraObject(name, spec))),
    report: (server: string, word: Partial<RecorderReportStatus>, camera?: Partial<ReportedCamera>) => {
      const cameras = camera ? [{ name: 'gate', state: 'Recording' as const, sinceTime, ...camera }] : [];
      stores.reports.put({ metadata: { name: server, namespace: 'ns' }, status: { ...word, cameras } });
    },
    pass: async (name = 'gate') => {
      const result = await reconcile(`ns/${name}`, { signal: new AbortController().signal, log: silentLog });
      const status = stores.cameras.get(`ns/${name}`)?.status ?? {};
      const of = (type: string) => status.conditions?.find((condition) => condition.type === type);
      return { status, of, recording: of('Recording'), bound: of('Bound'), requeueAfterMs: result?.requeueAfterMs };
    },
  };
}

function merge(target: object, patch: object): object {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (typeof value === 'object' && !Array.isArray(value))
      result[key] = merge((before as object | undefined) ?? {}, value);
    else result[key] = value;
  }
  return result;
}

const atHome = { role: 'a', epoch: 1, podUID: 'pod-a' };
const moved: Partial<FailoverPoolStatus> = {
  epoch: 7,
  roles: [{ name: 'a', holder: 's', holderUID: 'uid-s', previousHolder: 'a', epoch: 7, startTime }],
};

describe('a camera', () => {
  it('is recorded only by the word of the pod, role and epoch that count', async () => {
    const at = setting();
    for (const wrong of [{ podUID: 'pod-old' }, { epoch: 2 }, { role: 'b' }]) {
      at.report('a', { ...atHome, ...wrong }, {});
      expect((await at.pass()).recording).to.include({ status: 'False', reason: 'Connecting' });
    }
    at.report('a', atHome, { startTime: sinceTime });
    const { recording, status } = await at.pass();
    expect(recording).to.include({ status: 'True', reason: 'Recording' });
    expect(status.recording).to.deep.equal({ startTime: sinceTime });
    expect(status.boundTo).to.include({ role: 'a', server: 'a', podName: 'a', epoch: 1 });
  });

  it('is not written when nothing has changed', async () => {
    const at = setting();
    at.report('a', atHome, {});
    await at.pass();
    await at.pass();
    expect(at.writes).to.equal(1);
  });

  it('does not flicker while a dead camera is tried again and again', async () => {
    const at = setting();
    at.report('a', atHome, { state: 'Failed', error: 'no route to host' });
    expect((await at.pass()).recording).to.include({ reason: 'CameraFailed', message: 'no route to host' });
    at.report('a', atHome, { state: 'Connecting' });
    expect((await at.pass()).recording).to.include({ reason: 'CameraFailed', message: 'no route to host' });
    expect(at.writes).to.equal(1);
  });

  it('says when it has no session left, and does not flicker while it is tried again', async () => {
    const at = setting();
    at.report('a', atHome, { state: 'Failed', error: 'the camera has no free session', failure: 'SessionLimit' });
    expect((await at.pass()).recording).to.include({ status: 'False', reason: 'CameraSessionLimit' });
    const { writes } = at;
    at.report('a', atHome, { state: 'Connecting' });
    expect((await at.pass()).recording).to.include({ status: 'False', reason: 'CameraSessionLimit' });
    expect(at.writes).to.equal(writes);
  });

  it('has no start time while it is not recorded, but the time of its last bytes', async () => {
    const at = setting();
    at.report('a', atHome, {});
    await at.pass();
    at.report('a', atHome, { state: 'Failed', error: 'gone', lastFrameTime: startTime });
    expect((await at.pass()).status.recording).to.deep.equal({ lastSegmentTime: startTime, lastServer: 'a' });
  });

  it('follows the commit at once, and says that it is being taken over', async () => {
    const at = setting(moved);
    at.report('a', atHome, {});
    const { status, recording, of } = await at.pass();
    expect(status.boundTo).to.deep.equal({ role: 'a', server: 's', podName: 's', epoch: 7, startTime });
    expect(recording).to.include({ status: 'False', reason: 'TakingOver' });
    expect(of('Reconciling')?.status).to.equal('True');
    at.report('s', { role: 'a', epoch: 7, podUID: 'pod-s' }, {});
    const taken = await at.pass();
    expect(taken.recording?.status).to.equal('True');
    expect(taken.of('Ready')?.status).to.equal('True');
    expect(taken.of('OnSubstitute')).to.include({ status: 'True', reason: 'OnSubstitute' });
  });

  it('is not being taken over when its home got its role back, and nobody else has it', async () => {
    const at = setting({ epoch: 7, roles: [{ name: 'a', holder: 'a', holderUID: 'uid-a', epoch: 7, startTime }] });
    expect((await at.pass()).recording).to.include({ status: 'False', reason: 'Connecting' });
  });

  it('stays behind when it is analogue, and says so once', async () => {
    const at = setting(moved);
    at.camera({ source: { type: 'Analog' } });
    const { status, bound } = await at.pass();
    await at.pass();
    expect(bound).to.include({ status: 'False', reason: 'AnalogNotTransferable' });
    expect(status.boundTo).to.equal(undefined);
    expect(at.notes).to.deep.equal(['AnalogNotTransferable']);
  });

  it('stays behind when the substitute is full of cameras that matter more', async () => {
    const at = setting(moved);
    at.stores.servers.put(recordingServer('s').standby().capacity(1).status({ podUID: 'pod-s' }).build());
    at.camera({ priority: 'High' }, 'vault');
    expect((await at.pass('gate')).bound).to.include({ reason: 'CapacityExceeded' });
    expect((await at.pass('vault')).bound).to.include({ reason: 'Bound' });
  });

  it('is not bound to a namesake of the server that was given the role', async () => {
    const at = setting(moved);
    const s = recordingServer('s').standby().status({ podUID: 'pod-s' }).build();
    at.stores.servers.put({ ...s, metadata: { ...s.metadata, uid: 'uid-other' } });
    expect((await at.pass()).bound).to.include({ status: 'False', reason: 'HolderNotRunning' });
  });

  it('stays with its holder while its pool is gone or has decided nothing yet', async () => {
    for (const forget of ['gone', 'new'] as const) {
      const at = setting(moved);
      at.stores.servers.put(
        recordingServer('s').standby().status({ podUID: 'pod-s', servingRole: 'a', epoch: 7 }).build(),
      );
      at.stores.servers.put(recordingServer('a').status({ podUID: 'pod-a', servingRole: '', epoch: 7 }).build());
      at.report('s', { role: 'a', epoch: 7, podUID: 'pod-s' }, {});
      const before = (await at.pass()).status;
      if (forget === 'gone') at.stores.pools.remove('ns/pool');
      else at.stores.pools.put(failoverPool().build());
      expect((await at.pass()).status.boundTo, forget).to.include({ server: 's', epoch: 7 });
      expect(before.boundTo).to.include({ server: 's', epoch: 7 });
    }
  });

  it('keeps the epoch of its binding when the pool forgets a takeover that it alone had heard of', async () => {
    const at = setting(moved);
    expect((await at.pass()).status.boundTo).to.include({ server: 's', epoch: 7 });
    const { status: _lost, ...forgetful } = failoverPool().build();
    at.stores.pools.put(forgetful);
    expect((await at.pass()).status.boundTo).to.include({ server: 'a', epoch: 7 });
  });

  it('is recorded on by the substitute when the broken home was deleted', async () => {
    const at = setting(moved);
    at.stores.servers.remove('ns/a');
    at.report('s', { role: 'a', epoch: 7, podUID: 'pod-s' }, {});
    expect((await at.pass()).recording?.status).to.equal('True');
  });

  it('is said to be recorded all the time while the substitute that records it is adopted in Git', async () => {
    const at = setting(moved);
    at.report('s', { role: 'a', epoch: 7, podUID: 'pod-s' }, { startTime: sinceTime });
    const { status } = await at.pass();
    const served = (servingRole: string, epoch: number) =>
      at.stores.servers.put(recordingServer('s').status({ podUID: 'pod-s', servingRole, epoch }).build());
    served('a', 7);
    at.stores.cameras.put(new CameraView(cameraObject('gate', { serverRef: { name: 's' } }, status)));
    const named = await at.pass();
    expect(named.recording).to.include({ status: 'True', reason: 'Recording' });
    expect(named.status.boundTo).to.include({ role: 's', server: 's', epoch: 7 });

    const own = { name: 's', holder: 's', holderUID: 'uid-s', epoch: 8, startTime, handedOverTime: startTime };
    at.stores.pools.put(
      failoverPool()
        .status({ epoch: 8, roles: [own] })
        .build(),
    );
    const committed = await at.pass();
    expect(committed.recording).to.include({ status: 'True', reason: 'Recording' });
    expect(committed.status.boundTo).to.include({ role: 's', server: 's', epoch: 8 });

    served('s', 8);
    at.report('s', { role: 's', epoch: 8, podUID: 'pod-s' }, { startTime: sinceTime });
    const taken = await at.pass();
    expect(taken.status.recording).to.deep.equal({ startTime: sinceTime });
    expect(taken.status.gaps ?? []).to.deep.equal([]);
  });

  it('is not recorded by a recorder that is being adopted and does not say so of it, or by its earlier pod', async () => {
    for (const podUID of ['pod-s', 'pod-old']) {
      const at = setting(moved);
      at.stores.servers.put(recordingServer('s').status({ podUID: 'pod-s', servingRole: 'a', epoch: 7 }).build());
      at.camera({ serverRef: { name: 's' } });
      at.report('s', { role: 'a', epoch: 7, podUID }, podUID === 'pod-old' ? {} : { name: 'yard' });
      expect((await at.pass()).recording, podUID).to.include({ status: 'False', reason: 'Connecting' });
    }
  });

  it('names a missing home, and a home that has no role', async () => {
    const at = setting();
    at.camera({ serverRef: { name: 'nobody' } });
    expect((await at.pass()).of('Stalled')).to.include({ status: 'True', reason: 'ServerNotFound' });
    at.camera({ serverRef: { name: 's' } });
    expect((await at.pass()).of('Stalled')).to.include({ status: 'True', reason: 'ServerHasNoRole' });
  });

  it('shows the fault of its holder only once that has lasted, and then what is known', async () => {
    const at = setting();
    at.report('a', atHome, {});
    at.judge(healthOf('Broken', { brokenForMs: 2_000 }));
    const early = await at.pass();
    expect(early.recording?.status).to.equal('True');
    expect(early.requeueAfterMs).to.equal(8_000);
    at.judge(healthOf('Broken', { brokenForMs: 10_000 }));
    expect((await at.pass()).recording).to.include({ status: 'Unknown', reason: 'HolderBroken' });
    at.judge(healthOf('Broken', { brokenForMs: 10_000, trigger: 'AllDisksLost' }));
    expect((await at.pass()).recording).to.include({ status: 'False', reason: 'HolderBroken' });
    at.judge(healthOf('Late', { silentForMs: 40_000 }));
    expect((await at.pass()).recording).to.include({ status: 'Unknown', reason: 'HolderSilent' });
  });
});

describe('two reports', () => {
  it('differ in the cameras that changed, came or went, and in no others', () => {
    const report = (...cameras: [string, ReportedCamera['state']][]) => ({
      metadata: { name: 'a', namespace: 'ns' },
      status: { cameras: cameras.map(([name, state]) => ({ name, state, sinceTime })) },
    });
    const before = report(['same', 'Recording'], ['other', 'Recording'], ['left', 'Recording']);
    const after = report(['same', 'Recording'], ['other', 'Failed'], ['new', 'Waiting']);
    expect(changedCameras(after, before).sort()).to.deep.equal(['left', 'new', 'other']);
  });
});
