import { expect } from 'chai';
import { describe, it } from 'mocha';
import { judge } from '../../../src/failover/health/health.js';
import { signals } from '../support/builders/signals.js';
import { Replica, watched } from './support/replica.js';

describe('rule 9: health of a server', () => {
  it('is unknown before anything was seen', () => {
    expect(judge(undefined, new Replica().settings, 0, { since: 0, last: 0 }).verdict).to.equal('Unknown');
  });

  it('is unknown at first sight, since an old renewal proves no life', () => {
    expect(new Replica().sees(signals()).passes(1000).judges().verdict).to.equal('Unknown');
  });

  it('is healthy once a heartbeat was seen to come', () => {
    expect(watched().judges()).to.include({ verdict: 'Healthy', trigger: undefined });
  });

  it('is never ready, whatever fails, until it has been ready once', () => {
    const replica = new Replica().sees(signals().with({ everReady: false }).service('Failed')).passes(600_000);
    expect(replica.judges().verdict).to.equal('NeverReady');
  });

  it('has been ready once it has reported so itself', () => {
    expect(
      new Replica()
        .sees(signals().with({ everReady: false }))
        .passes(60_000)
        .judges().verdict,
    ).to.equal('Broken');
  });

  it('is another server when its uid is another one', () => {
    const replica = watched().sees(signals().with({ serverUID: 'uid-2', everReady: false, lease: undefined }));
    expect(replica.judges().verdict).to.equal('NeverReady');
  });

  describe('a suspected server, as a storm counts them', () => {
    it('is one whose heartbeat is late, and one that is broken for want of heartbeats', () => {
      const replica = watched();
      expect(replica.passes(999).judges().suspected).to.equal(false);
      expect(replica.passes(1).judges()).to.include({ verdict: 'Late', suspected: true });
      expect(replica.passes(60_000).judges()).to.include({ trigger: 'Unreachable', suspected: true });
      expect(replica.beats(signals(), 2000).passes(1).judges().suspected).to.equal(false);
    });

    it('is one that this operator has never heard, but only once that is a failure', () => {
      const replica = new Replica().sees(signals()).passes(1000);
      expect(replica.judges()).to.include({ verdict: 'Unknown', suspected: false });
      expect(replica.passes(60_000).judges()).to.include({ trigger: 'Unreachable', suspected: true });
    });

    it('is none that was never ready, nor one without contact to the API server', () => {
      const fresh = new Replica()
        .sees(signals().with({ everReady: false, report: undefined, inMaintenance: true }))
        .passes(60_000);
      expect(fresh.judges()).to.include({ verdict: 'NeverReady', suspected: false });
      expect(watched().passesWithoutApi(60_000).judges()).to.include({ verdict: 'Unknown', suspected: false });
    });

    it('is none that fails by its disks or its recording service, though it falls silent by that', () => {
      const dying = watched().beats(signals().disks('Lost', 'Lost'), 6000);
      expect(dying.judges()).to.include({ trigger: 'AllDisksLost', suspected: false });
      const crashing = watched().sees(signals().renewed('t3').pod({ ready: false, waitingReason: 'CrashLoopBackOff' }));
      expect(crashing.passes(4000).judges()).to.include({ verdict: 'Late', suspected: false });
      expect(crashing.passes(60_000).judges().suspected).to.equal(false);
    });
  });

  describe('(a) unreachable', () => {
    it('is late after one and a half heartbeats', () => {
      const replica = watched().passes(990);
      expect(replica.judges().verdict).to.equal('Healthy');
      expect(replica.passes(10).judges().verdict).to.equal('Late');
      expect(replica.judges().reachable.reason).to.equal('HeartbeatLate');
    });

    it('is broken when the timeout has passed, and not a moment before', () => {
      const replica = watched();
      expect(replica.passes(3999).judges().verdict).to.equal('Late');
      const judged = replica.passes(1).judges();
      expect(judged).to.include({ verdict: 'Broken', trigger: 'Unreachable', brokenForMs: 0, lastSeenTime: 't2' });
    });

    it('says for how long it has been broken', () => {
      const replica = watched();
      replica.passes(replica.judges().nextCheckInMs ?? 0);
      const until = 6_000 - replica.judges().silentForMs;
      expect(replica.passes(until).judges()).to.include({ verdict: 'Broken', brokenForMs: 0 });
      expect(replica.passes(20_000).judges()).to.include({ verdict: 'Broken', brokenForMs: 20_000 });
    });

    it('says exactly when to look again', () => {
      const replica = watched();
      expect(replica.judges().nextCheckInMs).to.equal(1000);
      expect(replica.passes(1000).judges().nextCheckInMs).to.equal(3000);
    });

    it('is looked at again when one that is broken by its disks falls silent, too', () => {
      const replica = watched();
      replica.settings = { ...replica.settings, storageGraceSeconds: 0 };
      const lost = replica.beats(signals().disks('Lost', 'Lost'), 2000);
      expect(lost.judges().trigger).to.equal('AllDisksLost');
      for (let looks = 0; looks < 3; looks += 1) lost.passes(lost.judges().nextCheckInMs ?? 0);
      expect(lost.judges().reachable).to.include({ status: 'False', reason: 'Unreachable' });
      expect(lost.judges().nextCheckInMs).to.equal(undefined);
    });

    it('is looked at when one that was never ready has been silent for the timeout', () => {
      const replica = new Replica().sees(signals().with({ everReady: false, report: undefined, inMaintenance: true }));
      for (let looks = 0; looks < 3; looks += 1) replica.passes(replica.judges().nextCheckInMs ?? 0);
      expect(replica.judges().reachable).to.include({ status: 'False', reason: 'NeverReady' });
    });

    it('stays alive by a fresh Lease whatever node and kubelet say', () => {
      const gone = signals()
        .pod({ ready: false, phase: 'Unknown' })
        .with({
          node: { exists: false, ready: false, unschedulable: true },
        });
      expect(watched().beats(gone, 60_000).judges().verdict).to.equal('Healthy');
    });

    it('does not take a new version of the Lease for a heartbeat', () => {
      const replica = watched();
      for (let version = 2; version < 8; version += 1)
        replica.passes(1000).sees(
          signals()
            .renewed('t2')
            .lease({ resourceVersion: String(version) }),
        );
      expect(replica.judges().trigger).to.equal('Unreachable');
    });

    it('takes a heartbeat of a recorder whose clock went back', () => {
      expect(watched().passes(5000).sees(signals().renewed('t-before')).judges().verdict).to.equal('Healthy');
    });

    it('starts from zero when the operator starts', () => {
      const replica = new Replica().sees(signals());
      expect(replica.passes(10_999).judges().verdict).to.equal('Unknown');
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('starts from zero after a time without the API', () => {
      const replica = watched().passesWithoutApi(60_000);
      expect(replica.judges().verdict).to.equal('Unknown');
      replica.hearsApi();
      expect(replica.passes(5999).judges().verdict).to.equal('Late');
      expect(replica.passes(1).judges().trigger).to.equal('Unreachable');
    });

    it('heeds a shortened timeout only after a renewal at the new cadence', () => {
      const slow = signals().lease({ leaseDurationSeconds: 30 });
      const replica = new Replica().sees(slow).passes(1000).sees(slow.renewed('t1'));
      expect(replica.passes(9000).judges().verdict).to.equal('Healthy');
      replica.sees(slow.lease({ leaseDurationSeconds: 6 })).passes(5000);
      expect(replica.judges().verdict).to.equal('Healthy');
      replica.sees(slow.renewed('t2'));
      expect(replica.passes(6000).judges().trigger).to.equal('Unreachable');
    });

    it('counts no silence while there is no Lease, and starts anew with the next', () => {
      const replica = watched()
        .sees(signals().with({ lease: undefined }))
        .passes(60_000);
      expect(replica.judges().verdict).to.equal('Unknown');
      replica.sees(signals().lease({ uid: 'lease-2', renewTime: undefined }));
      expect(replica.passes(5000).judges().verdict).to.not.equal('Broken');
    });
  });

  describe('(b) all disks lost', () => {
    it('is broken when every disk has been lost for the grace', () => {
      const lost = signals().disks('Lost', 'Replaced');
      expect(watched().beats(lost, 4000).judges().verdict).to.equal('Late');
      const judged = watched().beats(lost, 6000).judges();
      expect(judged).to.include({ verdict: 'Broken', trigger: 'AllDisksLost', brokenForMs: 1000 });
    });

    it('starts the grace anew when one disk came back', () => {
      const replica = watched().beats(signals().disks('Lost', 'Lost'), 4000).beats(signals(), 2000);
      expect(replica.beats(signals().disks('Lost', 'Lost'), 4000).judges().verdict).to.equal('Late');
    });

    it('is degraded, not broken, while one disk works', () => {
      const judged = watched().beats(signals().disks('Lost', 'Healthy'), 60_000).judges();
      expect(judged.verdict).to.equal('Healthy');
      expect(judged.storageHealthy).to.include({ status: 'False', reason: 'SomeDisksLost' });
    });

    it('never takes a full or misconfigured disk for a lost one', () => {
      const judged = watched().beats(signals().disks('Full', 'Misconfigured'), 60_000).judges();
      expect(judged.verdict).to.equal('Healthy');
    });

    it('does not believe the report of another pod', () => {
      const other = signals().disks('Lost', 'Lost').pod({ uid: 'pod-2' });
      expect(watched().beats(other, 60_000).judges().trigger).to.equal(undefined);
    });

    it('believes the cluster when it has lost all claims or volumes and the recorder says nothing of them', () => {
      const lost = signals().report({ volumes: [] }).claims({ claimPhase: 'Lost' });
      expect(watched().beats(lost, 6000).judges().trigger).to.equal('AllDisksLost');
      const failed = signals().report({ volumes: [] }).claims({ volumePhase: 'Failed' });
      expect(watched().beats(failed, 6000).judges().trigger).to.equal('AllDisksLost');
    });

    it('believes the probe more than the claim: a disk that takes footage is not lost', () => {
      expect(
        watched()
          .beats(signals().claims({ claimPhase: 'Lost' }), 60_000)
          .judges().verdict,
      ).to.equal('Healthy');
    });
  });

  describe('(c) recording service failed', () => {
    it('is broken when the agent has said so for the grace', () => {
      expect(watched().beats(signals().service('Failed'), 28_000).judges().verdict).to.equal('Late');
      expect(watched().beats(signals().service('Failed'), 30_000).judges().trigger).to.equal('RecordingServiceFailed');
    });

    it('is broken by a container in CrashLoopBackOff', () => {
      const replica = watched();
      replica.settings = { ...replica.settings, timeoutSeconds: 600 };
      replica.sees(signals().renewed('t2').pod({ ready: false, waitingReason: 'CrashLoopBackOff' }));
      expect(replica.passes(29_999).judges().trigger).to.equal(undefined);
      expect(replica.passes(1).judges().trigger).to.equal('RecordingServiceFailed');
    });

    it('counts on between two crashes, until the container was ready', () => {
      const replica = watched();
      replica.settings = { ...replica.settings, timeoutSeconds: 600 };
      const crashed = signals().renewed('t2').pod({ ready: false, waitingReason: 'CrashLoopBackOff' }).build();
      const running = signals().renewed('t2').pod({ ready: false }).build();
      replica.sees(crashed).passes(15_000).sees(running).passes(1000).sees(crashed).passes(14_000);
      expect(replica.judges().trigger).to.equal('RecordingServiceFailed');
      const recovered = signals().renewed('t2').build();
      expect(replica.sees(recovered).sees(crashed).passes(20_000).judges().trigger).to.equal(undefined);
    });

    it('does not believe the kubelet while heartbeats come', () => {
      const said = signals().pod({ ready: false, waitingReason: 'CrashLoopBackOff' });
      expect(watched().beats(said, 60_000).judges().verdict).to.equal('Late');
    });
  });
});
