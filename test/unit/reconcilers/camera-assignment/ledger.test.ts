import { expect } from 'chai';
import type {
  CameraAssignmentSpec,
  CameraAssignmentStatus,
  FailoverPoolStatus,
  RecorderReportStatus,
  ReportedCamera,
} from '../../../../src/crds/index.js';
import type { ServerHealth } from '../../../../src/failover/types.js';
import type { KubeObject } from '../../../../src/operator/index.js';
import { mergePatch, silentLog } from '../../../../src/operator/index.js';
import { createCameraReconciler } from '../../../../src/reconcilers/camera-assignment/reconciler.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { memoryStores } from '../support/memory-stores.js';
import { healthOf } from '../support/scene.js';

/** A time of the test's hour, in seconds after its begin. */
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3, 0, 0) + seconds * 1000).toISOString();

const spec = {
  serverRef: { name: 'a' },
  source: { type: 'IP', url: 'rtsp://camera.example/gate' },
  priority: 'Normal',
} as CameraAssignmentSpec;

const cameraObject = (status?: CameraAssignmentStatus): KubeObject =>
  ({
    metadata: { name: 'gate', namespace: 'ns', uid: 'uid-gate', generation: 1 },
    spec,
    ...(status ? { status } : {}),
  }) as KubeObject;

/** The end of a merge: what the API server would hold. */
function merged(target: object, patch: object): object {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (typeof value === 'object' && !Array.isArray(value))
      result[key] = merged((result[key] as object | undefined) ?? {}, value);
    else result[key] = value;
  }
  return result;
}

/** Camera `gate` of the role `a`; recorders `a`, `s` and `t`. */
class Scene {
  readonly stores = memoryStores();
  readonly healths = new Map<string, ServerHealth>();
  writes = 0;
  #reconcile = this.#make();

  constructor() {
    for (const name of ['a', 's', 't']) {
      const builder = name === 'a' ? recordingServer(name) : recordingServer(name).standby();
      this.stores.servers.put(builder.status({ podUID: `pod-${name}`, podName: name, epoch: 1 }).build());
    }
    this.pool({ epoch: 1 });
    this.stores.cameras.put(new CameraView(cameraObject()));
  }

  #make() {
    return createCameraReconciler({
      client: {
        // A fake of the API server's merge: what these tests look at is the status that is asked for.
        patchStatus: async (_type, _key, patch) => {
          this.writes += 1;
          const next = merged(this.status, (patch as { status: object }).status) as CameraAssignmentStatus;
          const raw = cameraObject(next);
          this.stores.cameras.put(new CameraView(raw));
          return raw as never;
        },
      },
      stores: this.stores,
      healthOf: (key) => this.healths.get(key) ?? healthOf('Healthy'),
      events: { event: () => undefined },
      clock: new FakeClock(),
    });
  }

  get status(): CameraAssignmentStatus {
    return this.stores.cameras.get('ns/gate')?.status ?? {};
  }

  pool(status: Partial<FailoverPoolStatus>): this {
    this.stores.pools.put(failoverPool().status(status).build());
    return this;
  }

  report(server: string, epoch: number, camera: Partial<ReportedCamera>, word: RecorderReportStatus = {}): this {
    const told = { name: 'gate', state: 'Recording' as const, sinceTime: at(0), ...camera };
    const status = { role: 'a', epoch, podUID: `pod-${server}`, cameras: [told], ...word };
    this.stores.reports.put({ metadata: { name: server, namespace: 'ns' }, status });
    return this;
  }

  silent(server: string, lastSeen: number): this {
    this.healths.set(`ns/${server}`, healthOf('Broken', { lastSeenTime: at(lastSeen) }));
    return this;
  }

  /** The operator is another process from now on. */
  restartOperator(): this {
    this.healths.clear();
    this.#reconcile = this.#make();
    return this;
  }

  async pass(): Promise<CameraAssignmentStatus> {
    await this.#reconcile('ns/gate', { signal: new AbortController().signal, log: silentLog });
    return this.status;
  }

  /** Reconciled until nothing is written any more, which must be at once. */
  async settled(): Promise<CameraAssignmentStatus> {
    await this.pass();
    const { writes } = this;
    await this.pass();
    expect(this.writes, 'the status changes by itself').to.equal(writes);
    return this.status;
  }
}

type History = NonNullable<FailoverPoolStatus['history']>[number];

