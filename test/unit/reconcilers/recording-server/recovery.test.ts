import { expect } from 'chai';
import type {
  FailoverPoolStatus,
  RecorderReportStatus,
  RecordingServerStatus,
  RecoveryStatus,
} from '../../../../src/crds/index.js';
import type { KubeObject } from '../../../../src/operator/index.js';
import { materialRecoverable } from '../../../../src/reconcilers/recording-server/recovery/material.js';
import { offersOf, recoveryOf } from '../../../../src/reconcilers/recording-server/recovery/plan.js';
import { recoveryRequest, requestId } from '../../../../src/reconcilers/recording-server/recovery/request.js';
import { watchServers } from '../../../../src/reconcilers/recording-server/triggers.js';
import type { ChangeListener } from '../../../../src/reconcilers/stores.js';
import { CameraView } from '../../../../src/reconcilers/views.js';
import { failoverPool } from '../../support/builders/failover-pool.js';
import { recordingServer } from '../../support/builders/recording-server.js';
import { now, pod, scene } from '../support/scene.js';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3, 0, 0) + seconds * 1000).toISOString();
const print = (letter: string): string => letter.repeat(64);

/** The role a moved from a, silent since 100, to s, which had proved it at 107. */
const moved: Partial<FailoverPoolStatus> = {
  epoch: 7,
  roles: [{ name: 'a', holder: 's', holderUID: 'uid-s', epoch: 7, startTime: at(105), handedOverTime: at(107) }],
  history: [
    {
      epoch: 7,
      role: 'a',
      from: 'a',
      to: 's',
      trigger: 'Unreachable',
      outcome: 'Completed',
      lastSeenTime: at(100),
      brokenTime: at(105),
      committedTime: at(105),
      recordingTime: at(107),
    },
  ],
};

/** `s` holds the role of `a`, which is back; `gate` is a camera of it and `door` one of `b`. */
function setting({ request, status = {} }: { request?: string; status?: Partial<RecordingServerStatus> } = {}) {
  const a = recordingServer('a').status({ servingRole: '', epoch: 7 }).build();
  const held = recordingServer('s')
    .standby()
    .status({ servingRole: 'a', epoch: 7, ...status })
    .build();
  const annotations = request === undefined ? {} : { annotations: { 'understudy.dev/request': request } };
  const s = { ...held, metadata: { ...held.metadata, ...annotations } };
  const all = scene(a, s);
  all.stores.pools.put(failoverPool().status(moved).build());
  for (const server of [a, s]) all.stores.pods.put(pod(server, { podIP: `10.0.0.${server === a ? 1 : 2}` }));
  for (const [name, home] of [
    ['gate', 'a'],
    ['door', 'b'],
  ]) {
    const spec = { serverRef: { name: home }, source: { type: 'IP' }, priority: 'Normal' };
    all.stores.cameras.put(new CameraView({ metadata: { name, namespace: 'ns' }, spec } as unknown as KubeObject));
  }
  const report = (server: string, word: RecorderReportStatus): void =>
    all.stores.reports.put({
      metadata: { name: server, namespace: 'ns' },
      status: { podUID: `pod-${server}`, ...word },
    });
  report('a', { role: '', epoch: 7, port: { fingerprint: print('a') } });
  report('s', { role: 'a', epoch: 7, port: { fingerprint: print('b') } });
  return { ...all, report };
}

const running: RecoveryStatus = { id: 'r1', state: 'Running', role: 'a', fromServer: 'a', startTime: at(200) };

describe('a request to recover footage', () => {
  it('has an id, what, and from where', () => {
    expect(recoveryRequest(' r1 recover a  from nvr-1 ')).to.deep.equal({
      id: 'r1',
      subject: 'a',
      fromServer: 'nvr-1',
    });
    expect(requestId('r1 nonsense')).to.equal('r1');
    for (const wrong of ['', 'r1', 'recover a from b', 'r1 recover a', 'r1 recover a from', 'r1 recover a from b c'])
      expect(recoveryRequest(wrong), wrong).to.equal(undefined);
  });

  it('runs on the holder, which is told where the source is and whose certificate to expect', () => {
    const { see } = setting({ request: 'r1 recover a from a' });
    expect(recoveryOf(see('s'))).to.deep.equal({
      id: 'r1',
      state: 'Running',
      role: 'a',
      fromServer: 'a',
      startTime: now.toISOString(),
      address: '10.0.0.1:8780',
      fingerprint: print('a'),
    });
  });

  it('may be about one camera', () => {
    expect(recoveryOf(setting({ request: 'r1 recover gate from a' }).see('s'))).to.include({
      role: 'a',
      camera: 'gate',
    });
  });

  const refusals: [string, string, RegExp][] = [
    ['r1 recover a', 's', /not understood: write/],
    ['r1 switchover a', 's', /not understood/],
    ['r1 recover door from a', 's', /door is neither that nor a camera of it/],
    ['r1 recover b from a', 's', /s holds the role a; b is neither/],
    ['r1 recover a from s', 's', /can't recover footage from itself/],
    ['r1 recover a from nobody', 's', /There is no RecordingServer nobody/],
  ];
  for (const [request, server, why] of refusals)
    it(`is refused with the mend: ${request}`, () => {
      const plan = recoveryOf(setting({ request }).see(server));
      expect(plan?.state).to.equal('Refused');
      expect(plan?.message).to.match(why);
    });

  it('is refused by a server that holds no role', () => {
    const all = setting();
    const a = all.stores.servers.get('ns/a');
    if (a === undefined) throw new Error('no server a');
    const annotations = { 'understudy.dev/request': 'r1 recover a from s' };
    all.stores.servers.put({ ...a, metadata: { ...a.metadata, annotations } });
    expect(recoveryOf(all.see('a'))?.message).to.match(/a holds no role; put the request on the server that holds/);
  });

  it('is handled once: its id is remembered, also when the annotation stays or goes', () => {
    const done: RecoveryStatus = { ...running, state: 'Done', segments: 3, endTime: at(300) };
    for (const request of ['r1 recover a from a', undefined]) {
      const all = setting({ ...(request ? { request } : {}), status: { recovery: done } });
      expect(recoveryOf(all.see('s'))).to.equal(done);
    }
    const refused: RecoveryStatus = { id: 'r1', state: 'Refused', message: 'no', endTime: at(1) };
    expect(recoveryOf(setting({ request: 'r1 recover a', status: { recovery: refused } }).see('s'))).to.equal(refused);
  });

  it('takes the place of the one that runs', () => {
    const all = setting({ request: 'r2 recover gate from a', status: { recovery: running } });
    expect(recoveryOf(all.see('s'))).to.include({ id: 'r2', camera: 'gate', state: 'Running' });
  });

  it('shows the progress that the present pod tells of this very request', () => {
    const all = setting({ status: { recovery: running } });
    all.report('s', { role: 'a', recovery: { id: 'r1', state: 'Running', segments: 4, segmentsTotal: 10, bytes: 99 } });
    expect(recoveryOf(all.see('s'))).to.include({ segments: 4, segmentsTotal: 10, bytes: 99, startTime: at(200) });
    all.report('s', { podUID: 'pod-old', recovery: { id: 'r1', state: 'Done' } });
    expect(recoveryOf(all.see('s'))?.state).to.equal('Running');
    all.report('s', { recovery: { id: 'r0', state: 'Failed' } });
    expect(recoveryOf(all.see('s'))?.state).to.equal('Running');
  });

  it('is done when the recorder says so, without what only a running one needs', () => {
    const all = setting({ status: { recovery: { ...running, address: '10.0.0.1:8780', fingerprint: print('a') } } });
    const filled = [{ camera: 'gate', startTime: at(99), endTime: at(110) }];
    all.report('s', { recovery: { id: 'r1', state: 'Done', segments: 2, segmentsTotal: 2, bytes: 9, filled } });
    const done = recoveryOf(all.see('s'));
    expect(done).to.deep.equal({
      ...running,
      state: 'Done',
      segments: 2,
      segmentsTotal: 2,
      bytes: 9,
      endTime: now.toISOString(),
    });
  });

  it('waits while the source does not run, and goes on with its new certificate', () => {
    const all = setting({ status: { recovery: running } });
    all.stores.reports.remove('ns/a');
    const waiting = recoveryOf(all.see('s'));
    expect(waiting?.message).to.match(/Waiting for the agent of a/);
    expect(waiting?.address).to.equal(undefined);
    all.report('a', { port: { fingerprint: print('c') } });
    expect(recoveryOf(all.see('s'))).to.include({ fingerprint: print('c') });
  });

  it('fails when the role went elsewhere, or the source was deleted', () => {
    const elsewhere = setting({ status: { recovery: { ...running, role: 'b' } } });
    expect(recoveryOf(elsewhere.see('s'))?.message).to.match(/s holds the role b no more/);
    const deleted = setting({ status: { recovery: running } });
    deleted.stores.servers.remove('ns/a');
    expect(recoveryOf(deleted.see('s'))).to.include({ state: 'Failed' });
  });
});

describe('segments', () => {
  it('are offered to the recorder of a recovery that runs, and to nobody else', () => {
    expect(offersOf(setting().see('a'))).to.equal(undefined);
    const all = setting({ status: { recovery: running } });
    expect(offersOf(all.see('a'))).to.deep.equal([{ toServer: 's', role: 'a', fingerprint: print('b') }]);
    expect(offersOf(all.see('s'))).to.equal(undefined);
    expect(offersOf(setting({ status: { recovery: { ...running, state: 'Done' } } }).see('a'))).to.equal(undefined);
  });

  it('are offered to the certificate of the present pod only', () => {
    const all = setting({ status: { recovery: running } });
    all.report('s', { podUID: 'pod-old', port: { fingerprint: print('b') } });
    expect(offersOf(all.see('a'))).to.equal(undefined);
  });

  it('are offered as soon as anything about the other side changes', () => {
    const all = setting({ status: { recovery: running } });
    const listeners = new Map<string, ChangeListener<never>>();
    const woken: string[] = [];
    // Like a controller, it can be asked as itself only: its methods are nothing without it.
    const inbox = {
      woken,
      enqueue(key: string): void {
        this.woken.push(key);
      },
      enqueueAfter: () => undefined,
    };
    watchServers({ stores: all.stores, on: (kind, listener) => void listeners.set(kind, listener as never) }, inbox);
    const word = (fingerprint: string) => ({ status: { port: { fingerprint } } }) as never;
    listeners.get('reports')?.('ns/s', word(print('b')), word(print('c')));
    expect(woken).to.include('ns/a');
    woken.length = 0;
    listeners.get('reports')?.('ns/a', word(print('a')), word(print('c')));
    expect(woken).to.include('ns/s');
    woken.length = 0;
    listeners.get('reports')?.('ns/a', word(print('a')), word(print('a')));
    expect(woken).to.deep.equal(['ns/a']);
  });
});

describe('condition MaterialRecoverable (rule 10)', () => {
  const former = (end: number, role = 'a') => ({
    role: '',
    formerRole: { role, cameras: [{ name: 'gate', epoch: 1, endTime: at(end) }] },
  });

  it('is left out as long as a server has lost no role', () => {
    expect(materialRecoverable(setting().see('a'))).to.equal(undefined);
    expect(materialRecoverable(setting().see('s'))).to.equal(undefined);
  });

  it('is True with the role, the amount and the command, when a recorder that was cut off had gone on', () => {
    const all = setting();
    all.report('a', former(130));
    const found = materialRecoverable(all.see('a'));
    expect(found).to.include({ status: 'True', reason: 'FootageRecoverable' });
    expect(found?.message).to.match(/1 cameras of a, up to 7 s each, is missing on s/);
    expect(found?.message).to.match(/kubectl annotate rsrv s understudy.dev\/request='recover-7 recover a from a'/);
  });

  it('is False when its footage ends before the gap', () => {
    const all = setting();
    all.report('a', former(100.4));
    expect(materialRecoverable(all.see('a'))).to.include({ status: 'False', reason: 'NothingToRecover' });
  });

  it('is False once all of it was copied, and True when only one camera was', () => {
    const done: RecoveryStatus = { ...running, state: 'Done' };
    const whole = setting({ status: { recovery: done } });
    whole.report('a', former(130));
    expect(materialRecoverable(whole.see('a'))).to.include({ status: 'False', reason: 'FootageRecovered' });
    const one = setting({ status: { recovery: { ...done, camera: 'gate' } } });
    one.report('a', former(130));
    expect(materialRecoverable(one.see('a'))?.status).to.equal('True');
  });
});