/** The role moved from `a` to `s` because of this; last seen at 100, committed at 105. */
function movedTo(server: string, change: Partial<History> = {}, epoch = 7): Partial<FailoverPoolStatus> {
  const entry: History = {
    epoch,
    role: 'a',
    from: 'a',
    to: server,
    trigger: 'Unreachable',
    outcome: 'Completed',
    lastSeenTime: at(100),
    brokenTime: at(105),
    committedTime: at(105),
    ...change,
  };
  const role = { name: 'a', holder: server, holderUID: `uid-${server}`, previousHolder: entry.from, epoch };
  return { epoch, roles: [{ ...role, startTime: entry.committedTime }], history: [entry] };
}

/** At home and recorded since 10, with an agent that keeps a ledger. */
async function atHome(): Promise<Scene> {
  const scene = new Scene().report('a', 1, { startTime: at(10), gaps: [{ epoch: 1, endTime: at(10), causes: [] }] });
  await scene.settled();
  expect(scene.status.gaps).to.equal(undefined);
  return scene;
}

const firstOnS = {
  startTime: at(106.5),
  gaps: [{ epoch: 7, endTime: at(106.5), causes: [{ cause: 'Connect' as const, seconds: 1 }] }],
};

describe('the ledger of a camera in its status', () => {
  it('is written together with the transition to recording: two writes a failover', async () => {
    const scene = await atHome();
    const before = scene.writes;
    scene.silent('a', 100).pool(movedTo('s'));
    expect((await scene.settled()).recording).to.deep.equal({ lastSegmentTime: at(100), lastServer: 'a' });
    scene.report('s', 7, firstOnS);
    const { gaps, gapSecondsTotal, recording } = await scene.settled();
    expect(scene.writes - before).to.equal(2);
    expect(recording).to.deep.equal({ startTime: at(106.5) });
    expect(gapSecondsTotal).to.equal(6.5);
    expect(gaps).to.deep.equal([
      {
        epoch: 7,
        from: 'a',
        startTime: at(100),
        endTime: at(106.5),
        cause: 'Timeout',
        causes: [
          { cause: 'Timeout', seconds: 5 },
          { cause: 'Connect', seconds: 1.5 },
        ],
      },
    ]);
  });

  for (const when of ['before the binding was written', 'after it', 'after all of it'])
    it(`neither loses nor doubles a gap when the operator is restarted ${when}`, async () => {
      const scene = await atHome();
      scene.silent('a', 100).pool(movedTo('s'));
      if (when !== 'before the binding was written') await scene.pass();
      scene.report('s', 7, firstOnS);
      if (when === 'after all of it') await scene.pass();
      scene.restartOperator();
      const { gaps, gapSecondsTotal } = await scene.settled();
      expect(gapSecondsTotal).to.equal(6.5);
      expect(gaps).to.have.length(1);
    });

  it('has no gap for a planned move: the overlap is none', async () => {
    const scene = await atHome();
    scene.pool(movedTo('s', { trigger: 'RecordingServiceFailed' }));
    await scene.pass();
    const { gaps } = await scene.report('s', 7, firstOnS).settled();
    expect(gaps).to.equal(undefined);
  });

  it('begins where the camera was last recorded when the disks failed first', async () => {
    const scene = await atHome();
    scene.report('a', 1, { state: 'Failed', error: 'disk', lastFrameTime: at(98), gaps: [] });
    scene.pool(movedTo('s', { trigger: 'AllDisksLost', lastSeenTime: at(104) }));
    await scene.pass();
    const { gaps } = await scene.report('s', 7, firstOnS).settled();
    expect(gaps?.[0]).to.include({ startTime: at(98), endTime: at(106.5), cause: 'StorageFailed' });
  });

  it('goes on over a standby that never recorded it', async () => {
    const scene = await atHome();
    scene.silent('a', 100).pool(movedTo('s'));
    await scene.pass();
    scene.silent('s', 108).pool(movedTo('t', { committedTime: at(115) }, 8));
    await scene.pass();
    const { gaps } = await scene
      .report('t', 8, { startTime: at(117), gaps: [{ epoch: 8, endTime: at(117), causes: [] }] })
      .settled();
    expect(gaps?.map(({ startTime, endTime }) => [startTime, endTime])).to.deep.equal([[at(100), at(117)]]);
  });

  it('is told for each when the standby broke after it had recorded it', async () => {
    const scene = await atHome();
    scene.silent('a', 100).pool(movedTo('s'));
    await scene.pass();
    await scene.report('s', 7, firstOnS).pass();
    scene.silent('s', 200).pool(movedTo('t', { from: 's', lastSeenTime: at(200), brokenTime: at(205) }, 8));
    await scene.pass();
    const first = { startTime: at(208), gaps: [{ epoch: 8, endTime: at(208), causes: [] }] };
    const { gaps, gapSecondsTotal } = await scene.report('t', 8, first).settled();
    expect(gaps?.map(({ from, startTime }) => [from, startTime])).to.deep.equal([
      ['a', at(100)],
      ['s', at(200)],
    ]);
    expect(gapSecondsTotal).to.equal(14.5);
  });

  it("takes the gaps that the recorder alone has seen, also those of the operator's absence", async () => {
    const scene = await atHome();
    const seen = (start: number, end: number) => ({
      epoch: 1,
      startTime: at(start),
      endTime: at(end),
      causes: [{ cause: 'CameraFailed' as const, seconds: end - start }],
    });
    const first = { epoch: 1, endTime: at(10), causes: [] };
    scene.report('a', 1, { state: 'Failed', error: 'no route', lastFrameTime: at(50), gaps: [first] });
    expect((await scene.settled()).recording).to.deep.equal({ lastSegmentTime: at(50), lastServer: 'a' });
    scene.report('a', 1, { startTime: at(89), lastFrameTime: at(50), gaps: [first, seen(50, 89)] });
    expect((await scene.settled()).gapSecondsTotal).to.equal(39);
    scene.restartOperator();
    scene.report('a', 1, { startTime: at(320), gaps: [first, seen(50, 89), seen(200, 210), seen(300, 320)] });
    const { gaps, gapSecondsTotal } = await scene.settled();
    expect(gapSecondsTotal).to.equal(69);
    expect(gaps?.map(({ cause }) => cause)).to.deep.equal(['CameraFailed', 'CameraFailed', 'CameraFailed']);
    expect(gaps?.[0]?.from).to.equal(undefined);
  });

  it('has the two times of a recorder that keeps no ledger of its own', async () => {
    const scene = new Scene().report('a', 1, { startTime: at(10) });
    await scene.settled();
    scene.report('a', 1, { startTime: at(60), lastFrameTime: at(50) });
    const { gaps, gapSecondsTotal } = await scene.settled();
    expect(gapSecondsTotal).to.equal(10);
    expect(gaps?.[0]).to.include({ startTime: at(50), endTime: at(60), cause: 'CameraFailed' });
  });

  for (const gaps of [undefined, [{ epoch: 1, endTime: at(10), causes: [] }]])
    it(`has no gap at its first start, heartbeats before it or not${gaps ? '' : ', without a ledger of the recorder'}`, async () => {
      for (const lastSeen of [9.7, 10.4]) {
        const scene = new Scene();
        scene.healths.set('ns/a', healthOf('Healthy', { lastSeenTime: at(lastSeen) }));
        const ledger = gaps ? { gaps } : {};
        await scene.report('a', 1, { state: 'Connecting', ...(gaps ? { gaps: [] } : {}) }).settled();
        await scene.report('a', 1, { startTime: at(10), ...ledger }).settled();
        await scene.report('a', 1, { startTime: at(10), ...ledger }).settled();
        expect(scene.status.gaps).to.equal(undefined);
      }
    });

  it('is not cut short by a break of long ago when the recorder falls silent', async () => {
    const scene = new Scene();
    const first = { epoch: 1, endTime: at(10), causes: [] };
    const broke = { epoch: 1, startTime: at(20), endTime: at(22), causes: [] };
    await scene.report('a', 1, { startTime: at(22), lastFrameTime: at(20), gaps: [first, broke] }).settled();
    scene.healths.set('ns/a', healthOf('Broken', { lastSeenTime: at(100), brokenForMs: 20_000 }));
    expect((await scene.settled()).recording).to.deep.equal({ lastSegmentTime: at(100), lastServer: 'a' });
    await scene.pool(movedTo('s')).pass();
    const { gaps } = await scene.report('s', 7, firstOnS).settled();
    expect(gaps?.at(-1)).to.include({ from: 'a', startTime: at(100) });
  });

  it('does not blame the home for what its standby lost when it got the role a second time', async () => {
    const scene = await atHome();
    scene.silent('a', 100).pool(movedTo('s'));
    await scene.pass();
    await scene.report('s', 7, firstOnS).pass();
    scene.healths.set('ns/s', healthOf('Healthy', { lastSeenTime: at(150) }));
    await scene.pool(movedTo('s', { committedTime: at(151) }, 8)).pass();
    const again = { epoch: 8, endTime: at(156), causes: [] };
    const { gaps } = await scene.report('s', 8, { startTime: at(156), gaps: [again] }).settled();
    expect(gaps?.at(-1)).to.include({ epoch: 8, startTime: at(150), endTime: at(156) });
    expect(gaps?.at(-1)?.from).to.equal(undefined);
    const formerRole = { role: 'a', cameras: [{ name: 'gate', epoch: 1, endTime: at(99) }] };
    const back = await scene.report('a', 8, {}, { role: '', cameras: [], formerRole }).settled();
    expect(back.gaps?.map(({ startTime }) => startTime)).to.deep.equal([at(99), at(150)]);
  });

  it('goes on without a gap when the epoch rises under a recorder that records', async () => {
    const scene = await atHome();
    scene.silent('a', 100).pool(movedTo('s'));
    await scene.pass();
    await scene.report('s', 7, firstOnS).pass();
    scene.healths.set('ns/s', healthOf('Healthy', { lastSeenTime: at(150) }));
    await scene.pool(movedTo('s', {}, 8)).pass();
    const { gaps } = await scene.report('s', 8, firstOnS).settled();
    expect(gaps).to.have.length(1);
  });

  it('takes no silence for a gap when the recorder comes back and has gone on', async () => {
    const scene = await atHome();
    scene.healths.set('ns/a', healthOf('Broken', { lastSeenTime: at(100), brokenForMs: 20_000 }));
    expect((await scene.settled()).recording).to.deep.equal({ lastSegmentTime: at(100), lastServer: 'a' });
    scene.healths.clear();
    const { recording, gaps } = await scene.settled();
    expect(recording).to.deep.equal({ startTime: at(10) });
    expect(gaps).to.equal(undefined);
  });

  describe('when the previous recorder is back', () => {
    async function afterFailover(): Promise<Scene> {
      const scene = await atHome();
      scene.silent('a', 100).pool(movedTo('s'));
      await scene.pass();
      await scene.report('s', 7, firstOnS).settled();
      scene.healths.clear();
      return scene;
    }
    const back = (scene: Scene, end: number, epoch = 1): Scene =>
      scene.report(
        'a',
        7,
        {},
        {
          role: '',
          cameras: [],
          formerRole: { role: 'a', cameras: [{ name: 'gate', epoch, endTime: at(end) }] },
        },
      );

    it('has the true start: later by what the heartbeat did not tell', async () => {
      const { gaps, gapSecondsTotal } = await back(await afterFailover(), 101.2).settled();
      expect(gaps?.[0]).to.include({ startTime: at(101.2), provedUntilTime: at(100) });
      expect(gapSecondsTotal).to.equal(5.3);
    });

    it('has a lost tail only when footage is really missing', async () => {
      const { gaps, gapSecondsTotal } = await back(await afterFailover(), 99).settled();
      expect(gaps?.[0]?.causes?.[0]).to.deep.equal({ cause: 'TailLost', seconds: 1 });
      expect(gapSecondsTotal).to.equal(7.5);
    });

    it('is closed when that recorder was merely cut off', async () => {
      const { gaps, gapSecondsTotal } = await back(await afterFailover(), 140).settled();
      expect(gaps?.[0]?.closedBy).to.equal('PreviousHolder');
      expect(gapSecondsTotal).to.equal(0);
    });

    it('is not changed by footage of another role or of a later epoch', async () => {
      const scene = await afterFailover();
      expect((await back(scene, 140, 7).settled()).gapSecondsTotal).to.equal(6.5);
    });
  });

  it('is closed when the holder has copied the footage, and stays so', async () => {
    const scene = await atHome();
    scene.silent('a', 100).pool(movedTo('s'));
    await scene.pass();
    const filled = [
      { camera: 'gate', startTime: at(95), endTime: at(107) },
      { camera: 'other', startTime: at(0), endTime: at(500) },
    ];
    await scene.report('s', 7, firstOnS).settled();
    expect(scene.status.gapSecondsTotal).to.equal(6.5);
    scene.report('s', 7, firstOnS, { recovery: { id: 'r1', state: 'Done', filled } });
    expect((await scene.settled()).gaps?.[0]?.closedBy).to.equal('Recovery');
    expect(scene.status.gapSecondsTotal).to.equal(0);
    scene.report('s', 7, firstOnS).restartOperator();
    expect((await scene.settled()).gapSecondsTotal).to.equal(0);
  });

  it('asks for no change of a status that holds it', async () => {
    const scene = await atHome();
    const known = scene.status;
    await scene.pass();
    expect(mergePatch(known, scene.status)).to.equal(undefined);
  });
});
